package dev.daimon.command;

import dev.daimon.control.Outcome;
import dev.daimon.control.StopListener;
import dev.daimon.control.StopResult;
import dev.daimon.posix.Signal;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/** Says of a stop what the exit code does not tell. */
final class StopWords implements StopListener {
  private final Consumer<String> say;

  /** The process that was waited for last: the daemon, or a child that it has left. */
  private long awaited;

  private boolean ran;

  StopWords(Consumer<String> say) {
    this.say = say;
  }

  /** Whether a daemon was stopped that ran. */
  boolean ran() {
    return ran;
  }

  @Override
  public void waiting(long pid, Duration waited, Optional<Signal> next, Duration left) {
    awaited = pid;
  }

  @Override
  public void stopped(StopResult result) {
    ran = result.outcome() == Outcome.OK;
    if (result.killed()) {
      say.accept(
          "process "
              + awaited
              + " did not end by "
              + result.signals().getFirst()
              + ", and was killed");
    } else if (result.outcome() == Outcome.ALREADY_DONE) {
      say.accept("it was not running");
    } else if (result.outcome() == Outcome.STALE) {
      say.accept("it was not running; the pidfile that it had left behind is removed");
    }
  }
}
