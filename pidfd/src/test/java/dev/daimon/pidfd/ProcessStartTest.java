package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import dev.daimon.testing.ProcessSandbox;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ProcessStartTest {
  private final Children children = new Children();

  @AfterEach
  void end() {
    children.close();
  }

  @Test
  void itIsTheKernels() throws Exception {
    long self = ProcessHandle.current().pid();

    assertThat(ProcessStart.of(self))
        .contains(new ProcessStart(ProcessSandbox.stat(self, 22), ProcessSandbox.stat(self, 6)));
  }

  @Test
  void aZombieHasOneAndAMissingProcessHasNone() throws Exception {
    int pid = children.sleeper();
    ProcessStart start = ProcessStart.of(pid).orElseThrow();
    try (PidFd child = PidFd.open(pid)) {
      child.send(Signal.KILL);
      child.awaitExit();
      assertThat(ProcessStart.of(pid)).contains(start);

      child.waitFor();
    }

    assertThat(ProcessStart.of(4194304)).isEmpty();
    assertThat(ProcessStart.of(-1)).isEmpty();
  }
}
