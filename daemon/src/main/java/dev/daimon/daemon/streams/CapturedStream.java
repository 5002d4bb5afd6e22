package dev.daimon.daemon.streams;

import dev.daimon.forking.MemoryFile;
import dev.daimon.forking.Pipe;
import dev.daimon.forking.StandardStream;
import dev.daimon.posix.Cleanup;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.io.Reader;
import java.nio.charset.Charset;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A standard stream of this process that the process itself reads.
 *
 * <p>The stream leads to a pipe, and a thread empties the pipe at once, so that printing never
 * waits for a reader. The thread keeps a limited number of characters. If nobody reads them, the
 * oldest lines are lost, and one line in their place says how many.
 *
 * <p>The pipe ends with this process: a child that has inherited the stream and outlives it gets
 * {@code SIGPIPE}, or {@code EPIPE}, for what it prints then.
 */
public final class CapturedStream extends Reader {
  /** The maximal number of characters that wait for a reader. */
  private static final int CAPACITY = 1 << 20;

  /** What each line counts besides its characters, since empty lines take memory as well. */
  private static final int LINE = 64;

  /** The maximal length of a line; a longer one is split. */
  private static final int MAX_LINE = 1 << 16;

  private final Deque<String> lines = new ArrayDeque<>();
  private int waiting;
  private long lost;
  private boolean ended;

  /** The line that is being read, up to the position. */
  private String current = "";

  private int position;

  private final BufferedReader reader = new BufferedReader(this);

  /** Null if nothing is copied. */
  private final @Nullable ErrorTee tee;

  private CapturedStream(@Nullable ErrorTee tee) {
    this.tee = tee;
  }

  /**
   * Captures a stream from now on; if that fails, the stream is as before.
   *
   * @param charset the character set in which Java prints to it
   * @param copy the file that gets a copy until the release; null for none
   */
  public static CapturedStream begin(
      StandardStream stream, Charset charset, @Nullable MemoryFile copy) throws IOException {
    try (Pipe pipe = Pipe.open()) {
      // Opened again, for a Java stream, while this process still has the right to.
      InputStream input = new FileInputStream("/proc/self/fd/" + pipe.readEnd().number());
      ErrorTee tee = copy == null ? null : new ErrorTee(input, copy);
      CapturedStream captured = new CapturedStream(tee);
      // If the stream does not become the pipe, the thread is at the end of the pipe at once.
      captured.start(tee == null ? input : tee, charset, stream);
      stream.redirect(pipe.writeEnd());
      if (tee != null) {
        tee.begin();
      }
      return captured;
    }
  }

  private void start(InputStream input, Charset charset, StandardStream stream) throws IOException {
    try {
      Thread thread = new Thread(() -> empty(input, charset), "daimon-captured-" + stream.name());
      thread.setDaemon(true);
      thread.start();
    } catch (OutOfMemoryError noThread) {
      IOException failure =
          new IOException(
              "there is no thread to capture " + stream + ": " + noThread.getMessage(), noThread);
      Cleanup.close(input, failure);
      throw failure;
    }
  }

  /** Returns the reader of the lines, for one thread at a time. */
  public BufferedReader reader() {
    return reader;
  }

  /** Ends the copying. */
  void release() throws IOException {
    if (tee != null) {
      tee.release();
    }
  }

  private void empty(InputStream input, Charset charset) {
    try (Reader text = new InputStreamReader(input, charset)) {
      char[] part = new char[8192];
      StringBuilder line = new StringBuilder();
      int count;
      while ((count = text.read(part)) >= 0) {
        for (int i = 0; i < count; i++) {
          line.append(part[i]);
          if (part[i] == '\n' || line.length() == MAX_LINE) {
            add(line.toString());
            line.setLength(0);
          }
        }
      }
      add(line.toString());
    } catch (IOException failure) {
      add("what was printed cannot be read: " + failure.getMessage() + "\n");
    }
    end();
  }

  private synchronized void add(String line) {
    lines.add(line);
    waiting += LINE + line.length();
    while (waiting > CAPACITY) {
      waiting -= LINE + lines.remove().length();
      lost++;
    }
    notifyAll();
  }

  private synchronized void end() {
    ended = true;
    notifyAll();
  }

  @Override
  public synchronized int read(char[] buffer, int offset, int length) throws IOException {
    while (position == current.length()) {
      while (lines.isEmpty() && !ended) {
        try {
          wait();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new InterruptedIOException("interrupted while waiting for a line");
        }
      }
      if (lines.isEmpty()) {
        return -1;
      }
      if (lost > 0) {
        current = "[" + lost + (lost == 1 ? " line" : " lines") + " lost]\n";
        lost = 0;
      } else {
        current = lines.remove();
        waiting -= LINE + current.length();
      }
      position = 0;
    }
    int count = Math.min(length, current.length() - position);
    current.getChars(position, position + count, buffer, offset);
    position += count;
    return count;
  }

  @Override
  public synchronized boolean ready() {
    return position < current.length() || !lines.isEmpty() || ended;
  }

  /** Does nothing to the stream: the process goes on printing to it. */
  @Override
  public void close() {}
}
