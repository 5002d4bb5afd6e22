package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a daemon leaves behind, and the end of its whole session. */
class SessionTest {
  private static final StopPolicy SOON = StopPolicy.of(Signal.TERM, Duration.ofMillis(200));

  private static final StopPolicy KILLING = SOON.then(Signal.KILL, Duration.ofSeconds(20));

  @RegisterExtension final Daemons daemons = new Daemons();

  /** As a wrapper script leaves the program behind. */
  @Test
  void childrenThatKeepTheLockGetTheSignalToo() throws Exception {
    daemons.start("sleep 1000 & exec tail -f /dev/null", "tail");
    daemons.awaitProgram("sleep");

    StopResult result = daemons.control().stop(StopPolicy.of(Signal.TERM, Duration.ofSeconds(20)));

    assertThat(result.signals()).containsExactly(Signal.TERM);
    assertThat(daemons.pidFile()).doesNotExist();
    daemons.awaitEnd();
  }

  @Test
  void childrenThatKeepTheLockAreKilledInTheEnd() throws Exception {
    daemons.start("(trap '' TERM; while :; do sleep 0.05; done) & exec tail -f /dev/null", "tail");
    daemons.awaitProgram("sleep");

    assertThat(daemons.control().stop(KILLING).killed()).isTrue();

    assertThat(daemons.pidFile()).doesNotExist();
    Daemons.await("the lock", () -> !Daemons.isListedAsLocked(daemons.pidFile()));
  }

  @Test
  void childrenThatHaveClosedTheLockGoOn() throws Exception {
    daemons.start("(" + Daemons.CLOSES_ALL + ") & sleep 2000 & exec tail -f /dev/null", "tail");
    Daemons.await("two children", () -> daemons.running("sleep").size() == 2);

    daemons.control().stop(StopPolicy.of(Signal.TERM, Duration.ofSeconds(20)));

    assertThat(daemons.pidFile()).doesNotExist();
    assertThat(daemons.running("sleep")).hasSize(1);
  }

  /** A daemon that was killed; who holds its lock now, and what to say of that. */
  private String killed(String script) throws Exception {
    long pid = daemons.start(script, "tail");
    long child = daemons.awaitProgram("sleep");
    Daemons.kill(pid);
    return "process %d has ended, but %s is still locked by process %d (sleep)"
        .formatted(pid, daemons.pidFile(), child);
  }

  @Test
  void whatAKilledDaemonHasLeftIsNamedAndEndsWithItsSession() throws Exception {
    String left = killed("sh -c 'sleep 1000 & exec sleep 2000 >&-' & exec tail -f /dev/null");
    Daemons.await("two children", () -> daemons.running("sleep").size() == 2);
    for (DaemonControl control : List.of(daemons.control(), daemons.control().pidOnly())) {
      assertThatThrownBy(() -> control.stop(StopPolicy.DEFAULT))
          .isInstanceOfSatisfying(
              ControlException.class,
              failure -> assertThat(failure.reason()).isEqualTo(Reason.UNKNOWN))
          .hasMessageStartingWith(left.substring(0, left.indexOf("locked by")))
          .hasMessageEndingWith(
              "; to end what is left of its session: daimon stop --session -p "
                  + daemons.pidFile());
    }

    StopResult result = daemons.control().stop(StopPolicy.DEFAULT.ofWholeSession());

    assertThat(result.outcome()).isEqualTo(Outcome.OK);
    assertThat(result.signals()).containsExactly(Signal.TERM);
    assertThat(daemons.pidFile()).doesNotExist();
    daemons.awaitEnd();
  }

  /** They have closed the lock; the one that has not shows that the session is the daemon's. */
  @Test
  void everybodyOfThatSessionEnds() throws Exception {
    killed(
        "for i in 1 2 3; do ("
            + Daemons.CLOSES_ALL
            + ") & done; sleep 1000 & exec tail -f /dev/null");
    Daemons.await("four children", () -> daemons.running("sleep").size() == 4);

    daemons.control().stop(StopPolicy.DEFAULT.ofWholeSession());

    daemons.awaitEnd();
  }

  @Test
  void aRestartGetsOutOfItToo() throws Exception {
    killed("sleep 1000 & exec tail -f /dev/null");

    assertThat(
            daemons
                .control()
                .restart(
                    daemons.daemon("exec tail -f /dev/null"), StopPolicy.DEFAULT.ofWholeSession()))
        .isEqualTo(Outcome.OK);

    assertThat(daemons.control().status().state()).isEqualTo(State.RUNNING);
    assertThat(daemons.running("sleep")).isEmpty();
  }

  @Test
  void aDaemonThatHasEmptiedItsPidFileBeforeIsKnownByItsStart() throws Exception {
    killed("sleep 1000 & exec tail -f /dev/null");
    Files.writeString(daemons.pidFile(), "");

    daemons.control().stop(StopPolicy.DEFAULT.ofWholeSession());

    assertThat(daemons.pidFile()).doesNotExist();
    daemons.awaitEnd();
  }

