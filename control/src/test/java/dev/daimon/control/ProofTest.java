package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Nobody is signalled who was not shown to be the daemon, whatever the pidfile says. */
@Tag("attack")
class ProofTest {
  @RegisterExtension final Daemons daemons = new Daemons();

  @Test
  void aPidFileThatItsDaemonHasRewrittenIsRefused() throws Exception {
    long pid = daemons.start("exec sleep 1000", "sleep");
    // Process 1 would do as well, and would not thank us for a failure.
    Process victim = daemons.bystander("tail", "-f", "/dev/null");
    daemons.name(victim.pid());

    assertRefused(
        daemons.control(),
        "%s names process %d, but is locked by process %d (sleep)"
            .formatted(daemons.pidFile(), victim.pid(), pid));
    assertThat(victim.isAlive()).isTrue();
    assertThat(daemons.running("sleep")).hasSize(1);
  }

  @Test
  void aForeignHolderOfTheLockMakesNoProcessTheDaemon() throws Exception {
    Process named = daemons.bystander("tail", "-f", "/dev/null");
    daemons.name(named.pid());
    Process other = daemons.locker(daemons.pidFile());

    assertRefused(
        daemons.control(),
        "%s names process %d, but is locked by process %d (sleep)"
            .formatted(daemons.pidFile(), named.pid(), other.pid()));
    assertThat(named.isAlive()).isTrue();
    assertThat(other.isAlive()).isTrue();
  }

  @Test
  void childrenThatHoldTheLockAreNotTheDaemon() throws Exception {
    long pid = daemons.start("sleep 1000 & exec tail -f /dev/null", "tail");
    long child = daemons.awaitProgram("sleep");
    Daemons.kill(pid);
    // With the record of the start they are shown to be of the daemon's session.
    Files.delete(Guard.beside(daemons.pidFile()));

    assertRefused(
        daemons.control(),
        "process %d has ended, but %s is still locked by process %d (sleep)"
            .formatted(pid, daemons.pidFile(), child));
    assertThat(ProcessHandle.of(child)).isPresent();
  }

  @Test
  void aProcessThatHasLockedNothingIsNotTheDaemon() throws Exception {
    Process named = daemons.bystander("sleep", "1000");
    daemons.name(named.pid());

    assertRefused(
        daemons.control(),
        "%s names process %d (sleep), which runs, ".formatted(daemons.pidFile(), named.pid()));
    assertThat(named.isAlive()).isTrue();
  }

  /** That it has the file open is no lock. */
  @Test
  void aReaderOfTheFileIsNotTheDaemon() throws Exception {
    Process locker = daemons.locker(Files.createFile(daemons.pidFile()));
    Process reader = daemons.bystander("tail", "-f", daemons.pidFile().toString(), "/dev/null");
    daemons.name(reader.pid());

    assertRefused(
        daemons.control(),
        "%s names process %d, but is locked by process %d (sleep)"
            .formatted(daemons.pidFile(), reader.pid(), locker.pid()));
  }

  /** A user may write any id into his file, and hand the locked file to a program of root's. */
  @Test
  @Tag("root")
  void aUsersPidFileCannotPointAtAnotherUsersProcess() throws Exception {
    Process victim = daemons.locker(Files.createFile(daemons.pidFile()));
    Daemons.give(daemons.name(victim.pid()), Daemons.NOBODY);

    assertRefused(
        daemons.control(),
        "%s belongs to user 65534, but process %d (sleep) to user 0"
            .formatted(daemons.pidFile(), victim.pid()));
    assertThat(victim.isAlive()).isTrue();
  }

