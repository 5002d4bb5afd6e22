package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ExampleTest {
  private final Children children = new Children();

  @AfterEach
  void end() {
    children.close();
  }

  @Test
  void aProcessIsStopped() throws Exception {
    Process process = new ProcessBuilder("sleep", "1000").start();

    Example.stop(process.toHandle());

    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(128 + 15);
  }

  @Test
  void aChildsExitCodeIsTaken() throws Exception {
    assertThat(Example.waitFor(children.shell("exit 7"))).isEqualTo(7);
  }

  @Test
  void aProcessIsDescribed() throws Exception {
    assertThat(Example.describe(ProcessHandle.current().pid()))
        .matches("java of user \\d+, started at 2.*Z");
  }
}
