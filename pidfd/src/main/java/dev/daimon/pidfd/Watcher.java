package dev.daimon.pidfd;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.Pause;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Epoll;
import dev.daimon.posix.call.Files;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The one thread of this JVM that waits for the ends of processes, with its epoll instance. It
 * starts when the first descriptor is to be watched, and ends {@link #LINGER_MILLIS} after the last
 * one was removed.
 *
 * <p>Lock order: a thread that holds the lock of a {@link PidFd} may take the lock of this class.
 * This class calls a listener without its own lock.
 */
final class Watcher {
  /** Several waits in a row share one thread. */
  static final int LINGER_MILLIS = 500;

  static final String THREAD = "daimon-pidfd";

  private static final int BATCH = 128;

  /** Between two tries without memory, in ns. */
  static final long PAUSE_NANOS = 10_000_000;

  private static final byte[] ONE = {1, 0, 0, 0, 0, 0, 0, 0};

  private static @Nullable Watcher current;

  /** Is told of the end of a watched process, which its {@code toString} names. */
  interface Listener {
    /**
     * The process has ended, or perhaps another one that was watched by the same descriptor number.
     */
    void readable();

    /**
     * The thread cannot go on. It does not watch the descriptor any more. If this throws an {@link
     * OutOfMemoryError}, it is told again.
     */
    void failed(Throwable failure);
  }

  private final Map<Integer, Listener> watched = new HashMap<>();
  private final Descriptor epoll;

  /** Wakes the thread up, so that it sees that it is idle. */
  private final Descriptor wake;

  private Watcher(Descriptor epoll, Descriptor wake) {
    this.epoll = epoll;
    this.wake = wake;
  }

  /** Watches a descriptor, until {@link #remove}. If this throws, it does not. */
  static synchronized void add(int pidfd, Listener listener) throws PosixException {
    Watcher watcher = current;
    if (watcher == null) {
      watcher = start();
      current = watcher;
    }
    Integer key = pidfd;
    boolean added = false;
    watcher.watched.put(key, listener);
    try {
      // Edge-triggered: the end of a traced process is reported twice, for the tracer and then for
      // its parent, and in between there is nothing to do.
      PosixException.check(
          Epoll.add(watcher.epoll.number(), pidfd, Epoll.EPOLLIN | Epoll.EPOLLET),
          "epoll_ctl",
          listener);
      added = true;
    } finally {
      if (!added) {
        watcher.watched.remove(key);
      }
    }
  }

  /**
   * Stops watching a descriptor; to be called before it is closed. If this throws, the descriptor
   * is watched as before.
   */
  static synchronized void remove(int pidfd) {
    Watcher watcher = current;
    Integer key = pidfd;
    if (watcher == null || !watcher.watched.containsKey(key)) {
      return;
    }
    if (watcher.watched.size() == 1) {
      // The thread wakes up, and looks when this is done.
      Files.write(watcher.wake.number(), ONE);
    }
    Epoll.remove(watcher.epoll.number(), pidfd);
    watcher.watched.remove(key);
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
    try {
      watch();
    } catch (OutOfMemoryError scarce) {
      // Who begins to wait from now on is not to fail with those that wait already.
      retire();
      abandonAtLast(scarce);
    } catch (PosixException | RuntimeException | Error failure) {
      // The descriptor was closed elsewhere, for instance: no thread must wait for ever.
      abandonAtLast(failure);
    }
  }

  private void retire() {
    synchronized (Watcher.class) {
      if (current == this) {
        current = null;
      }
    }
  }

  private void watch() throws PosixException {
    int number = epoll.number();
    int[] ready = new int[BATCH];
    while (true) {
      int count = PosixException.check(Epoll.await(number, ready, timeout()), "epoll_wait", number);
      if (count == 0 && endIfIdle()) {
        return;
      }
      for (int i = 0; i < count; i++) {
        Listener listener = watched(ready[i]);
        if (listener != null) {
          listener.readable();
        }
      }
    }
  }

  private int timeout() {
    synchronized (Watcher.class) {
      return watched.isEmpty() ? LINGER_MILLIS : -1;
    }
  }

  private @Nullable Listener watched(int pidfd) {
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

  /** Gives up, as soon as there is memory for that. */
  private void abandonAtLast(Throwable failure) {
    for (boolean again = false; ; again = true) {
      try {
        if (again) {
          Pause.nanos(PAUSE_NANOS);
        }
        abandon(failure);
        return;
      } catch (OutOfMemoryError scarce) {
        // Until all is done that this thread alone can do.
      }
    }
  }

  /**
   * Gives up. This closes the descriptors before the next watcher is made, whose descriptors may
   * get the same numbers.
   */
  private void abandon(Throwable failure) {
    synchronized (Watcher.class) {
      close(failure);
      retire();
    }
    // From now on this thread alone uses the map.
    for (Listener listener : watched.values()) {
      listener.failed(failure);
    }
  }

  /** Closes both, also if other code has closed one of them. */
  private void close(Throwable failure) {
    close(wake, failure);
    close(epoll, failure);
  }

  private static void close(Descriptor descriptor, Throwable failure) {
    try {
      descriptor.close();
    } catch (PosixException closedElsewhere) {
      failure.addSuppressed(closedElsewhere);
    }
  }
}
