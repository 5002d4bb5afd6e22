package dev.daimon.posix;

import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A check that keeps root from writing to a file by a name that somebody else has made for it.
 *
 * <p>Where others than root can make names, a file that root writes to must have one name alone:
 * the kernel lets everybody make another one of any file ({@code fs.protected_hardlinks} is off
 * unless it is set). Files that are no regular ones are refused nothing, nor is anybody but root,
 * whom the permissions limit, nor anything in a directory that is root's and writable by root
 * alone.
 *
 * @see <a href="https://man7.org/linux/man-pages/man5/proc_sys_fs.5.html">proc_sys_fs(5)</a>
 */
public final class HardLinks {
  private static final int WRITABLE_BY_OTHERS = 022;

  private HardLinks() {}

  /**
   * Refuses a file that was there before it was opened, and nothing has been written to.
   *
   * <p>It is asked of the path, too: who made another name of root's file may have removed this one
   * again.
   *
   * @param path where it was opened; a relative path counts from the JVM's working directory at its
   *     start
   * @param file the open file
   * @throws PosixException if the path is gone ({@code ENOENT}), or cannot be looked up
   * @throws IOException if the path leads to another file by now, or the file has other names
   * @throws IllegalStateException if the file is closed
   */
  public static void refuse(Path path, Descriptor file) throws IOException {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(file, "file");
    if (!mayBeOthers(path)) {
      return;
    }
    FileStatus opened = new FileStatus();
    PosixException.check(Files.fstat(file.number(), opened), "fstat", path);
    if (opened.isRegularFile()) {
      FileStatus atPath = new FileStatus();
      PosixException.check(lstat(path, atPath), "lstat", path);
      requireOneName(path, atPath.isSameFile(opened) && atPath.links() == 1);
    }
  }

  /**
   * As {@link #refuse(Path, Descriptor)}, of a file that is not opened.
   *
   * @param path the file; nothing is wrong if there is none
   * @throws PosixException if the path cannot be looked up
   * @throws IOException if the file has other names
   */
  public static void refuse(Path path) throws IOException {
    Objects.requireNonNull(path, "path");
    if (!mayBeOthers(path)) {
      return;
    }
    FileStatus atPath = new FileStatus();
    int result = lstat(path, atPath);
    if (result != -Errno.ENOENT.number()) {
      PosixException.check(result, "lstat", path);
      requireOneName(path, !atPath.isRegularFile() || atPath.links() == 1);
    }
  }

  private static void requireOneName(Path path, boolean one) throws IOException {
    if (!one) {
      throw new IOException(
          path + " was replaced, or is a file by another name (a hard link): remove it");
    }
  }

  /** Whether this is root, and others can make names in the directory. */
  private static boolean mayBeOthers(Path path) throws PosixException {
    Path directory = path.toAbsolutePath().getParent();
    if (directory == null || Credentials.fsuid() != 0) {
      return false;
    }
    FileStatus status = new FileStatus();
    PosixException.check(Files.stat(NativePath.bytes(directory), status), "stat", directory);
    return status.uid() != 0 || (status.permissions() & WRITABLE_BY_OTHERS) != 0;
  }

  private static int lstat(Path path, FileStatus status) {
    return Files.lstat(NativePath.bytes(path), status);
  }
}
