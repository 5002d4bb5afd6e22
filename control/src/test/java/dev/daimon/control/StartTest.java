package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.forking.Program;
import dev.daimon.locking.LockHeldException;
import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Starts that fail leave nothing behind, and starts that do not are true. */
class StartTest {
  private static final Duration LATE = Duration.ofMinutes(1);
  private static final Duration SOON = Duration.ofMillis(300);

  @RegisterExtension final Daemons daemons = new Daemons();

  @Test
  void aMissingProgramIsAnError() throws Exception {
    StartSpec missing = StartSpec.program(() -> Program.at(Path.of("/no/such/program")), 022);

    assertThatThrownBy(() -> daemons.control().start(missing))
        .isInstanceOf(PosixException.class)
        .hasMessageContaining("/no/such/program");
    assertThat(daemons.pidFile()).doesNotExist();
    assertThat(Daemons.isListedAsLocked(Guard.beside(daemons.pidFile()))).isFalse();
  }

  @Test
  void aPidFileThatWasThereIsLeftEmpty() throws Exception {
    Files.createFile(daemons.pidFile());
    StartSpec missing = StartSpec.program(() -> Program.at(Path.of("/no/such/program")), 022);

    assertThatThrownBy(() -> daemons.control().start(missing)).isInstanceOf(PosixException.class);
    assertThat(daemons.pidFile()).isEmptyFile();
  }

  @Test
  void aMissingDirectoryIsAnError() {
    DaemonControl control = DaemonControl.of(daemons.file("no/d.pid"));

    assertThatThrownBy(() -> control.start(daemons.daemon("exec sleep 1000")))
        .isInstanceOf(PosixException.class)
        .hasMessageContaining(daemons.file("no/d.pid").toString());
  }

  @Test
  void aLockThatIsTakenMeanwhileIsAnError() throws Exception {
    StartSpec late =
        daemon -> {
          try {
            daemons.locker(Files.createFile(daemon.pidFile()));
          } catch (Exception failure) {
            throw new AssertionError(failure);
          }
          daemons.daemon("exec tail -f /dev/null").start(daemon);
        };

    assertThatThrownBy(() -> daemons.control().start(late)).isInstanceOf(LockHeldException.class);
    assertThat(daemons.running("tail")).isEmpty();
    assertThat(daemons.pidFile()).isEmptyFile();
  }

  @Test
  void aPidFileThatIsReplacedMeanwhileUndoesTheStart() throws Exception {
    StartSpec daemon =
        StartSpec.program(
            () -> {
              try {
                Files.delete(daemons.pidFile());
                Files.writeString(daemons.pidFile(), "precious");
              } catch (IOException failure) {
                throw new UncheckedIOException(failure);
              }
              return daemons.shell("exec sleep 1000");
            },
            022);

    assertThatThrownBy(() -> daemons.control().start(daemon))
        .isInstanceOf(ControlException.class)
        .hasMessageContaining("was removed or replaced meanwhile");
    daemons.awaitEnd();
    assertThat(daemons.pidFile()).hasContent("precious");
  }

  @Test
  void theUmaskIsTheProgramsAlone() throws Exception {
    daemons
        .control()
        .start(StartSpec.program(() -> daemons.shell("umask >u; exec sleep 1000"), 027));

    Daemons.await(
        "the umask", () -> Files.exists(daemons.file("u")) && Files.size(daemons.file("u")) > 0);
    assertThat(daemons.file("u")).hasContent("0027");
  }

  /** Under the lock: the file that was checked before may be another one by then. */
  @ParameterizedTest
  @CsvSource({
    "'bind 127.0.0.1\n', is no pidfile: it holds something else than a process id",
    "LIVING, 'which runs, and nobody can show that it is not the daemon'"
  })
  void whatTheFileHasBecomeMeanwhileIsNotWrittenOver(String content, String reason)
      throws Exception {
    Process named = daemons.bystander("sleep", "1000");
    String text = content.replace("LIVING", named.pid() + "\n");
    StartSpec late =
        daemon -> {
          Files.writeString(daemon.pidFile(), text);
          try {
            daemons.daemon("exec tail -f /dev/null").start(daemon);
          } catch (InterruptedException impossible) {
            throw new AssertionError(impossible);
          }
        };

    assertThatThrownBy(() -> daemons.control().start(late)).hasMessageContaining(reason);
    assertThat(daemons.running("tail")).isEmpty();
    assertThat(daemons.pidFile()).hasContent(text);
    assertThat(daemons.processes()).hasSize(1);
  }

  /** What a start accepts, a stop must control. */
  @Test
  @Tag("root")
  void rootStartsNothingWhereItsStopWouldNotTrustThePidFile() throws Exception {
    Path theirs = Daemons.give(Files.createDirectory(daemons.file("run")), Daemons.NOBODY);
    DaemonControl control = DaemonControl.of(theirs.resolve("d.pid"));

    assertThatThrownBy(() -> control.start(daemons.daemon("exec sleep 1000")))
        .hasMessage(
            "%s would not be trusted: others than root may exchange it or a directory above it",
            control.pidFile());
    assertThat(theirs).isEmptyDirectory();
    assertThat(daemons.processes()).isEmpty();
  }

