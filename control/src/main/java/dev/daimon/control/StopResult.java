package dev.daimon.control;

import dev.daimon.posix.Signal;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * The result of a stop.
 *
 * @param outcome {@link Outcome#OK}, {@link Outcome#ALREADY_DONE} or {@link Outcome#STALE}
 * @param pid the process that was stopped; empty if there was none
 * @param signals the signals that were sent, in order; the last ones may have been for children
 *     that the daemon has left
 */
public record StopResult(Outcome outcome, OptionalLong pid, List<Signal> signals) {
  /** Requires every object. */
  public StopResult {
    Objects.requireNonNull(outcome, "outcome");
    Objects.requireNonNull(pid, "pid");
    Objects.requireNonNull(signals, "signals");
  }

  /** {@return whether SIGKILL was sent} */
  public boolean killed() {
    return signals.contains(Signal.KILL);
  }
}
