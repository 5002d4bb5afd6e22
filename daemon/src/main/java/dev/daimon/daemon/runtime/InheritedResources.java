package dev.daimon.daemon.runtime;

import dev.daimon.daemon.config.Settings;
import dev.daimon.daemon.handover.Handover;
import dev.daimon.daemon.handover.LaunchContext;
import dev.daimon.daemon.streams.Streams;
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
 * The resources that a daemon has inherited from its launcher. It takes them over when it needs the
 * first of them, or after it has reported that it is ready.
 *
 * <p>Taking them over needs native calls, and the first native call takes as long as the start of
 * the JVM. So the launcher gets the report first, if nothing speaks against it.
 */
public final class InheritedResources implements Resources {
  private final Settings settings;
  private final LaunchContext.FromLauncher fromLauncher;
  private @Nullable Open own;

  /** Takes nothing over yet. */
  public InheritedResources(Settings settings, LaunchContext.FromLauncher fromLauncher) {
    this.settings = settings;
    this.fromLauncher = fromLauncher;
  }

  /**
   * Whether the daemon needs no resource before it is ready, and taking them over later is not
   * expected to fail.
   */
  public boolean canWait() {
    Handover handover = fromLauncher.handover();
    return settings.user == null
        && settings.group == null
        && !settings.hasAttributes()
        && !settings.captureOutput
        && !settings.inheritStandardErrorUntilReady
        && handover.standardError == null
        && handover.kept.isEmpty()
        && isInPlace(settings.pidFile, handover.pidFile)
        && isInPlace(settings.lockFile, handover.lockFile);
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
  public synchronized Open own() {
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

  private Open takeOver() throws IOException {
    // First, because that frees descriptors for the next steps.
    fromLauncher.connection().release();
    Handover handover = fromLauncher.handover();
    for (Descriptor descriptor : handover.descriptors()) {
      // The children of this JVM must not inherit them.
      Descriptors.markCloseOnExec(descriptor.number(), descriptor.number());
    }
    return new Open(
        lock(settings.pidFile, handover.pidFile),
        lock(settings.lockFile, handover.lockFile),
        handover.pendingChowns,
        handover.kept,
        Streams.inDaemon(settings, handover));
  }

  private static @Nullable SingletonLock lock(@Nullable Path path, @Nullable Descriptor descriptor)
      throws IOException {
    return path == null || descriptor == null ? null : SingletonLock.adopt(path, descriptor);
  }
}
