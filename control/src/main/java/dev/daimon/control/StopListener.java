package dev.daimon.control;

import dev.daimon.posix.Signal;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/** Is told of the progress of a stop. The thread that stops the daemon calls it. */
@FunctionalInterface
public interface StopListener {
  /**
   * Called after each signal, and each second.
   *
   * @param pid the process that the stop waits for: the daemon, or a child that it has left
   * @param waited how long the stop has taken so far
   * @param next the next signal; empty if no signal is left
   * @param left the time until the next signal, or until the stop fails
   */
  void waiting(long pid, Duration waited, Optional<Signal> next, Duration left);

  /**
   * Called each second when the daemon has ended, and a program still reads what it has printed.
   *
   * @param pid the program's process id
   * @param waited how long the stop has taken so far
   * @param left the time until the stop goes on without it
   */
  default void reading(long pid, Duration waited, Duration left) {
    Objects.requireNonNull(waited, "waited");
    Objects.requireNonNull(left, "left");
  }

  /**
   * Called when the stop has succeeded.
   *
   * @param result the result
   */
  default void stopped(StopResult result) {
    Objects.requireNonNull(result, "result");
  }
}
