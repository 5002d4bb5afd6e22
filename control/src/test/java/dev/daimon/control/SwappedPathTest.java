package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A path that leads through a directory of somebody who would like root to follow it. */
@Tag("root")
@Tag("attack")
class SwappedPathTest {
  @RegisterExtension final Daemons daemons = new Daemons();

  /** A directory of nobody's in which a link leads to root's. */
  private DaemonControl trap() throws Exception {
    Path lair = Daemons.give(Files.createDirectory(daemons.file("lair")), Daemons.NOBODY);
    Path link = Files.createSymbolicLink(lair.resolve("run"), daemons.directory());
    return DaemonControl.of(link.resolve("d.pid"));
  }

  @Test
  void rootsDaemonBehindALinkOfSomebodyElsesIsNotSignalled() throws Exception {
    daemons.start("exec sleep 1000", "sleep");
    DaemonControl trap = trap();

    assertThat(trap.status().state()).isEqualTo(State.RUNNING);
    assertThatThrownBy(() -> trap.signal(Signal.TERM)).hasMessageContaining("may exchange it");
    assertThatThrownBy(() -> trap.stop(StopPolicy.DEFAULT)).hasMessageContaining("may exchange it");

    assertThat(daemons.control().stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
  }

  /** Whoever owns a directory can move what is in it, also root's file, to where all may write. */
  @Test
  void rootsPidfileThatAUserHasMovedIntoASharedDirectoryIsNotBelieved() throws Exception {
    long pid = daemons.start("exec sleep 1000", "sleep");
    Path lair = Daemons.give(Files.createDirectory(daemons.file("lair")), Daemons.NOBODY);
    Path moved = shared().resolve("b.pid");
    daemons.awaitClockOf(daemons.pidFile());
    Files.move(daemons.pidFile(), lair.resolve("a.pid"));
    List<String> move = new ArrayList<>(ChildJvm.AS_NOBODY);
    move.addAll(List.of("mv", lair + "/a.pid", moved.toString()));
    Command.run(move.toArray(String[]::new));

    for (DaemonControl control :
        List.of(DaemonControl.of(moved), DaemonControl.of(moved).pidOnly())) {
      assertThat(control.status().state()).isEqualTo(State.RUNNING);
      assertThatThrownBy(() -> control.signal(Signal.TERM)).hasMessageContaining("been moved");
      assertThatThrownBy(() -> control.stop(StopPolicy.DEFAULT)).hasMessageContaining("been moved");
    }

    assertThat(ProcessHandle.of(pid)).isPresent();
    assertThat(moved).exists();
  }

  @Test
  void aPidfileThatWasWrittenInASharedDirectoryIsBelieved() throws Exception {
    DaemonControl control = DaemonControl.of(shared().resolve("b.pid"));

    for (int i = 0; i < 20; i++) {
      assertThat(control.start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.OK);
      assertThat(control.signal(Signal.CONT)).isEqualTo(Outcome.OK);
      assertThat(control.stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
    }
  }

  /** As {@code /tmp} is. */
  private Path shared() throws Exception {
    Path directory = Files.createDirectory(daemons.file("shared"));
    Command.run("chmod", "1777", directory.toString());
    return directory;
  }

  @Test
  void nothingIsMadeBehindALinkOfSomebodyElses() throws Exception {
    DaemonControl trap = trap();
    FileTime before = Files.getLastModifiedTime(daemons.directory());
    daemons.awaitClockOf(Files.createFile(daemons.file("lair/now")));

    assertThatThrownBy(() -> trap.start(daemons.daemon("exec sleep 1000")))
        .hasMessageContaining("is not opened as root");

    assertThat(Files.getLastModifiedTime(daemons.directory())).isEqualTo(before);
    assertThat(daemons.processes()).isEmpty();
  }

  @Test
  void rootsFilesBehindALinkOfSomebodyElsesAreNotRemoved() throws Exception {
    DaemonControl trap = trap();
    for (String content : List.of("", "4194304\n")) {
      Files.writeString(daemons.pidFile(), content);

      assertThatThrownBy(() -> trap.stop(StopPolicy.DEFAULT))
          .isInstanceOf(ControlException.class)
          .hasMessageContaining("may exchange it");

      assertThat(daemons.pidFile()).hasContent(content);
    }
  }

  @Test
  void whatIsAUsersInTheUsersDirectoryIsRemoved() throws Exception {
    Path lair = Daemons.give(Files.createDirectory(daemons.file("lair")), Daemons.NOBODY);
    Path pidFile = Files.writeString(lair.resolve("d.pid"), "4194304\n");
    Daemons.give(pidFile, Daemons.NOBODY);

    assertThat(DaemonControl.of(pidFile).stop(StopPolicy.DEFAULT).outcome())
        .isEqualTo(Outcome.STALE);

    assertThat(pidFile).doesNotExist();
  }

  /** As that user, who may not remove it there: root would, wherever the path leads by then. */
  @Test
  void whatTheUserMayNotRemoveIsEmptied() throws Exception {
    Path lair = Daemons.give(Files.createDirectory(daemons.file("lair")), Daemons.NOBODY);
    Path pidFile = Files.writeString(lair.resolve("d.pid"), "4194304\n");
    Daemons.give(pidFile, Daemons.NOBODY);
    Daemons.openToAll(lair, "r-xr-xr-x");

    assertThat(DaemonControl.of(pidFile).stop(StopPolicy.DEFAULT).outcome())
        .isEqualTo(Outcome.STALE);

    assertThat(pidFile).isEmptyFile();
  }

  @Test
  void aUsersPidfileEndsOnlyThatUsersProcessesOfTheSession() throws Exception {
    Path pidFile = Daemons.give(Files.createFile(daemons.pidFile()), Daemons.NOBODY);
    Process daemon =
        daemons.bystander(
            "setsid",
            "flock",
            "--no-fork",
            "d.pid",
            "sh",
            "-c",
            "tail -f /dev/null 3>&- & exec setpriv --reuid %d --clear-groups sleep 1000"
                .formatted(Daemons.NOBODY));
    daemons.name(daemon.pid());
    long roots = daemons.awaitProgram("tail");

    assertThat(DaemonControl.of(pidFile).stop(StopPolicy.DEFAULT.ofWholeSession()).outcome())
        .isEqualTo(Outcome.OK);

    assertThat(daemons.running("sleep")).isEmpty();
    assertThat(daemons.running("tail")).extracting(ProcessHandle::pid).containsExactly(roots);
  }

  /** Whoever may read the pidfile can wait for its lock. */
  @ParameterizedTest
  @CsvSource({"true, true", "true, false", "false, true", "false, false"})
  void aStrangerWhoGetsTheLockHoldsNothingUp(boolean everybodys, boolean itself) throws Exception {
    Path directory = everybodys ? shared() : Files.createDirectory(daemons.file("run"));
    Path pidFile = directory.resolve("d.pid");
    List<String> words = new ArrayList<>();
    DaemonControl control =
        DaemonControl.of(pidFile)
            .listener(
                new ActionListener() {
                  @Override
                  public void failedAfterwards(IOException failure) {
                    words.add(failure.getMessage());
                  }
                });
    Process other;
    do {
      assertThat(control.start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.OK);
      other = waitForLock(pidFile, itself);
      StopResult stop = control.stop(StopPolicy.of(Signal.TERM, Duration.ofMinutes(10)));
      assertThat(stop.outcome()).isEqualTo(Outcome.OK);
      // On a busy machine the stop may get the lock before the one who has waited for it.
    } while (everybodys && words.isEmpty() && !Files.exists(pidFile));

    if (everybodys) {
      assertThat(words).hasSize(1);
      assertThat(words.getFirst())
          .containsPattern(
              "locked by process " + other.pid() + " \\(\\w+\\); another user has taken");
      return;
    }
    assertThat(words).isEmpty();
    assertThat(pidFile).doesNotExist();
    assertThat(control.start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.OK);
    assertThat(control.status().state()).isEqualTo(State.RUNNING);
  }

  @Test
  void aStopWithoutTheGuardLeavesAPidfileThatAnotherUserHasLocked() throws Exception {
    Path directory = Files.createDirectory(daemons.file("run"));
    Path pidFile = directory.resolve("d.pid");
    Files.createDirectory(directory.resolve("d.guard"));
    DaemonControl control = DaemonControl.of(pidFile);

    // On a busy machine a stop may get the lock before the one who has waited for it.
    Daemons.await(
        "a pidfile that is left",
        () -> {
          assertThat(control.start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.OK);
          waitForLock(pidFile, /* itself= */ true);
          assertThat(control.stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
          return Files.exists(pidFile);
        });
  }

  /** Starts another user's process that waits for the lock, and returns it when it does. */
  private Process waitForLock(Path pidFile, boolean itself) throws Exception {
    List<String> command = new ArrayList<>(ChildJvm.AS_NOBODY);
    // By itself, or by a command that ends when it has got the lock.
    command.addAll(
        itself
            ? List.of("perl", "-e", "open(F, '<', $ARGV[0]); flock(F, 2); sleep 1000")
            : List.of("sh", "-c", "exec 9<$0; flock 9; exec tail -f /dev/null"));
    command.add(pidFile.toString());
    Process other = daemons.prepare(command, Map.of()).start();
    // For this file: other processes of the machine wait for locks, too.
    String waiting = "(?s).*-> FLOCK [^\\n]*:" + Files.getAttribute(pidFile, "unix:ino") + " .*";
    Daemons.await("the wait", () -> Files.readString(Path.of("/proc/locks")).matches(waiting));
    return other;
  }

  @Test
  void aStopWaitsForALockWhoseFileTheDaemonHasRemoved() throws Exception {
    daemons.start(
        "trap '' TERM; sleep 1000 & trap 'rm d.pid; exit' TERM; echo >ready; while :; do wait; done",
        "sh");
    Daemons.await("its trap", () -> Files.exists(daemons.file("ready")));
    StopPolicy soon = StopPolicy.of(Signal.TERM, Duration.ofSeconds(3));

    assertThatThrownBy(() -> daemons.control().stop(soon))
        .hasMessageContaining("is still locked by process")
        .hasMessageContaining("(sleep)");
  }
}
