package dev.daimon.privileges;

import dev.daimon.posix.NativePath;
import dev.daimon.posix.call.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * What the calling thread may do to files: with the ids that it would open them with, also inside
 * of {@link Identity#accessFiles}, of which Java's own questions know nothing.
 *
 * <p>Race: an answer is as old as the call. Before Linux 5.8 the kernel is asked for the real user
 * instead.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/access.2.html">faccessat2(2)</a>
 */
public final class FileAccess {
  private FileAccess() {}

  /**
   * Tells whether a file can be opened for writing.
   *
   * @param file the file; a relative path counts from the working directory
   * @return whether it is there and may be written to
   */
  public static boolean mayWrite(Path file) {
    Objects.requireNonNull(file, "file");
    return Files.eaccess(NativePath.bytes(file), Files.W_OK) == 0;
  }

  /**
   * Tells whether files can be created in a directory.
   *
   * @param directory the directory; a relative path counts from the working directory
   * @return whether it is there, and may be written to and searched
   */
  public static boolean mayCreateIn(Path directory) {
    Objects.requireNonNull(directory, "directory");
    return Files.eaccess(NativePath.bytes(directory), Files.W_OK | Files.X_OK) == 0;
  }
}
