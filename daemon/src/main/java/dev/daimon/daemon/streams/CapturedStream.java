package dev.daimon.daemon.streams;

import dev.daimon.forking.MemoryFile;
import dev.daimon.forking.Pipe;
import dev.daimon.forking.StandardStream;
import dev.daimon.posix.Cleanup;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A standard stream of this process that the process itself reads.
 *
 * <p>The stream leads to a pipe, and a thread empties the pipe at once, so that printing never
 * waits for a reader. The thread keeps a limited number of characters. If nobody reads them, the
 * oldest lines are lost, and one line in their place says how many. A line for which there is no
 * memory is lost, too, and counts among them.
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

  /** How many bytes are read at once. */
  private static final int PART = 8192;

  /** Of its final size, so that it need not grow: a failure of that would empty it. */
  private final Deque<String> lines = new ArrayDeque<>(CAPACITY / LINE + 1);

  private int waiting;
  private long lost;
  private boolean ended;

  /** The line that is being read, up to the position. */
  private String current = "";

  private int position;

  private final BufferedReader reader = new BufferedReader(this);

  /** The beginning of the next line; this and the next field are for the thread alone. */
  private final StringBuilder incoming = new StringBuilder();

  /** Whether the beginning of the next line is lost. */
  private boolean broken;

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
      CharsetDecoder decoder =
          charset
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPLACE)
              .onUnmappableCharacter(CodingErrorAction.REPLACE);
      // All that the thread needs to empty the pipe, since there may be no memory left later.
      ByteBuffer bytes = ByteBuffer.allocate(PART);
      CharBuffer chars = CharBuffer.allocate(PART);
      Thread thread =
          new Thread(() -> empty(input, decoder, bytes, chars), "daimon-captured-" + stream.name());
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

  private void empty(
      InputStream input, CharsetDecoder decoder, ByteBuffer bytes, CharBuffer chars) {
    try (input) {
      int count;
      while ((count = read(input, bytes)) >= 0) {
        bytes.position(bytes.position() + count).flip();
        take(decoder, bytes, chars, /* isEnd= */ false);
        bytes.compact();
      }
      take(decoder, bytes.flip(), chars, /* isEnd= */ true);
      if (broken) {
        lose();
      }
      add(incoming.toString());
    } catch (IOException failure) {
      add("what was printed cannot be read: " + failure.getMessage() + "\n");
    } finally {
      end();
    }
  }

  private static int read(InputStream input, ByteBuffer bytes) throws IOException {
    int start = bytes.arrayOffset() + bytes.position();
    return input.read(bytes.array(), start, bytes.remaining());
  }

  /** Takes the characters of the bytes; what cannot be decoded for want of memory is lost. */
  private void take(CharsetDecoder decoder, ByteBuffer bytes, CharBuffer chars, boolean isEnd) {
    try {
      boolean isMore = true;
      while (isMore) {
        isMore = decoder.decode(bytes, chars, isEnd).isOverflow();
        if (isEnd && !isMore) {
          isMore = decoder.flush(chars).isOverflow();
        }
        chars.flip();
        while (chars.hasRemaining()) {
          take(chars.get());
        }
        chars.clear();
      }
    } catch (OutOfMemoryError scarce) {
      decoder.reset();
      bytes.position(bytes.limit());
      chars.clear();
      breakOff();
    }
  }

  private void take(char c) {
    try {
      if (!broken) {
        incoming.append(c);
        if (c == '\n' || incoming.length() == MAX_LINE) {
          add(incoming.toString());
          incoming.setLength(0);
        }
      }
    } catch (OutOfMemoryError scarce) {
      breakOff();
    }
    if (broken && c == '\n') {
      broken = false;
      lose();
    }
  }

  private void breakOff() {
    incoming.setLength(0);
    broken = true;
  }

  private synchronized void lose() {
    lost++;
    notifyAll();
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
      while (lines.isEmpty() && lost == 0 && !ended) {
        try {
          wait();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new InterruptedIOException("interrupted while waiting for a line");
        }
      }
      if (lost > 0) {
        current = "[" + lost + (lost == 1 ? " line" : " lines") + " lost]\n";
        lost = 0;
      } else if (lines.isEmpty()) {
        return -1;
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
    return position < current.length() || !lines.isEmpty() || lost > 0 || ended;
  }

  /** Does nothing to the stream: the process goes on printing to it. */
  @Override
  public void close() {}
}
