package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ClocksTest {
  private static final long HUNDREDTH = 10_000_000;

  @Test
  void theTimeSinceTheStartOfTheMachineIsTheKernelsUptime() throws IOException {
    long before = uptime();
    long time = Clocks.boottime();
    long after = uptime();
    // The kernel cuts it to hundredths.
    assertThat(time).isBetween(before, after + HUNDREDTH);
    assertThat(Clocks.boottime()).isGreaterThan(time);
  }

  @Test
  void theMonotonicClockIsTheOneOfTheJvm() {
    long before = System.nanoTime();
    long time = Clocks.monotonic();
    assertThat(time).isBetween(before, System.nanoTime());
  }

  private static long uptime() throws IOException {
    String text = java.nio.file.Files.readString(Path.of("/proc/uptime"));
    return new BigDecimal(text.substring(0, text.indexOf(' '))).movePointRight(9).longValueExact();
  }
}
