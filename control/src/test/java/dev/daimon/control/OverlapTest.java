package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.forking.Child;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.Identity;
import dev.daimon.readiness.ListenAddress;
import dev.daimon.readiness.ListenSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of the old daemon if the new one ends. */
class OverlapTest {
  private static final StopPolicy KILLING =
      StopPolicy.of(Signal.TERM, Duration.ofMillis(200)).then(Signal.KILL, Duration.ofMinutes(1));

  private static final StopPolicy PATIENT = StopPolicy.of(Signal.TERM, Duration.ofMinutes(1));

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
                PATIENT,
                QUIET);
    assertThat(outcome).isEqualTo(Outcome.OK);
  }

  /** Tells what has become of it. */
  private final class Watched implements OverlapSpec {
    final List<String> told = new ArrayList<>();
    private final OutputReader reader;
    long next;

    Watched(OutputReader reader) {
      this.reader = reader;
    }

    @Override
    public long start(RunningDaemon old) throws IOException {
      told.add("start beside " + old.pid() + ", sockets: " + old.sockets().size());
      next = OverlapTest.this.next(old).pid();
      old.replaceBy(next);
      return next;
    }

    @Override
    public void handedOver() throws IOException {
      told.add("handed over to " + Daemons.pid(daemons.pidFile()));
    }

    @Override
    public void takeBack(Throwable reason) {
      told.add("taken back");
    }

    @Override
    public List<OutputReader> readers() {
      return List.of(reader);
    }
  }

  @Test
  void theNewOneIsTheDaemonFromThenOn() throws Exception {
    ListenAddress address = ListenAddress.unix(daemons.file("socket"), "web");
    try (ListenSocket socket = ListenSocket.open(address, Identity.effectiveUser(), false)) {
      StartSpec listening =
          StartSpec.program(
              () -> daemons.shell("exec tail -f /dev/null").keep(socket.descriptor()), 022);
      daemons.control().start(listening);
    }
    long old = Daemons.pid(daemons.pidFile());
    Daemons.await("the daemon", () -> Daemons.status(old, "Name").equals("tail"));
    long pid = daemons.bystander("sleep", "1001").pid();
    Watched beside = new Watched(Daemons.reader(pid, "|sleep"));
    List<StopResult> results = new ArrayList<>();
    StopListener listener =
        new StopListener() {
          @Override
          public void waiting(long pid, Duration waited, Optional<Signal> next, Duration left) {}

          @Override
          public void stopped(StopResult result) {
            results.add(result);
          }
        };

    Outcome outcome =
        daemons
            .control()
            .restartOverlapping(daemons.daemon("exec sleep 3000"), beside, PATIENT, listener);

    assertThat(outcome).isEqualTo(Outcome.OK);
    assertThat(beside.told)
        .containsExactly("start beside " + old + ", sockets: 1", "handed over to " + beside.next);
    assertThat(results)
        .containsExactly(new StopResult(Outcome.OK, OptionalLong.of(old), List.of(Signal.TERM)));
    assertRuns(beside.next);
    assertThat(daemons.control().status().output()).containsExactly(beside.reader);
    assertThat(StartRecord.read(Guard.beside(daemons.pidFile()), Identity.effectiveUser()))
        .hasValueSatisfying(record -> assertThat(record.pid()).isEqualTo(beside.next));
    assertThat(Processes.isRunning(old)).isFalse();
  }

  @Test
  void whereNoneRunsTheOtherStartIsUsed() throws Exception {
    Watched beside = new Watched(new OutputReader("stdout", "|sleep", 1, 1, true));

    Outcome outcome =
        daemons
            .control()
            .restartOverlapping(daemons.daemon("exec sleep 3000"), beside, PATIENT, QUIET);

    assertThat(outcome).isEqualTo(Outcome.NOT_RUNNING);
    assertThat(beside.told).isEmpty();
    assertThat(daemons.control().status().state()).isEqualTo(State.RUNNING);
  }

  @ParameterizedTest
  @ValueSource(strings = {"removed", "another's"})
  void aPidFileThatTheOldOneChangesAtItsEndIsTold(String change) throws Exception {
    String action = change.equals("removed") ? "rm d.pid" : "echo 1 >d.pid";
    daemons.start(
        "trap '" + action + "; exit' TERM; : >trapped; while :; do sleep 0.05; done", "sh");
    Daemons.await("the trap", () -> Files.exists(daemons.file("trapped")));
    Watched beside = new Watched(new OutputReader("stdout", "|sleep", 1, 1, true));

    assertThatThrownBy(() ->
            daemons
                .control()
                .restartOverlapping(daemons.daemon("exec sleep 3000"), beside, PATIENT, QUIET))
        .isInstanceOfSatisfying(
            ControlException.class,
            failure -> assertThat(failure.reason()).isEqualTo(Reason.UNKNOWN))
        .hasMessageStartingWith("process " + beside.next + " is the daemon, and runs, but ");

    assertThat(beside.told).hasSize(2);
    assertThat(StartRecord.read(Guard.beside(daemons.pidFile()), Identity.effectiveUser()))
        .hasValueSatisfying(record -> assertThat(record.pid()).isEqualTo(beside.next));
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
