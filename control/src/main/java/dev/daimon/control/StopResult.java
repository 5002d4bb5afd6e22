package dev.daimon.control;

import dev.daimon.posix.Signal;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * What a stop has done.
 *
 * @param outcome {@link Outcome#OK}, {@link Outcome#ALREADY_DONE} or {@link Outcome#STALE}
 * @param pid the process that was stopped
 * @param signals what was sent, in order; the last one is what it ended by, or during
 */
public record StopResult(Outcome outcome, OptionalLong pid, List<Signal> signals) {
  /** Checks that nothing is null. */
  public StopResult {
    Objects.requireNonNull(outcome, "outcome");
    Objects.requireNonNull(pid, "pid");
    Objects.requireNonNull(signals, "signals");
  }

  /** {@return whether it had to be killed} */
  public boolean killed() {
    return signals.contains(Signal.KILL);
  }
}
