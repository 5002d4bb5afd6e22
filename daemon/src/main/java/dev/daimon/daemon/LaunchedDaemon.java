package dev.daimon.daemon;

import static java.util.Objects.requireNonNull;

/**
 * The result of a daemon's start, for its launcher.
 *
 * @param pid the daemon's process id; after a failure it may belong to another process
 * @param exitCode 0 if the daemon is ready; otherwise the exit code for the launcher, from 1 to 255
 * @param message the daemon's last status if it is ready, otherwise why it is not; may be empty,
 *     and may have several lines
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
