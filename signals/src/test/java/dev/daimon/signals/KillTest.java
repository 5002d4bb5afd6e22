package dev.daimon.signals;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
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
  void aSignalToASessionReachesEveryGroupOfIt() throws Exception {
    // A second group by job control. All three hold the pipe, and the one in a session of its own
    // does not.
    Process shell =
        new ProcessBuilder(
                "setsid",
                "--wait",
                "bash",
                "-c",
                "set -m; sleep 60 & set +m; sleep 60 & setsid sleep 60 >&- 2>&- & echo $$; wait")
            .start();
    try {
      long session = Long.parseLong(shell.inputReader().readLine());
      ProcessSandbox.await("both sleepers", () -> inSession(session).size() == 3);
      ProcessHandle stranger = stranger(session);

      assertThat(Kill.sendSession(session, Signal.KILL)).isEqualTo(3);

      assertThat(shell.waitFor(30, SECONDS)).isTrue();
      assertThat(shell.inputReader().readLine()).isNull();
      assertThat(stranger.isAlive()).isTrue();
      stranger.destroyForcibly();
    } finally {
      shell.destroyForcibly();
    }
  }

  /** The shell's child that is in another session. */
  private static ProcessHandle stranger(long session) throws Exception {
    ProcessHandle[] found = {null};
    ProcessSandbox.await(
        "the sleeper in a session of its own",
        () -> {
          ProcessHandle.of(session)
              .orElseThrow()
              .children()
              .forEach(child -> {
                if (session(child) == child.pid()) {
                  found[0] = child;
                }
              });
          return found[0] != null;
        });
    return found[0];
  }

  private static List<ProcessHandle> inSession(long session) {
    return ProcessHandle.allProcesses().filter(any -> session(any) == session).toList();
  }

  private static long session(ProcessHandle process) {
    try {
      return ProcessSandbox.stat(process.pid(), 6);
    } catch (IOException gone) {
      return -1;
    }
  }

  static final class OwnSession {
    public static void main(String[] args) throws Exception {
      CountDownLatch handled = new CountDownLatch(1);
      Process sleeper = new ProcessBuilder("sleep", "60").start();
      try (SignalEvents events = new SignalEvents()) {
        events.on(Signal.CONT, signal -> handled.countDown());
        long session = ProcessSandbox.stat(ProcessHandle.current().pid(), 6);
        System.out.println(Kill.sendSession(session, Signal.CONT));
        handled.await();
      } finally {
        sleeper.destroyForcibly();
      }
    }
  }

  @Test
  void theCallersOwnSessionIsSignalledWithTheCaller() throws Exception {
    assertThat(ChildJvm.of(OwnSession.class).startedBy("setsid", "--wait").run().output())
        .isEqualTo("2");
  }

  @Test
  void aSessionThatDoesNotExistIsAnError() {
    assertThatThrownBy(() -> Kill.sendSession(Integer.MAX_VALUE, Signal.TERM))
        .hasMessage("kill session 2147483647: No such process (ESRCH, 3)");
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
    // It becomes sleep itself, in a session of that number.
    Process sleeper = new ProcessBuilder("setsid", "sleep", "60").start();
    try {
      ProcessSandbox.await("the session", () -> session(sleeper.toHandle()) == sleeper.pid());
      assertThat(
              ChildJvm.of(SignalsProgram.class)
                  .startedBy(ChildJvm.AS_NOBODY)
                  .copied(classes)
                  .run("kill", sleeper.pid(), sleeper.pid())
                  .lines())
          .containsExactly(
              "kill " + sleeper.pid() + ": Operation not permitted (EPERM, 1)",
              "kill session " + sleeper.pid() + ": Operation not permitted (EPERM, 1)");
      assertThat(sleeper.isAlive()).isTrue();
    } finally {
      sleeper.destroyForcibly();
    }
  }

  /** There the ids in {@code /proc} are other processes, and so are their sessions. */
  @Test
  @Tag("root")
  void aSessionIsNotSoughtInTheProcOfAnotherNamespace() throws Exception {
    assertThat(
            ChildJvm.of(SignalsProgram.class)
                .startedBy(ChildJvm.WITH_FOREIGN_PROC)
                .run("kill", 4_194_304, 2)
                .lines())
        .containsExactly(
            "kill 4194304: No such process (ESRCH, 3)",
            "open /proc: Operation not permitted (EPERM, 1); it is of another PID namespace");
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

  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, Long.MIN_VALUE, 1L << 31, (1L << 32) + 2})
  void whatIsNoSessionIsRefused(long session) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Kill.sendSession(session, Signal.CONT))
        .withMessage("not a session to signal: " + session);
  }
}
