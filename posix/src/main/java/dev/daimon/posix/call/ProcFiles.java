package dev.daimon.posix.call;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.io.File;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What {@code /proc} shows, as text with one character for each byte. */
public final class ProcFiles {
  private ProcFiles() {}

  /** Reads a whole file, of as many records as it may have. */
  public static String read(String path) throws PosixException {
    return read(path, /* oneRecord= */ false);
  }

  /**
   * Reads a file that the kernel makes in one piece, as it does those of a process but for the
   * lists in them: what does not fill the buffer is all there is, and need not be asked for again.
   */
  public static String readRecord(String path) throws PosixException {
    return read(path, /* oneRecord= */ true);
  }

  private static String read(String path, boolean oneRecord) throws PosixException {
    byte[] buffer = new byte[4096];
    String content = "";
    int flags = Files.O_RDONLY | Files.O_CLOEXEC;
    int number = Files.open(path.getBytes(StandardCharsets.US_ASCII), flags, 0);
    try (Descriptor file = Descriptor.adopt(PosixException.check(number, "open", path))) {
      int count;
      while ((count = PosixException.check(Files.read(file.number(), buffer), "read", path)) > 0) {
        content = content.concat(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
        if (oneRecord && count < buffer.length) {
          break;
        }
      }
    }
    return content;
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