  /** This JVM has taken the lock, and leads no session: nobody shows whose the child is. */
  @ParameterizedTest
  @ValueSource(strings = {"", "5 6 7\n"})
  void withoutARecordOfTheStartNobodyIsStopped(String guard) throws Exception {
    String left = killed("sleep 1000 & exec tail -f /dev/null");
    Files.writeString(Guard.beside(daemons.pidFile()), guard);
    for (StopPolicy policy : List.of(StopPolicy.DEFAULT, StopPolicy.DEFAULT.ofWholeSession())) {
      assertThatThrownBy(() -> daemons.control().stop(policy))
          .hasMessageStartingWith(left + ", which cannot be shown to be of the daemon's session");
    }
    assertThat(daemons.running("sleep")).hasSize(1);
  }

  /** As {@code daimon start} does, whose launcher leads the session. */
  @Test
  void theLeaderThatHasTakenTheLockShowsWhoseTheSessionIs() throws Exception {
    Files.createFile(daemons.pidFile());
    daemons
        .prepare(
            List.of(
                "setsid",
                "flock",
                "--no-fork",
                daemons.pidFile().toString(),
                "sh",
                "-c",
                "sleep 2000 & echo $! >d.pid; sleep 1000 &"),
            Map.of())
        .start()
        .waitFor();
    Daemons.await("two children", () -> daemons.running("sleep").size() == 2);
    Daemons.kill(Daemons.pid(daemons.pidFile()));

    daemons.control().stop(StopPolicy.DEFAULT.ofWholeSession());

    assertThat(daemons.pidFile()).doesNotExist();
    daemons.awaitEnd();
  }

  @Test
  void aForeignProcessThatHasTakenTheLockIsNotStopped() throws Exception {
    Daemons.kill(daemons.start("exec tail -f /dev/null", "tail"));
    Process other = daemons.locker(daemons.pidFile(), "setsid");

    for (StopPolicy policy : List.of(StopPolicy.DEFAULT, StopPolicy.DEFAULT.ofWholeSession())) {
      assertThatThrownBy(() -> daemons.control().stop(policy))
          .hasMessageContaining(
              "is still locked by process %d (sleep), which cannot be shown to be of the daemon's"
                  + " session",
              other.pid());
    }
    assertThat(other.isAlive()).isTrue();
  }

