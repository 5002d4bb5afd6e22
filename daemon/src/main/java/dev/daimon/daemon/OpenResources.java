package dev.daimon.daemon;

import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Descriptor;
import dev.daimon.startup.PendingChown;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a daemon has open, wherever it got it from.
 *
 * @param pidFile the locked pidfile; null if there is none
 * @param lockFile the lock file; null if there is none
 * @param pendingChowns files that root has opened, and that are to become the user's
 * @param kept the descriptors that were kept open for it, by name
 * @param streams its standard streams
 */
record OpenResources(
    @Nullable SingletonLock pidFile,
    @Nullable SingletonLock lockFile,
    List<PendingChown> pendingChowns,
    Map<String, Descriptor> kept,
    Streams streams)
    implements Resources {
  @Override
  public OpenResources own() {
    return this;
  }

  @Override
  public boolean isOwn() {
    return true;
  }
}
