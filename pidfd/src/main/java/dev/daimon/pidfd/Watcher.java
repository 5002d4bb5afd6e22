package dev.daimon.pidfd;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Epoll;
import dev.daimon.posix.call.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The one thread of this JVM that waits for the ends of processes, with its epoll instance. It
 * starts with the first handle to watch, and is gone {@link #LINGER_MILLIS} after the last one.
 *
 * <p>Locks are taken from a handle to here, never back.
 */
final class Watcher {
  /** So that waits in a row do not start a thread each. */
  static final int LINGER_MILLIS = 500;

  static final String THREAD = "daimon-pidfd";

  private static final int BATCH = 128;

  private static @Nullable Watcher current;

  private final Map<Integer, PidFd> watched = new HashMap<>();
  private final Descriptor epoll;

  /** Wakes the thread up, to see that it is idle. */
  private final Descriptor wake;

  private Watcher(Descriptor epoll, Descriptor wake) {
    this.epoll = epoll;
    this.wake = wake;
  }

  /** Calls {@link PidFd#readable()} when the process of this descriptor has ended. */
  static synchronized void add(int pidfd, PidFd handle) throws PosixException {
    Watcher watcher = current;
    if (watcher == null) {
      watcher = start();
      current = watcher;
    }
    // Told of each change once: a process that is traced has ended twice, for the tracer and then
    // for its parent, and in between there is nothing to do.
    PosixException.check(
        Epoll.add(watcher.epoll.number(), pidfd, Epoll.EPOLLIN | Epoll.EPOLLET),
        "epoll_ctl",
        handle);
    watcher.watched.put(pidfd, handle);
  }

  /** Forgets a descriptor, before it is closed. */
  static synchronized void remove(int pidfd) {
    Watcher watcher = current;
    if (watcher != null && watcher.watched.remove(pidfd) != null) {
      Epoll.remove(watcher.epoll.number(), pidfd);
      if (watcher.watched.isEmpty()) {
        Files.write(watcher.wake.number(), new byte[] {1, 0, 0, 0, 0, 0, 0, 0});
      }
    }
  }

  private static Watcher start() throws PosixException {
    Watcher watcher = open();
    try {
      Thread.ofPlatform()
          .name(THREAD)
          .daemon()
          .inheritInheritableThreadLocals(false)
          .start(watcher::run);
      return watcher;
    } catch (OutOfMemoryError noThread) {
      watcher.close(noThread);
      throw noThread;
    }
  }

  private static Watcher open() throws PosixException {
    Descriptor epoll =
        Descriptor.adopt(
            PosixException.check(Epoll.create(Epoll.EPOLL_CLOEXEC), "epoll_create1", ""));
    int wake = Epoll.eventfd(Epoll.EFD_CLOEXEC);
    if (wake < 0) {
      PosixException failure = new PosixException("eventfd", "", Errno.of(-wake));
      Cleanup.close(epoll, failure);
      throw failure;
    }
    Watcher watcher = new Watcher(epoll, Descriptor.adopt(wake));
    int added = Epoll.add(epoll.number(), wake, Epoll.EPOLLIN | Epoll.EPOLLET);
    if (added < 0) {
      PosixException failure = new PosixException("epoll_ctl", "", Errno.of(-added));
      watcher.close(failure);
      throw failure;
    }
    return watcher;
  }

  private void run() {
    int number = epoll.number();
    int[] ready = new int[BATCH];
    try {
      while (true) {
        int count =
            PosixException.check(Epoll.await(number, ready, timeout()), "epoll_wait", number);
        if (count == 0 && endIfIdle()) {
          return;
        }
        for (int i = 0; i < count; i++) {
          PidFd handle = watched(ready[i]);
          if (handle != null) {
            handle.readable();
          }
        }
      }
    } catch (PosixException | RuntimeException | Error failure) {
      // Somebody closed the descriptor, or memory is short: nobody must wait for ever.
      for (PidFd handle : abandon(failure)) {
        handle.fail(failure);
      }
    }
  }

  private int timeout() {
    synchronized (Watcher.class) {
      return watched.isEmpty() ? LINGER_MILLIS : -1;
    }
  }

  private @Nullable PidFd watched(int pidfd) {
    synchronized (Watcher.class) {
      return watched.get(pidfd);
    }
  }

  private boolean endIfIdle() throws PosixException {
    synchronized (Watcher.class) {
      if (!watched.isEmpty()) {
        return false;
      }
      current = null;
    }
    try (epoll) {
      wake.close();
    }
    return true;
  }

  /** Closed before the next one is made, whose descriptors may get the same numbers. */
  private List<PidFd> abandon(Throwable failure) {
    synchronized (Watcher.class) {
      close(failure);
      if (current == this) {
        current = null;
      }
      List<PidFd> left = new ArrayList<>(watched.values());
      watched.clear();
      return left;
    }
  }

  private void close(Throwable failure) {
    Cleanup.close(wake, failure);
    Cleanup.close(epoll, failure);
  }
}
