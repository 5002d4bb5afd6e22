package dev.daimon.daemon;

import static java.util.Objects.requireNonNull;

/** What {@link Daemonizer#launch} returns: it returns in both runs of the program. */
public sealed interface Launch {
  /**
   * This is the launcher, which lives on.
   *
   * @param daemon what became of the daemon
   */
  record InLauncher(LaunchedDaemon daemon) implements Launch {
    /** Checks that nothing is null. */
    public InLauncher {
      requireNonNull(daemon, "daemon");
    }
  }

  /**
   * This is the daemon, or a process that is it in the foreground.
   *
   * @param daemon itself
   */
  record InDaemon(Daemon daemon) implements Launch {
    /** Checks that nothing is null. */
    public InDaemon {
      requireNonNull(daemon, "daemon");
    }
  }
}
