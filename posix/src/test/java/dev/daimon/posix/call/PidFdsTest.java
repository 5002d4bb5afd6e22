package dev.daimon.posix.call;

import static dev.daimon.posix.call.ProcessesTest.spawn;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import org.junit.jupiter.api.Test;

class PidFdsTest {
  private static final int ENDED = Processes.WEXITED;

  private final ProcessEnd end = new ProcessEnd();

  @Test
  void aChildIsSignalledAndWaitedForByItsDescriptor() {
    int pid = spawn("/bin/sleep", "60");
    int pidfd = PidFds.open(pid);
    try {
      assertThat(Processes.waitid(pidfd, end, ENDED | Processes.WNOHANG)).isZero();
      assertThat(end.pid()).isZero();
      assertThat(Polling.poll(pidfd, Polling.POLLIN, 0)).isZero();
      assertThat(PidFds.sendSignal(pidfd, 0)).isZero();

      assertThat(PidFds.sendSignal(pidfd, 9)).isZero();

      assertThat(Processes.waitid(pidfd, end, ENDED | Processes.WNOWAIT)).isZero();
      assertThat(Polling.poll(pidfd, Polling.POLLIN, 0)).isEqualTo(1);
      assertThat(PidFds.sendSignal(pidfd, 0)).as("a zombie takes signals").isZero();
      assertThat(Processes.waitid(pidfd, end, ENDED)).isZero();
      assertThat(end.pid()).isEqualTo(pid);
      assertThat(end.code()).isEqualTo(ProcessEnd.CLD_KILLED);
      assertThat(end.status()).isEqualTo(9);
      assertThat(Processes.waitid(pidfd, end, ENDED)).isEqualTo(-Errno.ECHILD.number());
      assertThat(PidFds.sendSignal(pidfd, 0)).isEqualTo(-Errno.ESRCH.number());
    } finally {
      Files.close(pidfd);
    }
  }

  @Test
  void whatAChildHasUsedIsToldWithItsExitCode() {
    int pidfd =
        PidFds.open(
            spawn("/bin/sh", "-c", "i=0; while [ $i -lt 99999 ]; do i=$((i + 1)); done; exit 3"));
    try {
      assertThat(Processes.waitid(pidfd, end, ENDED)).isZero();

      assertThat(end.code()).isEqualTo(ProcessEnd.CLD_EXITED);
      assertThat(end.status()).isEqualTo(3);
      assertThat(end.userTime()).as("microseconds").isBetween(1_000L, 60_000_000L);
      assertThat(end.systemTime()).isBetween(0L, 60_000_000L);
      assertThat(end.peakMemory()).as("KiB").isBetween(300L, 10_000_000L);
      assertThat(end.minorFaults()).isBetween(20L, 100_000L);
      assertThat(end.majorFaults()).isBetween(0L, 1_000L);
      assertThat(end.voluntarySwitches()).isBetween(0L, 10_000L);
      assertThat(end.involuntarySwitches()).isBetween(0L, 1_000_000L);
    } finally {
      Files.close(pidfd);
    }
  }

  @Test
  void theIdsAreToldOfWhoHasNotEnded() {
    int[] ids = new int[3];
    Credentials.getresuid(ids);
    int[] groups = new int[3];
    Credentials.getresgid(groups);
    int pid = spawn("/bin/sleep", "60");
    int pidfd = PidFds.open(pid);
    try {
      int[] told = new int[4];
      int result = PidFds.credentials(pidfd, told);
      // Before Linux 6.13.
      if (result != -Errno.EINVAL.number() && result != -Errno.of(25).number()) {
        assertThat(result).isZero();
        assertThat(told).containsExactly(ids[0], ids[1], ids[2], groups[0]);
      }
    } finally {
      PidFds.sendSignal(pidfd, 9);
      Processes.waitid(pidfd, end, ENDED);
      assertThat(PidFds.credentials(pidfd, new int[4])).isNegative();
      Files.close(pidfd);
    }
    assertThat(PidFds.credentials(-1, new int[4])).isEqualTo(-Errno.EBADF.number());
  }

  @Test
  void whatIsNoProcessCannotBeOpened() {
    assertThat(PidFds.open(1 << 30)).isEqualTo(-Errno.ESRCH.number());
    assertThat(PidFds.open(0)).isEqualTo(-Errno.EINVAL.number());
    assertThat(PidFds.sendSignal(-1, 0)).isEqualTo(-Errno.EBADF.number());
  }
}
