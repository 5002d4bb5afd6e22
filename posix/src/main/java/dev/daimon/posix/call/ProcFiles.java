package dev.daimon.posix.call;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.io.File;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What {@code /proc} shows, as text with one character for each byte. */
public final class ProcFiles {
  /**
   * What is read of a file at most, in bytes. A process can make some of its own as long as it
   * likes, its command line for instance.
   */
  public static final int LIMIT = 128 * 1024;

  private static final int PAGE = 4096;

  private ProcFiles() {}

  /** Reads a file, of as many records as it may have, up to {@link #LIMIT}. */
  public static String read(String path) throws PosixException {
    return read(path, /* oneRecord= */ false);
  }

  /**
   * Reads a file that the kernel makes in one piece, as it does those of a process but for the
   * lists in them: what does not fill the buffer is all there is, and need not be asked for again.
   * Up to {@link #LIMIT}.
   */
  public static String readRecord(String path) throws PosixException {
    return read(path, /* oneRecord= */ true);
  }

  private static String read(String path, boolean oneRecord) throws PosixException {
    byte[] buffer = new byte[PAGE];
    StringBuilder content = new StringBuilder(0);
    try (Descriptor file = open(path)) {
      int count;
      while (content.length() < LIMIT
          && (count = PosixException.check(Files.read(file.number(), buffer), "read", path)) > 0) {
        String page = new String(buffer, 0, count, StandardCharsets.ISO_8859_1);
        if (oneRecord && count < buffer.length && content.isEmpty()) {
          return page;
        }
        content.append(page);
        if (oneRecord && count < buffer.length) {
          break;
        }
      }
    }
    return content.toString();
  }

  private static Descriptor open(String path) throws PosixException {
    int flags = Files.O_RDONLY | Files.O_CLOEXEC;
    int number = Files.open(path.getBytes(StandardCharsets.US_ASCII), flags, 0);
    return Descriptor.adopt(PosixException.check(number, "open", path));
  }

  /**
   * A list that may be of any length, read a page at a time: nobody can make it cost memory. For
   * one thread.
   */
  public static final class Lines implements AutoCloseable {
    private final String path;
    private final Descriptor file;
    private final byte[] buffer = new byte[PAGE];

    /** The beginning of a line that is not read to its end yet. */
    private String rest = "";

    /** Opens the list. */
    public Lines(String path) throws PosixException {
      this.path = path;
      this.file = open(path);
    }

    /** The next lines, whole, each with its line feed; null at the end. */
    public @Nullable String next() throws PosixException {
      int count;
      while ((count = PosixException.check(Files.read(file.number(), buffer), "read", path)) > 0) {
        String text = rest.concat(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
        int end = text.lastIndexOf('\n') + 1;
        rest = text.substring(end);
        if (end > 0) {
          return text.substring(0, end);
        }
      }
      return null;
    }

    @Override
    public void close() throws PosixException {
      file.close();
    }
  }

  /**
   * Lists a directory.
   *
   * @return the names; none if it is gone by now
   * @throws PosixException if it may not be listed ({@code EACCES})
   */
  public static String[] list(String path) throws PosixException {
    String @Nullable [] names = new File(path).list();
    if (names != null) {
      return names;
    }
    int flags = Files.O_RDONLY | Files.O_DIRECTORY | Files.O_CLOEXEC;
    int number = Files.open(path.getBytes(StandardCharsets.US_ASCII), flags, 0);
    if (number == -Errno.ENOENT.number() || number == -Errno.ESRCH.number()) {
      return new String[0];
    }
    // Of one that can be opened by now, it is the names that were not for us.
    Descriptor.adopt(PosixException.check(number, "open", path)).close();
    return new String[0];
  }
}
