package dev.daimon.posix;

import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A check that keeps root from writing to a file through a hard link that another user has made.
 *
 * <p>Unless {@code fs.protected_hardlinks} is set, the kernel lets every user make a hard link to
 * any file. So in a directory where others than root can make names, a regular file that root
 * writes to must have one name only. The check passes for files that are not regular, for callers
 * that are not root (the permissions limit them), and in a directory that belongs to root and that
 * root alone can write to.
 *
 * @see <a href="https://man7.org/linux/man-pages/man5/proc_sys_fs.5.html">proc_sys_fs(5)</a>
 */
public final class HardLinks {
  private static final int WRITABLE_BY_OTHERS = 022;

  private HardLinks() {}

  /**
   * Refuses an open file that has other names. Call it for a file that existed before it was
   * opened, and before anything is written to it.
   *
   * <p>The path is checked too: another user may have linked root's file to this path, and removed
   * the link as soon as the caller had opened it.
   *
   * @param path the path that was opened; a relative path counts from the JVM's working directory
   *     at its start
   * @param file the open file
   * @throws PosixException if there is nothing at the path any more ({@code ENOENT}), or it cannot
   *     be looked up
   * @throws IOException if the path leads to another file now, or the file has other names
   * @throws IllegalStateException if the file is closed
   */
  public static void refuse(Path path, Descriptor file) throws IOException {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(file, "file");
    int number = file.number();
    if (!mayBeOthers(path)) {
      return;
    }
    FileStatus opened = new FileStatus();
    PosixException.check(Files.fstat(number, opened), "fstat", path);
    if (opened.isRegularFile()) {
      FileStatus atPath = new FileStatus();
      PosixException.check(lstat(path, atPath), "lstat", path);
      requireOneName(path, atPath.isSameFile(opened) && atPath.links() == 1);
    }
  }

  /**
   * Refuses a file that has other names, without opening it.
   *
   * @param path the file; a missing file is accepted
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

  /** Whether the caller is root, and others can make names in the directory. */
  private static boolean mayBeOthers(Path path) throws PosixException {
    Path directory = NativePath.absolute(path).getParent();
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
