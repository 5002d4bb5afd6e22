package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.locking.LockHeldException;
import dev.daimon.locking.LockedFile;
import dev.daimon.locking.NotRegularFileException;
import dev.daimon.locking.SingletonLock;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.DirectoryNames;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.SearchLimit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A daemon that goes on running while another one is started in its place: what the two share.
 * These are the same open files, so the lock is free at no time, and no connection is lost between
 * them.
 */
public final class RunningDaemon implements AutoCloseable {
  /** The time to find what is shared, which the daemon can make as long as it likes. */
  private static final long SEARCH_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final PidFd process;
  private final LockedFile file;
  private final SingletonLock lock;
  private final List<Descriptor> sockets;

  /** The new daemon, once the pidfile names it. */
  private @Nullable PidFd successor;

  private RunningDaemon(
      PidFd process, LockedFile file, SingletonLock lock, List<Descriptor> sockets) {
    this.process = process;
    this.file = file;
    this.lock = lock;
    this.sockets = sockets;
  }

  /**
   * Takes descriptors of a daemon's lock and listening sockets. This changes nothing in the daemon.
   *
   * @param file its pidfile, held open
   * @throws ControlException {@link Reason#UNKNOWN} if the daemon has ended, does not hold the
   *     lock, or has too many descriptors
   */
  static RunningDaemon share(PidFd process, LockedFile file) throws IOException {
    List<Descriptor> taken = new ArrayList<>();
    try {
      SingletonLock lock = null;
      List<Descriptor> sockets = new ArrayList<>();
      requireRight(process);
      SearchLimit limit = new SearchLimit(SEARCH_NANOS);
      Path directory = Path.of(ProcDirectory.of(process.pid()), "fd");
      try (DirectoryNames numbers = new DirectoryNames(directory)) {
        String number;
        for (int i = 0; (number = numbers.next()) != null; i++) {
          if (limit.isOver(i)) {
            throw new ControlException(
                Reason.UNKNOWN, process + " has too many descriptors to find its sockets in time");
          }
          boolean socket = isSocket(directory.resolve(number));
          if (!socket && (lock != null || !hasLock(process.pid(), number, file))) {
            continue;
          }
          Descriptor copy = duplicate(process, Integer.parseInt(number), socket);
          if (copy != null) {
            taken.add(copy);
            if (socket) {
              sockets.add(copy);
            } else {
              lock = adopt(file, copy);
              if (lock == null) {
                copy.close();
              }
            }
          }
        }
      } catch (PosixException failure) {
        // Nobody but root may list the descriptors of a process that has ended.
        if (process.isAlive()) {
          throw failure;
        }
      }
      if (lock == null || !process.isAlive()) {
        throw new ControlException(
            Reason.UNKNOWN, process + " has ended, or does not hold the lock of " + file.path());
      }
      return new RunningDaemon(process, file, lock, sockets);
    } catch (IOException | RuntimeException | Error failure) {
      for (Descriptor descriptor : taken) {
        Cleanup.close(descriptor, failure);
      }
      throw failure;
    }
  }

  /**
   * Throws if this process may not take a descriptor; /proc may hide all of them then. It asks for
   * a number that no process can have, so nothing has to be closed: the close of a FUSE file asks
   * its server, which may never answer.
   */
  private static void requireRight(PidFd process) throws PosixException {
    Descriptor _ = duplicate(process, Integer.MAX_VALUE, /* socket= */ false);
  }

  private static boolean isSocket(Path link) {
    try {
      return Files.readSymbolicLink(link).toString().startsWith("socket:");
    } catch (IOException closed) {
      return false;
    }
  }

  /** Whether a descriptor is the open file that has the lock on the pidfile. */
  private static boolean hasLock(long pid, String number, LockedFile file) {
    try {
      return file.isLockedThrough(pid, Integer.parseInt(number));
    } catch (PosixException ended) {
      return false;
    }
  }

