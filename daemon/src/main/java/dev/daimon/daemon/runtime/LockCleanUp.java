package dev.daimon.daemon.runtime;

import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.PosixException;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Removes the pidfile and gives the locks up, once: by a call, or when the JVM ends. */
public final class LockCleanUp {
  /** The bit of a directory in which only owners may remove their files. */
  private static final int STICKY = 01000;

  private final Resources resources;
  private final @Nullable Simulation simulation;
  private final Thread hook =
      new Thread("daimon-cleanup") {
        @Override
        public void run() {
          withJvm();
        }
      };

  private boolean removePidFile;
  private boolean done;

  /** Whether the JVM does it, after its shutdown hooks. */
  private boolean leftToJvm;

  /**
   * Registers the clean-up for the end of the JVM.
   *
   * @param simulation what to take back instead; null for a real daemon
   */
  public LockCleanUp(Resources resources, boolean removePidFile, @Nullable Simulation simulation) {
    this.resources = resources;
    this.removePidFile = removePidFile;
    this.simulation = simulation;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Sets whether the pidfile is removed. */
  public synchronized void removePidFileOnClose(boolean remove) {
    removePidFile = remove;
  }

  /** Removes the pidfile, whatever was set, and gives the locks up. */
  public synchronized void now() {
    end(true);
  }

  /** Removes the pidfile, unless it is to stay, and gives the locks up. */
  public void close() {
    closeLocks();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      // The hook runs, and finds nothing left to do.
      return;
    }
  }

  private synchronized void closeLocks() {
    end(removePidFile);
  }

  private void end(boolean remove) {
    if (done) {
      return;
    }
    done = true;
    if (simulation != null) {
      simulation.takeBack();
      return;
    }
    try (SingletonLock pidFile = resources.own().pidFile();
        SingletonLock _ = resources.own().lockFile()) {
      if (pidFile != null && remove) {
        remove(pidFile);
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /** Removes the pidfile; if that is not permitted any more, empties it, which means stopped. */
  private static void remove(SingletonLock pidFile) throws IOException {
    try {
      boolean _ = pidFile.remove();
    } catch (PosixException refused) {
      pidFile.empty();
    }
  }

  /**
   * Prepares the end of the JVM. Other shutdown hooks run meanwhile and may take their time. So the
   * locks stay until the process has ended, and the pidfile until the hooks have.
   */
  private synchronized void withJvm() {
    if (done) {
      return;
    }
    if (simulation != null) {
      end(removePidFile);
      return;
    }
    done = true;
    leftToJvm = true;
    try {
      SingletonLock pidFile = resources.own().pidFile();
      if (pidFile != null && removePidFile) {
        leaveToJvm(pidFile);
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /** Does at once what the end of the JVM would do, because a halt runs no hooks. */
  synchronized void beforeHalt() {
    if (leftToJvm) {
      done = false;
    }
    end(removePidFile);
  }

  private static void leaveToJvm(SingletonLock pidFile) throws IOException {
    Path path = pidFile.path();
    try {
      if (!pidFile.isAtPath()) {
        return;
      }
    } catch (PosixException hidden) {
      // This process may not search the directory any more.
      pidFile.empty();
      return;
    }
    if (!Path.of(path.toString()).equals(path)) {
      // The path is no text in this locale, and deleteOnExit remembers texts.
      remove(pidFile);
      return;
    }
    if (!isRemovable(path)) {
      pidFile.empty();
    }
    // The JVM does this after all shutdown hooks. Race: if somebody without the lock replaces the
    // file until then, the JVM removes the new one.
    path.toFile().deleteOnExit();
  }

  private static boolean isRemovable(Path file) throws IOException {
    Path directory = file.getParent();
    return directory != null
        && Files.isWritable(directory)
        && ((int) Files.getAttribute(directory, "unix:mode") & STICKY) == 0;
  }
}
