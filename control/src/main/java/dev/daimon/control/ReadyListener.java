package dev.daimon.control;

import java.time.Duration;

/** Is told how the wait for a daemon's readiness goes on. */
@FunctionalInterface
public interface ReadyListener {
  /**
   * The daemon is not ready yet. Called each second, and when the status changes.
   *
   * @param waited how long the wait has lasted
   * @param left how long it will last at most, from now on
   * @param status what the daemon has sent last as its {@code STATUS}; empty if there is none. It
   *     may contain any character
   */
  void waiting(Duration waited, Duration left, String status);
}
