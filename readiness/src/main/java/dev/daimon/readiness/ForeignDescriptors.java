package dev.daimon.readiness;

import dev.daimon.posix.Resource;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Limits;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Closes descriptors that anybody may have sent.
 *
 * <p>The close of a FUSE file asks its server, which may never answer. The close of a socket may
 * wait for as long as its sender has set. So the caller closes pipes alone, as a barrier sends one,
 * and a thread closes all others.
 */
final class ForeignDescriptors {
  /** The most that may wait for a thread that hangs. */
  private static final long MAX_CROWD = 1024;

  /** The part of this process's descriptors that may wait: one in so many. */
  private static final long SHARE = 4;

  private final long crowd = crowd();

  /** Guarded by itself. */
  private final Queue<Integer> waiting = new ArrayDeque<>();

  /** Whether there is a thread that closes. Guarded by the queue. */
  private boolean isClosing;

  private static long crowd() {
    long[] limit = new long[2];
    int result = Limits.getrlimit(0, Resource.NOFILE.number(), limit);
    return result < 0 ? MAX_CROWD : Math.min(MAX_CROWD, Long.divideUnsigned(limit[0], SHARE));
  }

  /** Whether so many are waiting that no more should be received. */
  boolean isCrowded() {
    synchronized (waiting) {
      // While it is crowded, nobody closes any.
      startClosing();
      return waiting.size() >= crowd;
    }
  }

  void close(int[] descriptors) {
    synchronized (waiting) {
      for (int descriptor : descriptors) {
        // Asks no server, as fstat would.
        if (Files.fcntl(descriptor, Files.F_GETPIPE_SZ, 0) > 0) {
          int _ = Files.close(descriptor);
        } else {
          waiting.add(descriptor);
        }
      }
      startClosing();
    }
  }

  /** Without a thread they wait for the next call. */
  private void startClosing() {
    if (!isClosing && !waiting.isEmpty()) {
      isClosing = start(this::closeWaiting);
    }
  }

  /** Starts a thread for calls that may hang; returns whether there is one. */
  static boolean start(Runnable calls) {
    try {
      Thread thread = new Thread(calls, "daimon-close");
      thread.setDaemon(true);
      thread.start();
      return true;
    } catch (OutOfMemoryError none) {
      return false;
    }
  }

  private void closeWaiting() {
    try {
      while (true) {
        Integer descriptor;
        synchronized (waiting) {
          descriptor = waiting.poll();
          if (descriptor == null) {
            isClosing = false;
            return;
          }
        }
        // Nobody is to be told: it is somebody else's file.
        int _ = Files.close(descriptor);
      }
    } catch (OutOfMemoryError scarce) {
      // Whether it is open cannot be told, and a second close might be of another file. The next
      // call starts another thread.
      synchronized (waiting) {
        isClosing = false;
      }
    }
  }
}
