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
  /** How long the search for a stranger's socket may take, for a message. */
  private static final long SEARCH_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** A process of the daemon whose descriptors cannot be read, in words; null if there is none. */
  private @Nullable String hidden;

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
    hidden = null;
    List<Long> processes = new ArrayList<>();
    processes.add(main);
    processes.addAll(Descendants.list());
    for (long pid : processes) {
      if (listens(pid, sockets)) {
        return true;
      }
    }
    return false;
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
        try {
          if (info != null) {
            return Processes.examineAsItsUser(info, () -> holds(process, sockets), denied);
          }
        } catch (PosixException again) {
          if (!Processes.isHidden(again.errno())) {
            throw again;
          }
        }
        if (denied.errno().equals(Errno.EACCES) || denied.errno().equals(Errno.EPERM)) {
          hidden = Processes.words(pid, info);
        }
        return false;
      }
    }
  }

  @Override
  String missing(long main) throws IOException {
    Set<Long> sockets = sockets(main);
    if (sockets.isEmpty()) {
      return "nobody listens on " + where();
    }
    if (hidden != null) {
      return "whether " + hidden + " listens on " + where() + " may not be examined by this user";
    }
    return "it does not listen on " + where() + ", but " + stranger(sockets) + " does";
  }

  /** Who has one of the sockets open, in words. */
  private String stranger(Set<Long> sockets) throws IOException {
    long begin = System.nanoTime();
    for (long pid : Processes.all()) {
      if (System.nanoTime() - begin > SEARCH_NANOS) {
        break;
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
