package dev.daimon.signals;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SignalMaskTest {
  @Test
  void theMaskIsReadClearedAndExtendedAsTheKernelSeesIt() throws Exception {
    List<String> lines =
        SignalsProgram.run(List.of("env", "--block-signal=USR1,RTMIN,RTMAX"), "mask");

    long inherited = 1L << 9 | 1L << 33 | 1L << 63;
    long before = Long.parseUnsignedLong(lines.get(0).substring("blocked ".length()), 16);
    // The JVM blocks some signals in Java threads, and unblocks others.
    assertThat(before & inherited).isEqualTo(inherited);
    long after = 1L << 14 | 1L << 63 | 1L << 11;
    assertThat(lines)
        .containsExactly(
            "blocked " + SignalsProgram.hex(before),
            "kernel " + SignalsProgram.hex(before),
            "blocked " + SignalsProgram.hex(0),
            "kernel " + SignalsProgram.hex(0),
            "blocked " + SignalsProgram.hex(after),
            "kernel " + SignalsProgram.hex(after));
  }
}