  /** What makes that file worth the more care. */
  @Test
  @Tag("root")
  void aUsersPidFileCannotPointAtAnotherUsersProcessIfTheIdIsEnough() throws Exception {
    Process victim = daemons.bystander("sleep", "1000");
    Daemons.give(daemons.name(victim.pid()), Daemons.NOBODY);

    DaemonControl control = daemons.control().pidOnly();
    String why =
        "%s belongs to user 65534, but process %d (sleep) to user 0"
            .formatted(daemons.pidFile(), victim.pid());
    assertThat(control.status().reason()).isEqualTo(why);
    assertThatThrownBy(() -> control.stop(StopPolicy.DEFAULT)).hasMessage(why);
    assertThatThrownBy(control::reload).hasMessage(why);
    // It is another one than the daemon, so that nothing is in the way of a start.
    assertThat(control.start(daemons.daemon("exec tail -f /dev/null"))).isEqualTo(Outcome.OK);
    assertThat(daemons.control().stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
    assertThat(victim.isAlive()).isTrue();
  }

  /** Whoever may write to the file chooses the id. */
  @ParameterizedTest
  @CsvSource({"0, rw-rw-rw-", "0, rw-rw----", "65534, rw-r--rw-"})
  @Tag("root")
  void rootBelievesNoIdThatOthersMayHaveWritten(int owner, String mode) throws Exception {
    Process victim =
        owner == 0
            ? daemons.bystander("sleep", "1000")
            : daemons.bystander(
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sleep", "1000");
    Daemons.give(daemons.name(victim.pid()), owner);
    Files.setPosixFilePermissions(daemons.pidFile(), PosixFilePermissions.fromString(mode));
    DaemonControl control = daemons.control().pidOnly();
    String which =
        "%s names process %d (sleep), which runs, ".formatted(daemons.pidFile(), victim.pid());

    assertRefused(control, which);
    assertThatThrownBy(() -> control.signal(Signal.KILL))
        .hasMessage(
            which
                + "but others than its owner may write to the file: if it is the daemon, type chmod"
                + " go-w "
                + daemons.pidFile());
    assertThat(victim.isAlive()).isTrue();

    Files.setPosixFilePermissions(daemons.pidFile(), PosixFilePermissions.fromString("rw-r--r--"));
    assertThat(control.stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
  }

  /** As one that delivers mail: root's, with the effective user of whom it works for. */
  @Test
  @Tag("root")
  void aUsersPidFileCannotPointAtAProcessThatTheUserMayNotSignal() throws Exception {
    Path file = Daemons.give(Files.createFile(daemons.pidFile()), Daemons.NOBODY);
    Process victim =
        daemons
            .prepare(
                List.of(
                    "perl",
                    "-e",
                    "open(F, '<', $ARGV[0]); flock(F, 2); $> = 65534; sleep 1000",
                    file.toString()),
                Map.of())
            .start();
    daemons.name(victim.pid());
    Daemons.await(
        "its user", () -> Daemons.status(victim.pid(), "Uid").startsWith("0\t65534\t0\t"));
    String why =
        "%s belongs to user 65534, but process %d (perl) to user 0".formatted(file, victim.pid());

    for (DaemonControl control : List.of(daemons.control(), daemons.control().pidOnly())) {
      assertThat(control.status().reason()).isEqualTo(why);
      assertThatThrownBy(() -> control.stop(StopPolicy.DEFAULT)).hasMessage(why);
      assertThatThrownBy(() -> control.stop(StopPolicy.DEFAULT.ofWholeSession())).hasMessage(why);
      assertThatThrownBy(() -> control.signal(Signal.KILL)).hasMessage(why);
    }
    assertThat(victim.isAlive()).isTrue();
  }

  @Test
  @Tag("root")
  void aUsersDaemonIsStoppedByRootAndByTheUser() throws Exception {
    Daemons.give(daemons.directory(), Daemons.NOBODY);
    for (boolean byRoot : List.of(true, false)) {
      Daemons.give(Files.createFile(daemons.pidFile()), Daemons.NOBODY);
      Process process =
          daemons.locker(daemons.pidFile(), ChildJvm.AS_NOBODY.toArray(String[]::new));
      daemons.name(process.pid());

      if (byRoot) {
        assertThat(daemons.control().stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
      } else {
        // Root's guard is not the user's to open.
        assertThat(daemons.asNobody("stop")).isEqualTo("OK");
      }
      assertThat(process.waitFor()).isEqualTo(128 + 15);
      assertThat(daemons.pidFile()).doesNotExist();
    }
  }

  /** With {@code --pidfile-owner root}: the file is root's, and the daemon has it open. */
  @Test
  @Tag("root")
  void aUsersDaemonCannotPointRootsPidfileAtAnotherUsersProcess() throws Exception {
    long pid =
        daemons.start(
            "exec setpriv --reuid 65534 --clear-groups "
                + Daemons.CLOSES_ALL.substring("exec ".length()),
            "sleep");
    Daemons.await("the lock to go", () -> !Daemons.isListedAsLocked(daemons.pidFile()));
    Process victim = daemons.bystander("sleep", "1000");
    DaemonControl control = daemons.control().pidOnly();
    daemons.name(victim.pid());

    assertThatThrownBy(() -> control.stop(StopPolicy.DEFAULT))
        .hasMessageEndingWith("but the daemon that was started last runs, as another user");
    assertThat(victim.isAlive()).isTrue();

    daemons.name(pid);
    assertThat(control.stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
  }

  /** Nor before the start is recorded: the process that was started is, whatever the file says. */
  @Test
  @Tag("root")
  void norBeforeTheStartIsRecorded() throws Exception {
    Process victim = daemons.bystander("tail", "-f", "/dev/null");
    StartSpec daemon =
        daemons.daemon(
            "exec setpriv --reuid 65534 --clear-groups "
                + Daemons.CLOSES_ALL.substring("exec ".length()));
    StartSpec rewritten =
        controlled -> {
          daemon.start(controlled);
          daemons.name(victim.pid());
        };
    daemons.control().start(rewritten);
    long pid = daemons.awaitProgram("sleep");
    Daemons.await("the lock to go", () -> !Daemons.isListedAsLocked(daemons.pidFile()));
    DaemonControl control = daemons.control().pidOnly();

    assertThatThrownBy(() -> control.stop(StopPolicy.DEFAULT))
        .hasMessageEndingWith("but the daemon that was started last runs, as another user");
    assertThat(victim.isAlive()).isTrue();

    daemons.name(pid);
    assertThat(control.stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
  }

  /** Nor if that process holds the lock: it may have been handed the open file. */
  @Test
  @Tag("root")
  @Tag("attack")
  void norAtOneThatItHasHandedTheLockedFile() throws Exception {
    long pid =
        daemons.start(
            "tail -f /dev/null & exec setpriv --reuid 65534 --clear-groups sleep 1000", "sleep");
    long victim = daemons.awaitProgram("tail");
    daemons.name(victim);

    for (DaemonControl control : List.of(daemons.control(), daemons.control().pidOnly())) {
      assertThatThrownBy(() -> control.stop(StopPolicy.DEFAULT))
          .hasMessageEndingWith("but the daemon that was started last runs, as another user");
      assertThatThrownBy(() -> control.signal(Signal.KILL)).isInstanceOf(ControlException.class);
    }
    assertThat(ProcessHandle.of(victim)).isPresent();

    daemons.name(pid);
    assertThat(daemons.control().stop(StopPolicy.DEFAULT.ofWholeSession()).outcome())
        .isEqualTo(Outcome.OK);
  }

  /** As in most containers: root may not examine other users' processes. */
  @ParameterizedTest
  @ValueSource(strings = {"stop", "stop session"})
  @Tag("root")
  void aUsersDaemonIsStoppedByRootWithoutTheRightToTrace(String action) throws Exception {
    Daemons.give(Files.createFile(daemons.pidFile()), Daemons.NOBODY);
    // tail ends when its output is a pipe that nobody reads, as this JVM's after the parent's end.
    String children = "tail -f /dev/null >/dev/null & exec sleep 1000";
    List<String> command = new ArrayList<>(List.of("setsid"));
    command.addAll(ChildJvm.AS_NOBODY);
    command.addAll(List.of("flock", "--no-fork", "d.pid", "sh", "-c", children));
    Process process = daemons.bystander(command.toArray(String[]::new));
    daemons.name(process.pid());
    long child = daemons.awaitProgram("tail");
    if (action.equals("stop session")) {
      Daemons.kill(process.pid());
    }

    assertThat(
            ChildJvm.of(Ask.class)
                .startedBy("setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace")
                .run(action, daemons.pidFile())
                .output())
        .isEqualTo("OK");
    assertThat(process.waitFor()).isGreaterThan(128);
    Daemons.await("the end of " + child, () -> daemons.running("tail").isEmpty());
  }

  private void assertRefused(DaemonControl control, String why) throws Exception {
    List<Attempt> actions =
        List.of(
            () -> control.stop(StopPolicy.DEFAULT),
            () -> control.stop(StopPolicy.DEFAULT.ofWholeSession()),
            control::reload,
            () -> control.start(daemons.daemon("exec sleep 1000")),
            () -> control.restart(daemons.daemon("exec sleep 1000"), StopPolicy.DEFAULT));
    String content = Files.readString(daemons.pidFile());
    for (Attempt action : actions) {
      try {
        throw new AssertionError("it has returned " + action.run());
      } catch (ControlException refused) {
        assertThat(refused).hasMessageStartingWith(why);
        assertThat(refused.reason()).isEqualTo(Reason.UNKNOWN);
      }
    }
    assertThat(control.status().state()).isEqualTo(DaemonStatus.State.UNKNOWN);
    assertThat(control.status().reason()).startsWith(why);
    if (control.status().holders().isEmpty()) {
      return;
    }
    assertThat(control.awaitStop(Duration.ofMillis(50))).isFalse();
    assertThat(daemons.pidFile()).hasContent(content);
  }

  private interface Attempt {
    Object run() throws Exception;
  }
}
