package dev.daimon.daemon.streams;

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
 * Reads captured standard error and copies it for the launcher, which shows the last lines of a
 * daemon that never was ready.
 *
 * <p>When the JVM is shut down, the rest of the pipe is read first.
 */
final class ErrorTee extends FilterInputStream {
  /** How long the rest is read at most, since children may have the pipe open as well, in ms. */
  private static final long DRAIN_MILLIS = 1000;

  private final MemoryFile copy;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread atExit = new Thread(this::drain, "daimon-last-lines");

  /**
   * Guarded by this and by the copy. The reading thread takes the copy's lock alone: it must not
   * wait for a thread that waits for it to empty the pipe.
   */
  private boolean over;

  /** Copies everything to a file in memory, which the {@linkplain #release end} closes. */
  ErrorTee(InputStream input, MemoryFile copy) {
    super(input);
    this.copy = copy;
  }

  /** Begins to await the end of the JVM, once standard error leads to the pipe. */
  void begin() {
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int count = super.read(buffer, offset, length);
    if (count < 0) {
      ended.countDown();
    } else {
      keep(buffer, offset, count);
    }
    return count;
  }

  private void keep(byte[] buffer, int offset, int count) {
    synchronized (copy) {
      if (!over) {
        try {
          copy.write(Arrays.copyOfRange(buffer, offset, offset + count));
        } catch (PosixException | OutOfMemoryError full) {
          // As if standard error led to the file itself.
          return;
        }
      }
    }
  }

  /** Redirects standard error to the copy, so that the pipe comes to its end. */
  private void drain() {
    try {
      if (redirect()) {
        boolean _ = ended.await(DRAIN_MILLIS, TimeUnit.MILLISECONDS);
      }
    } catch (PosixException | InterruptedException ignored) {
      // The JVM ends; nobody can be told any more.
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

  /** Ends the copying, because the daemon is ready. A second call does nothing. */
  synchronized void release() throws PosixException {
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException shuttingDown) {
      // The JVM ends, and the hook runs instead.
      return;
    }
    synchronized (copy) {
      over = true;
      copy.close();
    }
  }
}
