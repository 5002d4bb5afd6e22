package dev.daimon.daemon;

import dev.daimon.forking.MemoryFile;
import dev.daimon.forking.StandardStream;
import dev.daimon.posix.PosixException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Captured standard error as it is read, with a copy for the launcher, which tells the last lines
 * of a daemon that never was ready.
 *
 * <p>What is still in the pipe when the JVM is shut down is waited for.
 */
final class ErrorTee extends FilterInputStream {
  /** How long the pipe is read at most, if others have it open as well, in ms. */
  private static final long DRAIN_MILLIS = 1000;

  private final MemoryFile copy;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread atExit = new Thread(this::drain, "daimon-last-words");

  /**
   * Guarded by this and by the copy: the reading thread may not wait for one that waits for it to
   * empty the pipe.
   */
  private boolean over;

  /** Copies what is read to a file in memory, which this object closes. */
  ErrorTee(InputStream input, MemoryFile copy) {
    super(input);
    this.copy = copy;
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int count = super.read(buffer, offset, length);
    if (count < 0) {
      ended.countDown();
    } else {
      keep(Arrays.copyOfRange(buffer, offset, offset + count));
    }
    return count;
  }

  private void keep(byte[] bytes) {
    synchronized (copy) {
      if (!over) {
        try {
          copy.write(bytes);
        } catch (PosixException full) {
          // As where standard error leads there without us.
          return;
        }
      }
    }
  }

  /** What is printed from now on goes to the copy alone, so that the pipe comes to its end. */
  private void drain() {
    try {
      if (redirect()) {
        boolean _ = ended.await(DRAIN_MILLIS, TimeUnit.MILLISECONDS);
      }
    } catch (PosixException | InterruptedException untold) {
      // There is nobody to tell it any more.
      return;
    }
  }

  private synchronized boolean redirect() throws PosixException {
    if (over) {
      return false;
    }
    StandardStream.ERROR.redirect(copy.descriptor());
    return true;
  }

  /** Keeps nothing any more: the daemon is ready. A second call does nothing. */
  synchronized void release() throws PosixException {
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException shuttingDown) {
      // Then it does what is still to be done.
      return;
    }
    synchronized (copy) {
      over = true;
      copy.close();
    }
  }
}
