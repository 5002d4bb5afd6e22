package dev.daimon.readiness;

import dev.daimon.posix.call.Files;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Closes descriptors that anybody may have sent.
 *
 * <p>The close of a FUSE file asks its server, which may never answer. The close of a socket may
 * wait for as long as its sender has set. So the caller closes pipes alone, as a barrier sends one,
 * and a thread closes all others.
 */
final class ForeignDescriptors {
  /** How many may wait for a thread that hangs. */
  static final int CROWD = 1024;

  /** Guarded by itself. */
  private final Queue<Integer> waiting = new ArrayDeque<>();

  /** The thread that closes; null if there is none. Guarded by the queue. */
  private @Nullable Thread closer;

  /** Whether so many are waiting that no more should be received. */
  boolean isCrowded() {
    synchronized (waiting) {
      return waiting.size() >= CROWD;
    }
  }

  void close(int[] descriptors) {
    for (int descriptor : descriptors) {
      // Asks no server, as fstat would.
      if (Files.fcntl(descriptor, Files.F_GETPIPE_SZ, 0) > 0) {
        int _ = Files.close(descriptor);
      } else {
        hand(descriptor);
      }
    }
  }

  private void hand(int descriptor) {
    synchronized (waiting) {
      waiting.add(descriptor);
      if (closer == null) {
        Thread thread =
            new Thread("daimon-close") {
              @Override
              public void run() {
                closeWaiting();
              }
            };
        thread.setDaemon(true);
        thread.start();
        closer = thread;
      }
    }
  }

  private void closeWaiting() {
    while (true) {
      Integer descriptor;
      synchronized (waiting) {
        descriptor = waiting.poll();
        if (descriptor == null) {
          closer = null;
          return;
        }
      }
      // Nobody is to be told: it is somebody else's file.
      int _ = Files.close(descriptor);
    }
  }
}