  /** A file that a user's daemon has left, when root starts one of its own. */
  @Test
  @Tag("root")
  void anotherUsersPidFileIsReplaced() throws Exception {
    Daemons.give(Files.writeString(daemons.pidFile(), "4194304\n"), Daemons.NOBODY);

    assertThat(daemons.control().start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.STALE);

    assertThat(daemons.control().status().state()).isEqualTo(State.RUNNING);
    assertThat(daemons.control().stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
  }

  private StartSpec self(String script, Duration patience) {
    return StartSpec.self(() -> daemons.shell(script), patience);
  }

  @Test
  void aProgramThatDaemonizesItselfIsThereWhenItsPidFileIsLocked() throws Exception {
    StartSpec daemon =
        self("setsid flock -n d.pid sh -c 'echo $$ >d.pid; exec sleep 1000' & exit 0", LATE);

    assertThat(daemons.control().start(daemon)).isEqualTo(Outcome.OK);

    assertThat(daemons.control().status().state()).isEqualTo(State.RUNNING);
    assertThat(daemons.control().start(daemon)).isEqualTo(Outcome.ALREADY_DONE);
    assertThat(daemons.control().stop(StopPolicy.DEFAULT.ofWholeSession()).outcome())
        .isEqualTo(Outcome.OK);
    daemons.awaitEnd();
  }

  @ParameterizedTest
  @CsvSource({"exit 3, exit code 3", "kill -9 $$, SIGKILL"})
  void aProgramThatFailsIsAnError(String script, String how) throws Exception {
    assertThatThrownBy(() -> daemons.control().start(self(script, LATE)))
        .isInstanceOfSatisfying(
            ControlException.class,
            failure -> assertThat(failure.reason()).isEqualTo(Reason.NOT_STARTED))
        .hasMessageMatching("/bin/sh, process [0-9]+ has failed: " + how);
  }

  @Test
  void aProgramThatStartsNoDaemonIsAnError() throws Exception {
    assertThatThrownBy(() -> daemons.control().start(self("exit 0", SOON)))
        .isInstanceOf(ControlException.class)
        .hasMessageMatching(
            "/bin/sh, process [0-9]+ has ended with exit code 0, but after 0.3 s no"
                + " daemon can be shown to run: there is no "
                + daemons.pidFile());
    assertThat(Daemons.isListedAsLocked(Guard.beside(daemons.pidFile()))).isFalse();
  }

  @Test
  void aDaemonThatLocksNothingIsToldOfSoonAndAcceptedByItsId() throws Exception {
    StartSpec nginx = self("sleep 1000 & echo $! >d.pid; exit 0", LATE);

    assertThatThrownBy(() -> daemons.control().start(nginx))
        .isInstanceOfSatisfying(
            ControlException.class,
            failure -> assertThat(failure.reason()).isEqualTo(Reason.NOT_STARTED))
        .hasMessageMatching(
            "/bin/sh, process [0-9]+ has ended with exit code 0, and process [0-9]+ \\(sleep\\) runs"
                + " and is named by "
                + daemons.pidFile()
                + ", but has not locked it: control it with --pid-only, and start it with --self"
                + " --pid-only");
    assertThat(daemons.control().pidOnly().stop(StopPolicy.DEFAULT).outcome())
        .isEqualTo(Outcome.OK);

    assertThat(daemons.control().pidOnly().start(nginx)).isEqualTo(Outcome.OK);
  }

  /** As of a program that sets the umask to 0. */
  @Test
  @Tag("root")
  void aPidfileThatOthersMayWriteIsToldOfAndItsIdIsNotBelieved() throws Exception {
    StartSpec open = self("umask 0; sleep 1000 & echo $! >d.pid; exit 0", LATE);

    assertThatThrownBy(() -> daemons.control().pidOnly().start(open))
        .hasMessageContaining("has ended with exit code 0, and " + daemons.pidFile() + " names ")
        .hasMessageEndingWith("type chmod go-w " + daemons.pidFile());

    Files.setPosixFilePermissions(daemons.pidFile(), PosixFilePermissions.fromString("rw-r--r--"));
    assertThat(daemons.control().pidOnly().stop(StopPolicy.DEFAULT).outcome())
        .isEqualTo(Outcome.OK);
  }

  @Test
  void aDaemonMayLockItsPidFileAMomentAfterItHasWrittenIt() throws Exception {
    StartSpec late =
        self(
            "setsid sh -c 'echo $$ >d.pid; sleep 0.3; exec flock -F d.pid sleep 1000' & exit",
            LATE);

    assertThat(daemons.control().start(late)).isEqualTo(Outcome.OK);
    assertThat(daemons.control().status().state()).isEqualTo(State.RUNNING);
  }

  @Test
  void aProgramThatDoesNotEndIsKilled() throws Exception {
    assertThatThrownBy(() -> daemons.control().start(self("exec sleep 1000", SOON)))
        .isInstanceOf(ControlException.class)
        .hasMessageContaining("did not end within 0.3 s, and was killed");
    // Reaped, too: a zombie would be a child of this JVM.
    assertThat(ProcessHandle.current().children().map(ProcessHandle::pid).toList())
        .allSatisfy(child -> assertThat(Daemons.status(child, "State")).doesNotStartWith("Z"));
    assertThat(daemons.processes()).isEmpty();
  }

  @Test
  void aStartThatIsInterruptedKillsTheProgram() throws Exception {
    Thread[] thread = new Thread[1];
    Future<Outcome> start =
        daemons.meanwhile(() -> {
          thread[0] = Thread.currentThread();
          return daemons.control().start(self("exec sleep 1000", LATE));
        });
    daemons.awaitProgram("sleep");
    thread[0].interrupt();

    assertThat(Daemons.failure(start)).isInstanceOf(InterruptedException.class);
    assertThat(daemons.processes()).isEmpty();
    assertThat(Daemons.isListedAsLocked(Guard.beside(daemons.pidFile()))).isFalse();
  }
}
