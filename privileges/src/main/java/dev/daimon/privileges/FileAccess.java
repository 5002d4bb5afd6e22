package dev.daimon.privileges;

import dev.daimon.posix.NativePath;
import dev.daimon.posix.call.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Tells what the calling thread may do to files. It uses the ids with which the thread opens files,
 * inside of {@link Identity#accessFiles} too; Java's own methods, such as {@link
 * java.nio.file.Files#isWritable}, do not.
 *
 * <p>Race: the answer may be out of date when the caller gets it. Before Linux 5.8, and where a
 * system call filter refuses {@code faccessat2}, the answer is for the real user instead.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/access.2.html">faccessat2(2)</a>
 */
public final class FileAccess {
  private FileAccess() {}

  /**
   * Tells whether a file can be opened for writing.
   *
   * @param file the file; a relative path counts from the working directory
   * @return whether the file exists and the thread may write to it
   */
  public static boolean mayWrite(Path file) {
    Objects.requireNonNull(file, "file");
    return Files.eaccess(NativePath.bytes(file), Files.W_OK) == 0;
  }

  /**
   * Tells whether files can be created in a directory.
   *
   * @param directory the directory; a relative path counts from the working directory
   * @return whether the directory exists, and the thread may write to it and search it
   */
  public static boolean mayCreateIn(Path directory) {
    Objects.requireNonNull(directory, "directory");
    return Files.eaccess(NativePath.bytes(directory), Files.W_OK | Files.X_OK) == 0;
  }
}
