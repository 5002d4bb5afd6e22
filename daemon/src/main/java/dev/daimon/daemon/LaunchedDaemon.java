package dev.daimon.daemon;

import static java.util.Objects.requireNonNull;

/**
 * What became of a daemon that was started.
 *
 * @param pid its process id; still its own only if it is up
 * @param exitCode 0 exactly if it is ready; otherwise what its launcher should exit with, from 1 to
 *     255
 * @param message what it said last: its status if it is ready, otherwise why it is not; may be
 *     empty, and have several lines
 */
public record LaunchedDaemon(long pid, int exitCode, String message) {
  /** Checks that nothing is null. */
  public LaunchedDaemon {
    requireNonNull(message, "message");
  }

  /** {@return whether the daemon is ready} */
  public boolean isReady() {
    return exitCode == 0;
  }
}
