package dev.daimon.control;

import dev.daimon.forking.Descendants;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Whether the daemon or a descendant listens where it should: the kernel's list in the daemon's
 * network namespace has such a socket, and one of these processes has it open.
 */
abstract class ListenerCheck extends ReadyCheck {
  /**
   * The time to search processes, for an examination and for a message. The last one may take a
   * second more.
   */
  private static final long SEARCH_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** When the search has begun. */
  private long begin;

  /** The place of the process with which an examination begins, where the last one has ended. */
  private int first;

  /** Of which process it is not known whether it listens, and why; null if of none. */
  private @Nullable String unknown;

  /** The inodes of the sockets on which somebody listens there. */
  abstract Set<Long> sockets(long main) throws IOException;

  /** Where, in words. */
  abstract String where();

  /** Whether this process has one of the sockets open, and listens with it where it should. */
  boolean listens(long pid, Set<Long> sockets) throws IOException {
    return has(pid, sockets);
  }

  @Override
  boolean isReady(long main) throws IOException {
    Set<Long> sockets = sockets(main);
    if (sockets.isEmpty()) {
      return false;
    }
    List<Long> processes = new ArrayList<>();
    processes.add(main);
    processes.addAll(Descendants.list());
    if (first >= processes.size()) {
      first = 0;
    }
    if (first == 0) {
      unknown = null;
    }
    begin = System.nanoTime();
    for (int i = first; i < processes.size(); i++) {
      if (listens(processes.get(i), sockets)) {
        return true;
      }
      if (isOver()) {
        first = i + 1;
        return false;
      }
    }
    first = 0;
    return false;
  }

  /** Whether the time of the search is over. */
  boolean isOver() {
    return System.nanoTime() - begin > SEARCH_NANOS;
  }

  /** Whether a process has one of the sockets open, by its handle. */
  boolean holds(PidFd process, Set<Long> sockets) throws PosixException {
    return process.hasSocket(sockets);
  }

  /** Whether this process has one of the sockets open. */
  final boolean has(long pid, Set<Long> sockets) throws IOException {
    try (PidFd process = Processes.open(pid)) {
      if (process == null) {
        return false;
      }
      try {
        return holds(process, sockets);
      } catch (PosixException denied) {
        ProcessInfo info = Processes.info(process);
        Errno errno = denied.errno();
        try {
          if (info != null) {
            return Processes.examineAsItsUser(info, () -> holds(process, sockets), denied);
          }
        } catch (PosixException again) {
          errno = again.errno();
          if (!Processes.isHidden(errno)) {
            throw again;
          }
        }
        if (errno.equals(Errno.EACCES) || errno.equals(Errno.EPERM)) {
          unknown = doubt(pid, info) + " may not be examined by this user";
        } else if (errno.equals(Errno.ETIMEDOUT)) {
          unknown = doubt(pid, info) + " takes too long to examine: it has too many descriptors";
        }
        return false;
      }
    }
  }

  /** Notes that the time does not suffice to examine a process. */
  void tookTooLong(long pid) {
    unknown = doubt(pid, /* info= */ null) + " takes too long to examine";
  }

  private String doubt(long pid, @Nullable ProcessInfo info) {
    return "whether " + Processes.words(pid, info) + " listens on " + where();
  }

  @Override
  String missing(long main) throws IOException {
    Set<Long> sockets = sockets(main);
    if (sockets.isEmpty()) {
      return "nobody listens on " + where();
    }
    if (unknown != null) {
      return unknown;
    }
    return "it does not listen on " + where() + ", but " + stranger(sockets) + " does";
  }

  /** Who has one of the sockets open, in words. */
  private String stranger(Set<Long> sockets) throws IOException {
    begin = System.nanoTime();
    for (long pid : Processes.all()) {
      if (isOver()) {
        return "a process that was not found in time";
      }
      try (PidFd process = Processes.open(pid)) {
        if (process != null && holds(process, sockets)) {
          return Processes.words(pid, Processes.info(process));
        }
      } catch (PosixException hidden) {
        if (!Processes.isHidden(hidden.errno())) {
          throw hidden;
        }
      }
    }
    return "a process that this user may not examine";
  }
}