  /** Who may read a file may lock it, and leave the lock to whomever it has started. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Tag("root")
  void aSessionWithAForeignLeaderIsNotStopped(boolean recorded) throws Exception {
    Daemons.kill(daemons.start("exec tail -f /dev/null", "tail"));
    if (!recorded) {
      Files.delete(Guard.beside(daemons.pidFile()));
    }
    String uid = Integer.toString(Daemons.NOBODY);
    daemons
        .prepare(
            List.of(
                "setpriv",
                "--reuid",
                uid,
                "--clear-groups",
                "setsid",
                "flock",
                "d.pid",
                "-c",
                "sleep 1000 &"),
            Map.of())
        .start()
        .waitFor();

    assertThatThrownBy(() -> daemons.control().stop(StopPolicy.DEFAULT.ofWholeSession()))
        .hasMessageContaining("cannot be shown to be of the daemon's session");
    assertThat(daemons.running("sleep")).hasSize(1);
  }

  @Test
  @Tag("root")
  void aUsersPidFileSpeaksForThatUsersProcessesOnly() throws Exception {
    killed("sleep 1000 & exec tail -f /dev/null");
    Daemons.give(daemons.pidFile(), Daemons.NOBODY);

    assertThatThrownBy(() -> daemons.control().stop(StopPolicy.DEFAULT.ofWholeSession()))
        .hasMessageContaining("cannot be shown");
    assertThat(daemons.running("sleep")).hasSize(1);
  }

  /** As {@code daimon run} starts it. */
  @Test
  void theSessionOfALeaderThatRunsIsSpared() throws Exception {
    Process leader = inSession("echo $! >d.pid; wait");
    long daemon = daemons.awaitProgram("sleep");

    assertThatThrownBy(() -> daemons.control().stop(StopPolicy.DEFAULT.ofWholeSession()))
        .isInstanceOfSatisfying(
            ControlException.class,
            failure -> assertThat(failure.reason()).isEqualTo(Reason.UNKNOWN))
        .hasMessage(
            "process %d is in the session of the running process %d (sh), which is not the"
                + " daemon's alone; to stop it without its session: daimon stop -p %s",
            daemon, leader.pid(), daemons.pidFile());
    assertThat(ProcessHandle.of(daemon)).isPresent();
    assertThat(daemons.control().stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
    assertThat(leader.waitFor()).isZero();
  }

  /** The shell that has run it is gone, and others of its jobs may be there still. */
  @Test
  void aSessionThatWasOthersIsSpared() throws Exception {
    Process leader = inSession("echo $! >d.pid; sleep 2000 &");
    leader.waitFor();
    Daemons.await("two", () -> daemons.running("sleep").size() == 2);
    long pid = Daemons.pid(daemons.pidFile());
    Files.write(
        Guard.beside(daemons.pidFile()),
        new StartRecord(pid, Daemons.stat(pid, 22), /* session= */ 0, /* modified= */ 0).line());

    assertThatThrownBy(() -> daemons.control().stop(StopPolicy.DEFAULT.ofWholeSession()))
        .hasMessageContaining("was started in the session of others");
    assertThat(daemons.running("sleep")).hasSize(2);
  }

  private Process inSession(String then) throws Exception {
    Files.createFile(daemons.pidFile());
    Process leader =
        daemons
            .prepare(
                List.of("setsid", "sh", "-c", "flock --no-fork d.pid sleep 1000 & " + then),
                Map.of())
            .start();
    daemons.awaitProgram("sleep");
    return leader;
  }

  @Test
  void childrenThatGoSoonAreWaitedFor() throws Exception {
    daemons.start("sleep 0.2 & exec tail -f /dev/null", "tail");

    assertThat(daemons.control().stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
    assertThat(daemons.pidFile()).doesNotExist();
    assertThat(daemons.running("sleep")).isEmpty();
  }

  @Test
  void theWholeSessionEnds() throws Exception {
    daemons.start(
        "sleep 1000 & sh -c 'sleep 2000 & exec sleep 3000' & exec tail -f /dev/null", "tail");
    Daemons.await("three children", () -> daemons.running("sleep").size() == 3);

    daemons.control().stop(StopPolicy.DEFAULT.ofWholeSession());

    assertThat(daemons.pidFile()).doesNotExist();
    daemons.awaitEnd();
  }

  /**
   * It forks when it is told to end, and is gone at once: nobody of the session is left but that.
   */
  @Test
  void whatIsForkedDuringTheStopEndsToo() throws Exception {
    for (int i = 0; i < 20; i++) {
      daemons.start(
          "trap 'sleep 1000 & sleep 2000 & exit' TERM; while :; do sleep 0.01; done", "sh");
      daemons.awaitProgram("sleep");

      // A shell that has forked, and not yet executed its program, swallows a TERM.
      daemons.control().stop(KILLING.ofWholeSession());

      assertThat(daemons.pidFile()).doesNotExist();
      daemons.awaitEnd();
    }
  }

  /** Whoever is in the session gets the same escalation. */
  @Test
  void aStubbornChildIsKilled() throws Exception {
    daemons.start("(trap '' TERM; while :; do sleep 0.05; done) & exec tail -f /dev/null", "tail");
    daemons.awaitProgram("sleep");

    StopResult result = daemons.control().stop(KILLING.ofWholeSession());

    assertThat(result.killed()).isTrue();
    daemons.awaitEnd();
  }

  @Test
  void whoHasLeftTheSessionStays() throws Exception {
    daemons.start("setsid sleep 1000 >&- & exec 9>&-; exec tail -f /dev/null", "tail");
    long gone = daemons.awaitProgram("sleep");

    assertThatThrownBy(() -> daemons.control().stop(KILLING.ofWholeSession()))
        .hasMessageContaining("is still locked by process " + gone + " (sleep)");
    assertThat(ProcessHandle.of(gone)).isPresent();
  }

  @Test
  void theControllersOwnSessionIsSpared() throws Exception {
    assertThat(stopOfTheOwnSession("setsid", "--wait"))
        .matches("UNKNOWN: process [0-9]+ is in this very session, which .*\nspared");
  }

  /**
   * All sessions of the outer namespace read as 0, so that one is not told from the other. So does
   * that of an init that leads none, and of whatever it runs.
   */
  @Test
  @Tag("root")
  void aSessionOfAnotherPidNamespaceIsSpared() throws Exception {
    assertThat(stopOfTheOwnSession("unshare", "--pid", "--fork", "--mount-proc"))
        .matches(
            "UNKNOWN: process [0-9]+ is in a session without a leader in this PID namespace, .*\n"
                + "spared");
  }

  /** What a controller of its own session says, and whether the daemon is there still. */
  private String stopOfTheOwnSession(String... startedBy) throws Exception {
    String script =
        "flock --no-fork \"$0\" sleep 1000 & echo $! >\"$0\";"
            + " while flock --nonblock \"$0\" true; do :; done;"
            + " \"$@\"; kill $! && echo spared";

    return ChildJvm.of(Ask.class)
        .startedBy(startedBy)
        .startedBy("sh", "-c", script, daemons.pidFile().toString())
        .option("-XX:-UsePerfData")
        .run("stop session", daemons.pidFile())
        .output();
  }
}
