package dev.daimon.control;

import java.util.Objects;

/** How the wait for a daemon's readiness has ended. */
public sealed interface ReadyResult {
  /**
   * The daemon is ready, and was alive then.
   *
   * @param pid the daemon's process id: that of the program, or of the descendant that it has named
   *     by {@code MAINPID}
   */
  record Ready(long pid) implements ReadyResult {}

  /**
   * The daemon has failed: it has ended, or has said that it will not become ready.
   *
   * @param why what it has done, to be read behind its name, such as "has ended with exit code 1
   *     before it was ready"
   */
  record Failed(String why) implements ReadyResult {
    /** Requires the words. */
    public Failed {
      Objects.requireNonNull(why, "why");
    }
  }

  /**
   * The daemon runs, and was not ready in time.
   *
   * @param missing what was not seen, such as "nobody listens on port 80"
   */
  record TimedOut(String missing) implements ReadyResult {
    /** Requires the words. */
    public TimedOut {
      Objects.requireNonNull(missing, "missing");
    }
  }

  /** The wait was cancelled. The daemon may run. */
  record Cancelled() implements ReadyResult {}
}
