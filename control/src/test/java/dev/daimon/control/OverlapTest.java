package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.forking.Child;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of the old daemon if the new one ends. */
class OverlapTest {
  private static final StopPolicy KILLING =
      StopPolicy.of(Signal.TERM, Duration.ofMillis(200)).then(Signal.KILL, Duration.ofMinutes(1));

  private static final StopListener QUIET = (pid, waited, next, left) -> {};

  @RegisterExtension final Daemons daemons = new Daemons();

  /** A new daemon that is ready at once. */
  private Child next(RunningDaemon old) throws IOException {
    return daemons.shell("exec sleep 1000").keep(old.lock()).spawn();
  }

  private static void end(long pid) {
    try {
      Daemons.kill(pid);
    } catch (Exception failure) {
      throw new AssertionError(failure);
    }
  }

  private void assertFailure(OverlapSpec beside, StopListener listener, String message) {
    assertThatThrownBy(() ->
            daemons
                .control()
                .restartOverlapping(daemons.daemon("exec sleep 3000"), beside, KILLING, listener))
        .isInstanceOfSatisfying(
            ControlException.class,
            failure -> assertThat(failure.reason()).isEqualTo(Reason.NOT_STARTED))
        .hasMessageMatching(message);
  }

  private void assertRuns(long old) throws IOException {
    DaemonStatus status = daemons.control().status();
    assertThat(status.state()).isEqualTo(State.RUNNING);
    assertThat(status.pid()).hasValue(old);
  }

  @Test
  void oneThatHasEndedBeforeItIsNamedChangesNothing() throws Exception {
    long old = daemons.start("exec tail -f /dev/null", "tail");

    assertFailure(
        running -> {
          Child next = next(running);
          end(next.pid());
          running.replaceBy(next.pid());
          return next.pid();
        },
        QUIET,
        "process \\d+ was ready, and has ended; the old daemon, process " + old + ", runs");

    assertRuns(old);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void oneThatHasEndedBeforeTheFirstSignalCostsNothing(boolean unrecorded) throws Exception {
    long old = daemons.start("exec tail -f /dev/null", "tail");
    Path file = Guard.beside(daemons.pidFile());
    String guard = Files.readString(file);
    if (unrecorded) {
      Files.delete(file);
    }

    assertFailure(
        running -> {
          Child next = next(running);
          running.replaceBy(next.pid());
          end(next.pid());
          return next.pid();
        },
        QUIET,
        "process \\d+ was ready, and has ended; the old daemon, process " + old + ", runs");

    assertRuns(old);
    if (unrecorded) {
      assertThat(file).doesNotExist();
    } else {
      assertThat(file).hasContent(guard);
    }
  }

  private void restart() throws Exception {
    Outcome outcome =
        daemons
            .control()
            .restartOverlapping(
                daemons.daemon("exec sleep 3000"),
                running -> {
                  Child next = next(running);
                  running.replaceBy(next.pid());
                  return next.pid();
                },
                StopPolicy.of(Signal.TERM, Duration.ofMinutes(1)),
                QUIET);
    assertThat(outcome).isEqualTo(Outcome.OK);
  }

  @Test
  void childrenOfTheOldOneHaveTimeToEndByThemselves() throws Exception {
    daemons.start(
        "mkfifo pipe; (trap 'echo killed >end; exit' TERM; read x <pipe; echo ended >end) &"
            + " exec tail -f /dev/null 3>pipe",
        "tail");

    restart();

    assertThat(daemons.file("end")).hasContent("ended\n");
  }

  @Test
  void afterThatTheyGetTheSignal() throws Exception {
    daemons.start("sleep 2000 & exec tail -f /dev/null", "tail");
    long child = daemons.awaitProgram("sleep");

    restart();

    Daemons.await("the end", () -> ProcessHandle.of(child).isEmpty());
  }

  @Test
  void noStrongerSignalFollowsIfItHasEndedMeanwhile() throws Exception {
    long old = daemons.start("trap '' TERM; : >trapped; while :; do sleep 0.05; done", "sh");
    Daemons.await("the trap", () -> Files.exists(daemons.file("trapped")));
    String guard = Files.readString(Guard.beside(daemons.pidFile()));
    long[] next = {0};

    assertFailure(
        running -> {
          Child child = next(running);
          running.replaceBy(child.pid());
          next[0] = child.pid();
          return child.pid();
        },
        new StopListener() {
          private boolean told;

          @Override
          public void waiting(
              long pid, Duration waited, Optional<Signal> following, Duration left) {
            if (!told) {
              end(next[0]);
            }
            told = true;
          }

          @Override
          public void stopped(StopResult result) {
            throw new AssertionError("the old daemon was stopped");
          }
        },
        "process \\d+ was ready, and has ended; the old daemon, process "
            + old
            + ", has not ended after [0-9.]+ s and SIGTERM");

    assertRuns(old);
    assertThat(Guard.beside(daemons.pidFile())).hasContent(guard);
    assertThat(daemons.control().stop(KILLING).killed()).isTrue();
  }

  @Test
  void aStartThatDoesNotNameItIsAnError() throws Exception {
    daemons.start("exec tail -f /dev/null", "tail");

    assertThatThrownBy(() ->
            daemons
                .control()
                .restartOverlapping(
                    daemons.daemon("exec sleep 3000"),
                    running -> next(running).pid(),
                    KILLING,
                    QUIET))
        .isInstanceOf(IllegalStateException.class);

    assertThat(daemons.running("tail")).hasSize(1);
  }
}
