package dev.daimon.control;

import dev.daimon.posix.Descriptor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What is written to an output file from now on. A file that is emptied meanwhile, as a log
 * rotation does, is read from its beginning.
 *
 * <p>For use by one thread.
 */
public final class OutputTail implements AutoCloseable {
  /** How much of the end is looked at, in bytes. */
  private static final int TAIL = 2048;

  private static final int LINES = 10;

  private final RandomAccessFile file;

  /** The size when this object was made: what was written before is of no interest. */
  private long start;

  private long position;
  private boolean truncated;

  private OutputTail(RandomAccessFile file) throws IOException {
    this.file = file;
    start = file.length();
    position = start;
  }

  /**
   * Opens an output file a second time, for reading. Its position and locks are not shared.
   *
   * @param output an open descriptor of the file
   * @return the end of the file, empty so far; to be closed by the caller
   * @throws IOException if it is not a regular file, or this process may not read it
   */
  public static OutputTail of(Descriptor output) throws IOException {
    Objects.requireNonNull(output, "output");
    Path path = Path.of("/proc/self/fd/" + output.number());
    if (!Files.isRegularFile(path)) {
      throw new IOException(Files.readSymbolicLink(path) + ": not a regular file, cannot be read");
    }
    RandomAccessFile file = new RandomAccessFile(path.toString(), "r");
    try {
      return new OutputTail(file);
    } catch (IOException failure) {
      try (file) {
        throw failure;
      }
    }
  }

  /** Reads the next bytes; returns their number, which is 0 if there are none yet. */
  int read(byte[] buffer) throws IOException {
    truncated = file.length() < position;
    if (truncated) {
      start = 0;
      position = 0;
    }
    file.seek(position);
    int count = Math.max(0, file.read(buffer));
    position += count;
    return count;
  }

  /** Whether the file was found shorter than before by the last {@link #read}. */
  boolean wasTruncated() {
    return truncated;
  }

  /**
   * Returns the last lines that were written since this object was made: 10 at most, of the last
   * 2048 bytes.
   *
   * @return the lines, with any characters; bytes that are no UTF-8 are replaced
   * @throws IOException if the file cannot be read
   */
  public List<String> lastLines() throws IOException {
    long size = file.length();
    long first = size < start ? 0 : start;
    long from = Math.max(first, size - TAIL);
    byte[] bytes = new byte[(int) (size - from)];
    file.seek(from);
    int count = 0;
    int read;
    while (count < bytes.length && (read = file.read(bytes, count, bytes.length - count)) > 0) {
      count += read;
    }
    String text = new String(bytes, 0, count, StandardCharsets.UTF_8);
    List<String> lines = new ArrayList<>(text.lines().toList());
    if (from > first && lines.size() > 1) {
      // The first one is cut.
      lines.removeFirst();
    }
    lines.removeIf(String::isBlank);
    return lines.size() <= LINES ? lines : lines.subList(lines.size() - LINES, lines.size());
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
