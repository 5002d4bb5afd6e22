package dev.daimon.posix.call;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads files and directories of {@code /proc}, as text with one character for each byte. */
public final class ProcFiles {
  /**
   * How many bytes of a file are read at most. A process can make some of its files as long as it
   * likes, its command line for instance.
   */
  public static final int LIMIT = 128 * 1024;

  private static final int PAGE = 4096;

  private ProcFiles() {}

  /** Reads a file of any number of records, up to {@link #LIMIT}. */
  public static String read(String path) throws PosixException {
    return read(path, /* oneRecord= */ false);
  }

  /**
   * Reads a file that the kernel makes in one piece, as it does the files of a process that are not
   * lists: a read that does not fill the buffer has got everything, so no second read is made. Up
   * to {@link #LIMIT}.
   */
  public static String readRecord(String path) throws PosixException {
    return read(path, /* oneRecord= */ true);
  }

  /**
   * Reads the name of a process's program: UTF-8, without the line feed at the end; one in the name
   * stays.
   */
  public static String programName(long pid) throws PosixException {
    String line = readRecord(ProcDirectory.of(pid).concat("/comm"));
    byte[] bytes = line.getBytes(StandardCharsets.ISO_8859_1);
    return new String(bytes, 0, Math.max(0, bytes.length - 1), StandardCharsets.UTF_8);
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
   * A list of any length, read a page at a time, so that a long one takes no more memory. For one
   * thread.
   */
  public static final class Lines implements AutoCloseable {
    private final String path;
    private final Descriptor file;
    private final byte[] buffer = new byte[PAGE];

    /** The beginning of a line whose end is not read yet. */
    private String rest = "";

    /** Opens the list. */
    public Lines(String path) throws PosixException {
      this.path = path;
      this.file = open(path);
    }

    /** Returns the next complete lines, each with its line feed; null at the end. */
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

  /** The names in a directory of any size, read a page at a time. For one thread. */
  public static final class Names implements AutoCloseable {
    private final String path;
    private final @Nullable Descriptor directory;
    private final byte[] buffer = new byte[PAGE];
    private final ByteBuffer view = ByteBuffer.wrap(buffer).order(ByteOrder.nativeOrder());
    private final Charset charset;
    private int end;
    private int next;

    /** Opens a directory of {@code /proc}; each character of a name is a byte. */
    public Names(String path) throws PosixException {
      this(path.getBytes(StandardCharsets.US_ASCII), StandardCharsets.ISO_8859_1);
    }

    /**
     * Opens any directory. If it does not exist any more, there are no names.
     *
     * @throws PosixException if the caller may not list it ({@code EACCES})
     */
    public Names(byte[] path, Charset charset) throws PosixException {
      this.path = new String(path, StandardCharsets.UTF_8);
      this.charset = charset;
      int flags = Files.O_RDONLY | Files.O_DIRECTORY | Files.O_CLOEXEC;
      int number = Files.open(path, flags, 0);
      directory =
          isGone(number) ? null : Descriptor.adopt(PosixException.check(number, "open", this.path));
    }

    private static boolean isGone(int result) {
      return result == -Errno.ENOENT.number() || result == -Errno.ESRCH.number();
    }

    /** Returns the next name other than "." and ".."; null at the end. */
    public @Nullable String next() throws PosixException {
      while (directory != null) {
        if (next == end) {
          int count = Files.getdents(directory.number(), buffer);
          if (count == 0 || isGone(count)) {
            return null;
          }
          end = PosixException.check(count, "getdents64", path);
          next = 0;
        }
        int place = next;
        String name = name(buffer, place + Layouts.dirent.d_name);
        next += view.getShort(place + Layouts.dirent.d_reclen);
        if (!name.equals(".") && !name.equals("..")) {
          return name;
        }
      }
      return null;
    }

    private String name(byte[] entries, int start) {
      int nameEnd = start;
      while (entries[nameEnd] != 0) {
        nameEnd++;
      }
      return new String(entries, start, nameEnd - start, charset);
    }

    @Override
    public void close() throws PosixException {
      if (directory != null) {
        directory.close();
      }
    }
  }

  /**
   * Lists a short directory.
   *
   * @return the names; none if the directory does not exist any more
   * @throws PosixException if the caller may not list it ({@code EACCES})
   */
  public static List<String> list(String path) throws PosixException {
    List<String> list = new ArrayList<>();
    try (Names names = new Names(path)) {
      String name;
      while ((name = names.next()) != null) {
        list.add(name);
      }
    }
    return list;
  }
}
