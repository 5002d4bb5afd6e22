package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a daemon leaves behind, and the end of its whole session. */
class SessionTest {
  private static final StopPolicy SOON = StopPolicy.of(Signal.TERM, Duration.ofMillis(200));

  private static final StopPolicy KILLING = SOON.then(Signal.KILL, Duration.ofSeconds(20));

  @RegisterExtension final Daemons daemons = new Daemons();

  @Test
  void childrenThatKeepTheLockAreNamed() throws Exception {
    long pid = daemons.start("sleep 1000 & exec tail -f /dev/null", "tail");
    long child = daemons.awaitProgram("sleep");

    assertThatThrownBy(() -> daemons.control().stop(SOON))
        .isInstanceOfSatisfying(
            ControlException.class,
            failure -> assertThat(failure.reason()).isEqualTo(Reason.NOT_STOPPED))
        .hasMessage(
            "process %d has ended, but %s is still locked by process %d (sleep); if that is of its"
                + " session, stop the whole session next time",
            pid, daemons.pidFile(), child);
    assertThat(ProcessHandle.of(child)).isPresent();
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

    assertThatThrownBy(() -> daemons.control().stop(SOON.ofWholeSession()))
        .hasMessageContaining("is still locked by process " + gone + " (sleep)")
        .message()
        .doesNotContain("stop the whole session");
    assertThat(ProcessHandle.of(gone)).isPresent();
  }

  @Test
  void theControllersOwnSessionIsSpared() throws Exception {
    assertThat(stopOfTheOwnSession("setsid", "--wait"))
        .matches("UNKNOWN: process [0-9]+ is in this very session, .*\nspared");
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