  /** Null if the daemon has closed the number meanwhile, and of a socket that does not listen. */
  private static @Nullable Descriptor duplicate(PidFd process, int number, boolean socket)
      throws PosixException {
    try {
      return socket ? process.duplicateListener(number).orElse(null) : process.duplicate(number);
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.EBADF)) {
        return null;
      }
      throw failure;
    }
  }

  /**
   * The lock on this pidfile; null if the descriptor is of another file. To adopt a lock asks for
   * it once more, which would change another file's: so the copy is examined first.
   */
  private static @Nullable SingletonLock adopt(LockedFile file, Descriptor copy)
      throws IOException {
    if (!file.isLockedThrough(copy)) {
      return null;
    }
    try {
      SingletonLock lock = SingletonLock.adopt(file.path(), copy);
      return lock.isAtPath() ? lock : null;
    } catch (LockHeldException | NotRegularFileException other) {
      return null;
    }
  }

  PidFd process() {
    return process;
  }

  LockedFile file() {
    return file;
  }

  /** {@return the daemon's process id} */
  public long pid() {
    return process.pid();
  }

  /** {@return the lock on the pidfile, which the new daemon has to keep open; do not close it} */
  public Descriptor lock() {
    return lock.descriptor();
  }

  /** {@return the daemon's sockets that listen; do not close them} */
  public List<Descriptor> sockets() {
    return sockets;
  }

  /**
   * Writes the new daemon's process id into the pidfile, in place, and makes sure that the path
   * still leads to that file. If this fails, the file names this daemon again.
   *
   * @param pid the new daemon
   * @throws ControlException {@link Reason#NOT_STARTED} if that process has ended
   * @throws IOException if the file cannot be written, or somebody has removed or replaced it
   */
  public void replaceBy(long pid) throws IOException {
    // Before the file names it, so that a failure changes nothing.
    PidFd next = Processes.open(pid);
    if (next == null) {
      throw new ControlException(Reason.NOT_STARTED, outlived("process " + pid, " runs"));
    }
    try {
      lock.write(pid);
      if (!lock.isAtPath()) {
        throw new IOException(
            lock.path()
                + " was removed or replaced during the start; the program was stopped again");
      }
    } catch (IOException failure) {
      Cleanup.close(next, failure);
      restore(failure);
      throw failure;
    } finally {
      if (successor != null) {
        Processes.close(successor);
        successor = null;
      }
    }
    successor = next;
  }

  /**
   * Hands over the new daemon's handle, to be closed by the caller.
   *
   * @param pid what the start has returned
   */
  PidFd successor(long pid) {
    PidFd next = successor;
    if (next == null || next.pid() != pid) {
      throw new IllegalStateException("the pidfile was not made to name process " + pid);
    }
    successor = null;
    return next;
  }

  /**
   * What has become of this daemon if the new one has ended, in words.
   *
   * @param next the new one
   * @param fate what this one does if it has not ended
   */
  String outlived(String next, String fate) throws PosixException {
    return next
        + " was ready, and has ended; the old daemon, "
        + process
        + ","
        + (process.isAlive() ? fate : " has ended, too");
  }

  /** Makes the pidfile name this daemon again; a failure is added to the reason as suppressed. */
  void restore(Throwable reason) {
    try {
      lock.write(process.pid());
    } catch (PosixException second) {
      reason.addSuppressed(second);
    }
  }

  /**
   * Closes what was shared, here; the daemon and the new one keep it. If a start has failed after
   * the pidfile was made to name the new daemon, it names this one again.
   */
  @Override
  public void close() throws PosixException {
    PosixException failure = null;
    if (successor != null) {
      Processes.close(successor);
      successor = null;
      try {
        lock.write(process.pid());
      } catch (PosixException first) {
        failure = first;
      }
    }
    for (Descriptor socket : sockets) {
      try {
        socket.close();
      } catch (PosixException first) {
        failure = Cleanup.first(failure, first);
      }
    }
    try {
      lock.close();
    } catch (PosixException last) {
      failure = Cleanup.first(failure, last);
    }
    if (failure != null) {
      throw failure;
    }
  }
}
