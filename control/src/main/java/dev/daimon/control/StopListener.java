package dev.daimon.control;

import dev.daimon.posix.Signal;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/** Somebody who is told how a stop goes on, on the thread that stops. */
@FunctionalInterface
public interface StopListener {
  /**
   * A signal was sent, or another second has passed.
   *
   * @param pid the process that is waited for: the daemon, or else one that it has left
   * @param waited how long the stop has taken
   * @param next the next signal; nothing if there is none left
   * @param left the time until then, or until the stop has failed
   */
  void waiting(long pid, Duration waited, Optional<Signal> next, Duration left);

  /**
   * The stop is over, and nothing is left of the daemon.
   *
   * @param result what was done
   */
  default void stopped(StopResult result) {
    Objects.requireNonNull(result, "result");
  }
}
