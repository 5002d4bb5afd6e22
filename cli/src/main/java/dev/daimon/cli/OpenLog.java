package dev.daimon.cli;

import dev.daimon.locking.LockedFile;
import dev.daimon.posix.Cleanup;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A log that is open, and how far it was printed. One that is emptied meanwhile, as a rotation with
 * {@code copytruncate} does, is printed from its beginning. For one thread.
 */
final class OpenLog implements AutoCloseable {
  /** How much is read at once, in bytes: lines may be longer. */
  private static final int PART = 64 * 1024;

  /**
   * How much of what was read last is compared, in bytes. If it has changed, the log was emptied,
   * and was filled again before this was noticed.
   */
  private static final int COMPARED = 256;

  private final LockedFile open;
  private final RandomAccessFile file;
  private final byte[] buffer = new byte[COMPARED + PART];

  /** Up to where it was printed; the bytes before that are compared. */
  private long position;

  private byte[] before = {};

  private OpenLog(LockedFile open, RandomAccessFile file) {
    this.open = open;
    this.file = file;
  }

  /**
   * Opens a log. This never blocks, not even on a FIFO.
   *
   * @return the log, printed up to its beginning; null if there is none
   */
  static @Nullable OpenLog at(Path path) throws IOException {
    LockedFile open = LockedFile.open(path).orElse(null);
    if (open == null) {
      return null;
    }
    try {
      // Opened again by its descriptor: the path may lead to another file now.
      return new OpenLog(
          open, new RandomAccessFile("/proc/self/fd/" + open.descriptor().number(), "r"));
    } catch (IOException | RuntimeException failure) {
      Cleanup.close(open, failure);
      throw failure;
    }
  }

  /** The path at which it was opened. */
  Path path() {
    return open.path();
  }

  /** Whether that path still leads to it. */
  boolean isAtPath() throws IOException {
    return open.isAtPath();
  }

  /** Passes over all but the last lines. */
  void skipTo(long lines) throws IOException {
    try {
      skip(lines);
    } catch (EOFException emptied) {
      position = 0;
    }
  }

  private void skip(long lines) throws IOException {
    long start = lines == 0 ? file.length() : startOf(lines);
    int compared = (int) Math.min(COMPARED, start);
    byte[] bytes = new byte[compared];
    file.seek(start - compared);
    file.readFully(bytes);
    position = start;
    before = bytes;
  }

  /** Where the last lines begin. A line feed at the end of the log ends the last line. */
  private long startOf(long lines) throws IOException {
    if (lines == Long.MAX_VALUE) {
      // All of them: there is nothing to count.
      return 0;
    }
    long end = file.length();
    long left = lines;
    for (long at = end; at > 0; at -= PART) {
      long start = Math.max(0, at - PART);
      int length = (int) (at - start);
      file.seek(start);
      file.readFully(buffer, 0, length);
      for (int i = length - 1; i >= 0; i--) {
        if (buffer[i] == '\n' && start + i != end - 1 && --left == 0) {
          return start + i + 1;
        }
      }
    }
    return 0;
  }

  /** Prints what was written since the last time. */
  void print(LogPrinter.Log log) throws IOException {
    while (true) {
      file.seek(position - before.length);
      int count = Math.max(0, file.read(buffer));
      if (!beginsAsBefore(count)) {
        position = 0;
        before = new byte[0];
        continue;
      }
      int added = count - before.length;
      if (added == 0) {
        return;
      }
      log.print(buffer, before.length, added);
      position += added;
      before = Arrays.copyOfRange(buffer, Math.max(0, count - COMPARED), count);
    }
  }

  private boolean beginsAsBefore(int count) {
    return count >= before.length
        && Arrays.equals(buffer, 0, before.length, before, 0, before.length);
  }

  @Override
  public void close() throws IOException {
    try (open) {
      file.close();
    }
  }
}
