package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.testing.Proc;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcStatTest {
  private static final long SELF = ProcessHandle.current().pid();

  @Test
  void itAgreesWithTheStatus() throws Exception {
    ProcStat stat = ProcStat.of(SELF);

    assertThat(Long.toString(stat.parent())).isEqualTo(Proc.status("self", "PPid"));
    assertThat(Long.toString(stat.group())).isEqualTo(Proc.status("self", "NSpgid"));
    assertThat(Long.toString(stat.session())).isEqualTo(Proc.status("self", "NSsid"));
    assertThat(stat.startTicks()).isPositive();
  }

  /** The JVM has executed a program, and the kernel has no flag for that. */
  @Test
  void theFlagOfAProcessThatHasExecutedNothingIsNotSet() throws Exception {
    assertThat(ProcStat.of(SELF).flags()).isPositive();
    assertThat(ProcStat.of(SELF).flags() & 0x40).isZero();
  }

  @Test
  void aNameWithParenthesesAndSpacesIsNoField(@TempDir Path directory) throws Exception {
    Path program = directory.resolve("a) S (1 2");
    Files.copy(Path.of("/bin/sleep"), program);
    Process process = new ProcessBuilder(program.toString(), "1000").start();
    try {
      ProcStat stat = ProcStat.of(process.pid());

      assertThat(stat.name()).isEqualTo("a) S (1 2");
      assertThat(stat.parent()).isEqualTo(SELF);
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void aProcessThatHasEndedIsAZombieUntilItIsWaitedFor() throws Exception {
    // The shell becomes a program that does not wait for the other one.
    Process parent = new ProcessBuilder("sh", "-c", "sh -c 'echo $$' & exec sleep 1000").start();
    try {
      long child = Long.parseLong(parent.inputReader().readLine());
      while (!ProcStat.of(child).isZombie()) {
        Thread.onSpinWait();
      }

      assertThat(Proc.status(Long.toString(child), "State")).startsWith("Z");
      assertThat(ProcStat.of(parent.pid()).isZombie()).isFalse();
    } finally {
      parent.destroyForcibly().waitFor();
    }
  }

  @Test
  void aMissingProcessIsAnError() {
    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(() -> ProcStat.of(4194304))
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.ENOENT));
  }
}
