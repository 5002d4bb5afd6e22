package dev.daimon.daemon;

import dev.daimon.forking.MemoryFile;
import dev.daimon.forking.Pipe;
import dev.daimon.forking.StandardStream;
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
 * What this process prints to one of its streams, for itself to read.
 *
 * <p>The stream leads into a pipe, which a thread empties at once, so nobody who prints has to wait
 * for a reader. It keeps a limited number of characters: of a flood that nobody reads, the oldest
 * lines are lost, and a line in their place tells how many.
 *
 * <p>The pipe ends with this process: a child that has inherited the stream and outlives it gets
 * {@code SIGPIPE}, or {@code EPIPE}, for what it prints then.
 */
final class CapturedStream extends Reader {
  /** How many characters wait for a reader at most. */
  private static final int CAPACITY = 1 << 20;

  /** What a line counts besides its characters: a million empty ones take memory as well. */
  private static final int LINE = 64;

  /** As long as a line may be; a longer one is taken apart. */
  private static final int MAX_LINE = 1 << 16;

  private final Deque<String> lines = new ArrayDeque<>();
  private int waiting;
  private long lost;
  private boolean ended;

  /** The line that is being read, and how far. */
  private String current = "";

  private int position;

  private final BufferedReader reader = new BufferedReader(this);

  /** Null if nobody else wants to know it. */
  private final @Nullable ErrorTee lastWords;

  private CapturedStream(@Nullable ErrorTee lastWords) {
    this.lastWords = lastWords;
  }

  /**
   * Lets a stream lead here.
   *
   * @param charset in which Java prints to it
   * @param copy what gets a copy until it is released; null for nothing
   */
  static CapturedStream begin(StandardStream stream, Charset charset, @Nullable MemoryFile copy)
      throws IOException {
    try (Pipe pipe = Pipe.open()) {
      // Opened anew, as a Java stream, while this process certainly may.
      InputStream input = new FileInputStream("/proc/self/fd/" + pipe.readEnd().number());
      stream.redirect(pipe.writeEnd());
      ErrorTee lastWords = copy == null ? null : new ErrorTee(input, copy);
      CapturedStream captured = new CapturedStream(lastWords);
      Thread thread =
          new Thread(
              () -> captured.empty(lastWords == null ? input : lastWords, charset),
              "daimon-captured-" + stream.name());
      thread.setDaemon(true);
      thread.start();
      return captured;
    }
  }

  /** {@return the lines; read by one thread at a time} */
  BufferedReader reader() {
    return reader;
  }

  /** From now on nobody gets a copy. */
  void release() throws IOException {
    if (lastWords != null) {
      lastWords.release();
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

  /** The stream goes on; it is only not read any more. */
  @Override
  public void close() {}
}
