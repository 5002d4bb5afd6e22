package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.forking.Detached;
import dev.daimon.forking.Program;
import dev.daimon.locking.LockedFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Supplier;

/** A program that is run as a daemon: {@link StartSpec#program}. */
record ProgramStart(Supplier<Program> program, int umask) implements StartSpec {
  @Override
  public void start(DaemonControl control) throws IOException {
    SingletonLock lock = lock(control);
    try {
      lock.prepare();
      detach(lock);
    } catch (IOException | RuntimeException | Error failure) {
      undo(lock, failure);
      try (lock) {
        throw failure;
      }
    }
    try {
      lock.close();
    } catch (PosixException failure) {
      control.failedAfterwards(lock.path() + " could not be closed", failure);
    }
  }

  /**
   * A file that another user's daemon has left is replaced: it would be that user's to say who the
   * daemon is, and so be believed of none of ours.
   */
  private static SingletonLock lock(DaemonControl control) throws IOException {
    Path pidFile = control.pidFile();
    long user = Identity.effectiveUser();
    // Before the file is made: a path that somebody can exchange leads anywhere.
    Ownership.requireFixedPath(pidFile);
    Ownership.requireTrust(pidFile, user);
    SingletonLock lock = SingletonLock.acquire(pidFile);
    try (LockedFile file = LockedFile.open(pidFile).orElse(null)) {
      if (file != null && !lock.created()) {
        PreviousDaemon.check(file, control.guardFile());
      }
      if (file == null || file.owner() == 0 || file.owner() == user) {
        return lock;
      }
      boolean _ = lock.remove();
    } catch (IOException | RuntimeException failure) {
      try (lock) {
        if (lock.created()) {
          boolean _ = lock.remove();
        }
        throw failure;
      }
    }
    return SingletonLock.acquire(pidFile);
  }

  private void detach(SingletonLock lock) throws IOException {
    try (Detached daemon = program.get().keep(lock.descriptor()).detach(umask)) {
      try {
        lock.write(daemon.pid());
        if (!lock.isAtPath()) {
          throw new ControlException(
              Reason.NOT_STARTED,
              lock.path() + " was removed or replaced meanwhile; the program was stopped again");
        }
      } catch (IOException | RuntimeException failure) {
        daemon.signalGroup(Signal.KILL);
        boolean _ = daemon.reap();
        throw failure;
      }
    }
  }

  /** What was in the file is no loss: nobody held it. */
  private static void undo(SingletonLock lock, Throwable reason) {
    try {
      if (lock.created()) {
        boolean _ = lock.remove();
      } else {
        lock.empty();
      }
    } catch (PosixException second) {
      reason.addSuppressed(second);
    }
  }
}
