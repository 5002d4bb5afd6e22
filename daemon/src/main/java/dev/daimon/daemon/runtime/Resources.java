package dev.daimon.daemon.runtime;

import dev.daimon.daemon.streams.Streams;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Descriptor;
import dev.daimon.startup.PendingChown;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The resources of a daemon, which it has opened itself or takes over from its launcher. */
public interface Resources {
  /** Returns the open resources; takes them over first, if that was not done yet. */
  Open own();

  /** Whether {@link #own} has nothing left to do. */
  boolean isOwn();

  /**
   * The open resources.
   *
   * @param pidFile the locked pidfile; null if there is none
   * @param lockFile the lock file; null if there is none
   * @param pendingChowns files that root has opened, and that are to become the target user's
   * @param kept the descriptors that the launcher has kept open for the daemon, by name
   * @param streams the standard streams
   */
  record Open(
      @Nullable SingletonLock pidFile,
      @Nullable SingletonLock lockFile,
      List<PendingChown> pendingChowns,
      Map<String, Descriptor> kept,
      Streams streams)
      implements Resources {
    @Override
    public Open own() {
      return this;
    }

    @Override
    public boolean isOwn() {
      return true;
    }
  }
}
