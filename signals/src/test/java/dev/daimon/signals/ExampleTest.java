package dev.daimon.signals;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The example of the package's documentation works. */
class ExampleTest {
  @Test
  void signalsAreHandledUntilTheEnd() throws Exception {
    Process process = ChildJvm.of(Example.class).startedBy("env", "--default-signal").start();
    try (BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
      assertThat(out.readLine()).isEqualTo("serving");
      Kill.send(process.pid(), Signal.HUP);
      assertThat(out.readLine()).isEqualTo("reading the configuration again");
      Kill.send(process.pid(), Signal.TERM);
      assertThat(out.readLine()).isEqualTo("ended");
      assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).isZero();
  }
}
