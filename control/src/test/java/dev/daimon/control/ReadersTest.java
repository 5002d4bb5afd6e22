package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of the programs that read a daemon's output. */
class ReadersTest {
  private static final StopPolicy SOON = StopPolicy.of(Signal.TERM, Duration.ofSeconds(2));
  private static final StopPolicy LATE = StopPolicy.of(Signal.TERM, Duration.ofMinutes(1));

  @RegisterExtension final Daemons daemons = new Daemons();

  /** Starts a daemon whose output these read, and has it be as a state says. */
  private void daemon(String state, OutputReader... readers) throws Exception {
    long pid = daemons.start("exec sleep 1000", "sleep");
    Path guard = Guard.beside(daemons.pidFile());
    try (Guard held = Guard.acquire(guard, Duration.ZERO)) {
      held.record(pid, daemons.pidFile(), List.of(readers));
    }
    if (state.equals("dead")) {
      Daemons.kill(pid);
    }
    if (state.equals("stopped")) {
      daemons.control().stop(SOON);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"running", "dead", "stopped"})
  void aStopTellsWhichOfThemStillRead(String state) throws Exception {
    Process first = daemons.bystander("sleep", "1001");
    Process second = daemons.bystander("sleep", "1002");
    Process over = daemons.bystander("sleep", "1003");
    OutputReader ended = Daemons.reader(over.pid(), "|over");
    over.destroyForcibly().waitFor();
    daemon(
        state,
        Daemons.reader(first.pid(), "|first"),
        ended,
        Daemons.reader(second.pid(), "|second"));
    Ear ear = new Ear();
    List<Long> awaited = new ArrayList<>();
    List<StopResult> results = new ArrayList<>();

    StopResult result =
        daemons
            .control()
            .listener(ear)
            .stop(
                SOON,
                new StopListener() {
                  @Override
                  public void waiting(
                      long pid, Duration waited, Optional<Signal> next, Duration left) {}

                  @Override
                  public void reading(long pid, Duration waited, Duration left) {
                    awaited.add(pid);
                  }

                  @Override
                  public void stopped(StopResult result) {
                    results.add(result);
                  }
                });

    assertThat(ear.told)
        .containsExactly(
            "process %d (|first), process %d (|second) still reads what the daemon has printed"
                .formatted(first.pid(), second.pid()));
    assertThat(awaited).contains(first.pid()).doesNotContain(over.pid());
    assertThat(results).containsExactly(result);
    assertThat(first.isAlive()).isTrue();
    assertThat(daemons.control().status().output())
        .containsExactly(
            Daemons.reader(first.pid(), "|first"), Daemons.reader(second.pid(), "|second"));
    // A restart needs nothing of the old pipes.
    daemons.control().listener(ear).restart(daemons.daemon("exec sleep 1000"), SOON);
    assertThat(ear.told).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"running", "dead", "stopped"})
  void aStopWaitsUntilAllIsRead(String state) throws Exception {
    Process reader = daemons.bystander("tail", "-n", "1");
    daemon(state, Daemons.reader(reader.pid(), "|slow"));
    Ear ear = new Ear();
    StopListener listener =
        new StopListener() {
          @Override
          public void waiting(long pid, Duration waited, Optional<Signal> next, Duration left) {}

          @Override
          public void reading(long pid, Duration waited, Duration left) {
            try {
              reader.getOutputStream().close();
            } catch (IOException failure) {
              throw new AssertionError(failure);
            }
          }
        };

    daemons.control().listener(ear).stop(LATE, listener);

    assertThat(Processes.isRunning(reader.pid())).isFalse();
    assertThat(ear.told).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"running", "dead", "stopped"})
  void theStopOfTheSessionEndsThem(String state) throws Exception {
    Process reader = daemons.bystander("sleep", "1001");
    daemon(state, Daemons.reader(reader.pid(), "|sleep"));
    Ear ear = new Ear();

    daemons
        .control()
        .listener(ear)
        .stop(SOON.then(Signal.KILL, LATE.steps().getFirst().patience()).ofWholeSession());

    assertThat(reader.waitFor()).isIn(128 + 15, 128 + 9);
    assertThat(ear.told).isEmpty();
    assertThat(daemons.control().status().output()).isEmpty();
  }

  /** Its id is another process's by then, for all that is known. */
  @Test
  void oneThatWasStartedAtAnotherTimeIsNone() throws Exception {
    Process other = daemons.bystander("sleep", "1001");
    OutputReader known = Daemons.reader(other.pid(), "|sleep");
    OutputReader reused =
        new OutputReader("stderr", "|other", known.pid(), known.startTicks() - 1, false);
    daemon("running", reused);
    Ear ear = new Ear();

    assertThat(daemons.control().status().output()).containsExactly(reused);
    daemons.control().listener(ear).stop(SOON.ofWholeSession());

    assertThat(ear.told).isEmpty();
    assertThat(other.isAlive()).isTrue();
  }
}
