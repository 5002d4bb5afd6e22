package dev.daimon.daemon;

import static java.util.Objects.requireNonNull;

/** The result of {@link Daemonizer#launch}, which returns in both runs of the program. */
public sealed interface Launch {
  /**
   * This process is the launcher.
   *
   * @param daemon the result of the daemon's start
   */
  record InLauncher(LaunchedDaemon daemon) implements Launch {
    /** Checks that nothing is null. */
    public InLauncher {
      requireNonNull(daemon, "daemon");
    }
  }

  /**
   * This process is the daemon, or a daemon in the foreground.
   *
   * @param daemon the daemon
   */
  record InDaemon(Daemon daemon) implements Launch {
    /** Checks that nothing is null. */
    public InDaemon {
      requireNonNull(daemon, "daemon");
    }
  }
}
