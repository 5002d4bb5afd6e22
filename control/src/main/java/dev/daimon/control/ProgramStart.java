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

/** Starts an ordinary program as a daemon: {@code StartSpec.program}. */
record ProgramStart(Supplier<Program> program, int umask) {
  void start(ControlledDaemon controlled) throws IOException {
    SingletonLock lock = lock(controlled);
    try {
      lock.prepare();
      detach(controlled, lock);
    } catch (IOException | RuntimeException | Error failure) {
      undo(lock, failure);
      try (lock) {
        throw failure;
      }
    }
    try {
      lock.close();
    } catch (PosixException failure) {
      controlled.failedAfterwards(lock.path() + " could not be closed", failure);
    }
  }

  /**
   * Locks the pidfile. This replaces a file that another user's daemon has left: its owner could
   * write any process id into it, so no process of this user would count as its daemon.
   */
  private static SingletonLock lock(ControlledDaemon controlled) throws IOException {
    Path pidFile = controlled.pidFile();
    long user = Identity.effectiveUser();
    // Before the file is made: a path that another user can exchange may lead to any file.
    Ownership.requireFixedPath(pidFile);
    Ownership.requireTrust(pidFile, user);
    SingletonLock lock = SingletonLock.acquire(pidFile);
    try (LockedFile file = LockedFile.open(pidFile).orElse(null)) {
      if (file != null && !lock.created()) {
        PreviousDaemon.check(file, controlled.guardFile());
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

  private void detach(ControlledDaemon controlled, SingletonLock lock) throws IOException {
    try (Detached daemon = program.get().keep(lock.descriptor()).detach(umask)) {
      try {
        lock.write(daemon.pid());
        if (!lock.isAtPath()) {
          throw new ControlException(
              Reason.NOT_STARTED,
              lock.path() + " was removed or replaced meanwhile; the program was stopped again");
        }
        controlled.started(daemon.pid());
      } catch (IOException | RuntimeException failure) {
        daemon.signalGroup(Signal.KILL);
        boolean _ = daemon.reap();
        throw failure;
      }
    }
  }

  /** Removes or empties the file. Its content named no daemon, since no process held the lock. */
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
