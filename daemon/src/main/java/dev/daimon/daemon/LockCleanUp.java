package dev.daimon.daemon;

import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.PosixException;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The end of a daemon's locked files. It comes once: by a call, or else with the JVM. */
final class LockCleanUp {
  /** The bit of a directory in which only owners remove their files. */
  private static final int STICKY = 01000;

  private final Resources resources;
  private final InProcessStart.@Nullable Simulation simulation;
  private final Thread hook =
      new Thread("daimon-cleanup") {
        @Override
        public void run() {
          withJvm();
        }
      };

  private boolean removePidFile;
  private boolean done;

  /** Whether it is done by the JVM, after its hooks. */
  private boolean leftToJvm;

  LockCleanUp(
      Resources resources, boolean removePidFile, InProcessStart.@Nullable Simulation simulation) {
    this.resources = resources;
    this.removePidFile = removePidFile;
    this.simulation = simulation;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  synchronized void removePidFileOnClose(boolean remove) {
    removePidFile = remove;
  }

  /** Removes the pidfile, whatever was said before. */
  synchronized void now() {
    end(true);
  }

  /** Removes the pidfile, unless it is to stay. */
  void close() {
    closeLocks();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      // Then it runs, and one of the two finds nothing left to do.
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

  /** Empty and unlocked means stopped, where it cannot be removed any more. */
  private static void remove(SingletonLock pidFile) throws IOException {
    try {
      boolean _ = pidFile.remove();
    } catch (PosixException refused) {
      pidFile.empty();
    }
  }

  /**
   * When the JVM ends: other shutdown hooks run meanwhile, and may take their time, so the locks
   * stay until the process is gone, and the pidfile until the hooks are. From now on nothing else
   * removes it.
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

  /** Before a halt, which is the end of hooks that do not end: what was left to the JVM is done. */
  synchronized void beforeHalt() {
    if (leftToJvm) {
      done = false;
      end(removePidFile);
    }
  }

  private static void leaveToJvm(SingletonLock pidFile) throws IOException {
    Path path = pidFile.path();
    try {
      if (!pidFile.isAtPath()) {
        return;
      }
    } catch (PosixException hidden) {
      // The directory may not be searched any more.
      pidFile.empty();
      return;
    }
    if (!Path.of(path.toString()).equals(path)) {
      // Its name is no text in this locale, and the JVM remembers texts.
      remove(pidFile);
      return;
    }
    if (!isRemovable(path)) {
      pidFile.empty();
    }
    // Done after all shutdown hooks. Race: a stranger's file, if somebody who does not hold the
    // lock replaces this one until then.
    path.toFile().deleteOnExit();
  }

  private static boolean isRemovable(Path file) throws IOException {
    Path directory = file.getParent();
    return directory != null
        && Files.isWritable(directory)
        && ((int) Files.getAttribute(directory, "unix:mode") & STICKY) == 0;
  }
}
