package dev.daimon.signals;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import java.nio.file.Path;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KillTest {
  @Test
  void aSignalEndsAProcess() throws Exception {
    Process sleeper = new ProcessBuilder("sleep", "60").start();
    try {
      Kill.send(sleeper.pid(), Signal.TERM);

      assertThat(sleeper.waitFor(30, SECONDS)).isTrue();
      assertThat(sleeper.exitValue()).isEqualTo(128 + 15);
    } finally {
      sleeper.destroyForcibly();
    }
  }

  @Test
  void aSignalToAGroupEndsItsMembers() throws Exception {
    // The shell leads the group and prints its number. Both members hold the pipe: its end of file
    // means that both are gone.
    Process shell =
        new ProcessBuilder("setsid", "--wait", "sh", "-c", "sleep 60 & echo $$; exec sleep 60")
            .start();
    try {
      String group = shell.inputReader().readLine();

      Kill.sendGroup(Long.parseLong(group), Signal.TERM);

      assertThat(shell.waitFor(30, SECONDS)).isTrue();
      assertThat(shell.inputReader().readLine()).isNull();
    } finally {
      shell.destroyForcibly();
    }
  }

  @Test
  void aChildThatWasWaitedForIsNoLongerThere() throws Exception {
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();

    assertThatThrownBy(() -> Kill.send(ended.pid(), Signal.TERM))
        .hasMessage("kill " + ended.pid() + ": No such process (ESRCH, 3)")
        .asInstanceOf(InstanceOfAssertFactories.type(PosixException.class))
        .returns(Errno.ESRCH, PosixException::errno);
  }

  @Test
  void aGroupThatDoesNotExistIsAnError() {
    assertThatThrownBy(() -> Kill.sendGroup(Integer.MAX_VALUE, Signal.TERM))
        .hasMessage("kill -2147483647: No such process (ESRCH, 3)");
  }

  @Test
  @Tag("root")
  void anotherUsersProcessMayNotBeSignalled(@TempDir Path classes) throws Exception {
    Process sleeper = new ProcessBuilder("sleep", "60").start();
    try {
      assertThat(
              ChildJvm.of(Child.class)
                  .startedBy(ChildJvm.AS_NOBODY)
                  .copied(classes)
                  .run("kill", sleeper.pid())
                  .lines())
          .containsExactly("kill " + sleeper.pid() + ": Operation not permitted (EPERM, 1)");
      assertThat(sleeper.isAlive()).isTrue();
    } finally {
      sleeper.destroyForcibly();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, -2, Long.MIN_VALUE, 1L << 31, (1L << 32) + 1})
  void whatIsNoPidIsRefused(long pid) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Kill.send(pid, Signal.CONT))
        .withMessage("not a process id: " + pid);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, Long.MIN_VALUE, 1L << 31, (1L << 32) + 2})
  void whatIsNoGroupIsRefused(long group) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Kill.sendGroup(group, Signal.CONT))
        .withMessage("not a process group to signal: " + group);
  }
}
