package dev.daimon.posix;

import dev.daimon.posix.call.Files;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Converts a {@link Path} to its exact bytes and back, in every locale.
 *
 * <p>A {@code Path} keeps the bytes of a file's name, but its string form is decoded by the
 * locale's character set: with {@code LC_ALL=C} everything beyond ASCII becomes a question mark.
 * This class uses the URI form, which keeps the bytes.
 */
public final class NativePath {
  /** The bytes that stand for themselves in the URI made here. */
  private static final String UNRESERVED =
      "/-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

  /**
   * The JVM's working directory if {@code user.dir} does not have its exact bytes, so that {@code
   * toAbsolutePath} would be another path; otherwise null.
   */
  private static final class WorkingDirectory {
    static final byte @Nullable [] LOST = find(System.getProperty("user.dir", ""));

    private static byte @Nullable [] find(String directory) {
      if (directory.indexOf('?') < 0 && directory.indexOf('\uFFFD') < 0) {
        return null;
      }
      byte[] buffer = new byte[4096];
      byte[] link = "/proc/self/cwd".getBytes(StandardCharsets.US_ASCII);
      int length = Files.readlink(link, buffer);
      return length < 0 ? null : Arrays.copyOf(buffer, length);
    }
  }

  private NativePath() {}

  /**
   * Returns the bytes of the path, made absolute against the JVM's working directory at its start.
   *
   * @param path any path of the default file system
   * @return the bytes that a system call takes, without a NUL at the end
   * @throws ProviderMismatchException if it is a path of another file system, such as that of an
   *     archive
   */
  public static byte[] bytes(Path path) {
    requireDefault(path);
    byte[] directory = WorkingDirectory.LOST;
    if (directory == null || path.isAbsolute()) {
      return absoluteBytes(path.toAbsolutePath());
    }
    byte[] below = absoluteBytes(Path.of("/").resolve(path));
    if (below.length == 1) {
      return directory.clone();
    }
    byte[] bytes = Arrays.copyOf(directory, directory.length + below.length);
    System.arraycopy(below, 0, bytes, directory.length, below.length);
    return bytes;
  }

  /**
   * Makes a path absolute against the JVM's working directory at its start, as {@link #bytes} does.
   * {@link Path#toAbsolutePath} makes another path of it where the locale cannot decode the name of
   * that directory.
   *
   * @param path any path of the default file system
   * @return the path itself if it is absolute
   * @throws ProviderMismatchException as {@link #bytes}
   */
  public static Path absolute(Path path) {
    requireDefault(path);
    return path.isAbsolute() ? path : of(bytes(path));
  }

  private static void requireDefault(Path path) {
    FileSystem system = Objects.requireNonNull(path, "path").getFileSystem();
    if (!system.equals(FileSystems.getDefault())) {
      throw new ProviderMismatchException(path + " is no path of the default file system");
    }
  }

  private static byte[] absoluteBytes(Path absolute) {
    String text = absolute.toString();
    if (isPlain(text)) {
      return text.getBytes(StandardCharsets.ISO_8859_1);
    }
    String raw = absolute.toUri().getRawPath();
    // A directory's URI ends with a slash, its path does not.
    int end = raw.length() > 1 && raw.endsWith("/") ? raw.length() - 1 : raw.length();
    byte[] bytes = new byte[end];
    int length = 0;
    for (int i = 0; i < end; i++) {
      if (raw.charAt(i) == '%') {
        bytes[length++] = (byte) Integer.parseInt(raw, i + 1, i + 3, 16);
        i += 2;
      } else {
        bytes[length++] = (byte) raw.charAt(i);
      }
    }
    return Arrays.copyOf(bytes, length);
  }

  /**
   * Returns the path of these bytes.
   *
   * @param bytes an absolute path
   * @return the path whose file names are these very bytes
   * @throws IllegalArgumentException if the path is not absolute, or holds a NUL byte
   */
  public static Path of(byte[] bytes) {
    Objects.requireNonNull(bytes, "bytes");
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    if (!text.startsWith("/")) {
      throw new IllegalArgumentException("not an absolute path: " + text);
    }
    if (isPlain(text)) {
      return Path.of(text);
    }
    StringBuilder uri = new StringBuilder("file://");
    byte previous = 0;
    for (byte b : bytes) {
      if (b == '/' && previous == '/') {
        continue;
      }
      previous = b;
      if (UNRESERVED.indexOf(b) >= 0) {
        uri.append((char) b);
      } else {
        uri.append('%').append(Character.forDigit(b >> 4 & 15, 16));
        uri.append(Character.forDigit(b & 15, 16));
      }
    }
    return Path.of(URI.create(uri.toString()));
  }

  /**
   * Whether the text is the same bytes in every locale: ASCII, and no mark of a failed decoding.
   */
  private static boolean isPlain(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x80 || c == 0 || c == '?') {
        return false;
      }
    }
    return true;
  }
}
