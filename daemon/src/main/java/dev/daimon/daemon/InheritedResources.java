package dev.daimon.daemon;

import dev.daimon.forking.Descriptors;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Descriptor;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a daemon has inherited from its launcher, and takes over when it first needs any of it, when
 * it is ready at the latest.
 *
 * <p>That takes native calls, and the first one of a JVM takes as long as the JVM itself. So the
 * launcher is told first, if it can be.
 */
final class InheritedResources implements Resources {
  private final DaemonConfig config;
  private final LaunchContext.FromLauncher fromLauncher;
  private @Nullable OpenResources own;

  InheritedResources(DaemonConfig config, LaunchContext.FromLauncher fromLauncher) {
    this.config = config;
    this.fromLauncher = fromLauncher;
  }

  /**
   * Whether nothing of it is needed before the daemon is ready, and nothing can be expected to fail
   * after that.
   */
  boolean canWait() {
    Handover handover = fromLauncher.handover();
    return config.user == null
        && config.group == null
        && !config.hasAttributes()
        && !config.captureOutput
        && !config.inheritStandardErrorUntilReady
        && handover.standardError == null
        && handover.kept.isEmpty()
        && isInPlace(config.pidFile, handover.pidFile)
        && isInPlace(config.lockFile, handover.lockFile);
  }

  private static boolean isInPlace(@Nullable Path path, @Nullable Descriptor descriptor) {
    if (path == null || descriptor == null) {
      return true;
    }
    try {
      return Files.isSameFile(Path.of("/proc/self/fd/" + descriptor.number()), path);
    } catch (IOException gone) {
      return false;
    }
  }

  @Override
  public synchronized OpenResources own() {
    if (own == null) {
      try {
        own = takeOver();
      } catch (IOException failure) {
        throw new StartException(Reason.SYSTEM, failure);
      }
    }
    return own;
  }

  @Override
  public synchronized boolean isOwn() {
    return own != null;
  }

  private OpenResources takeOver() throws IOException {
    // First, so that there are free descriptors for what follows.
    fromLauncher.connection().release();
    Handover handover = fromLauncher.handover();
    for (Descriptor descriptor : handover.descriptors()) {
      // They are this JVM's, not its children's.
      Descriptors.markCloseOnExec(descriptor.number(), descriptor.number());
    }
    return new OpenResources(
        lock(config.pidFile, handover.pidFile),
        lock(config.lockFile, handover.lockFile),
        handover.pendingChowns,
        handover.kept,
        Streams.inDaemon(config, handover));
  }

  private static @Nullable SingletonLock lock(@Nullable Path path, @Nullable Descriptor descriptor)
      throws IOException {
    return path == null || descriptor == null ? null : SingletonLock.adopt(path, descriptor);
  }
}
