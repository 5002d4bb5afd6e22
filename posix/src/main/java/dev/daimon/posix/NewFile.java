package dev.daimon.posix;

import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.nio.file.Path;
import java.util.Objects;

/** A file that this process has just made. */
public final class NewFile {
  private static final int READ_AND_WRITE = 0600;

  private NewFile() {}

  /**
   * Lets the file's owner read and write it, whatever the umask is. Otherwise the owner's next
   * process could not open it. The permissions of others stay as they are.
   *
   * @param file the open file, which was made by this open ({@code O_EXCL})
   * @param path the path that was opened
   * @throws PosixException if the file cannot be examined, or its permissions cannot be changed
   * @throws IllegalStateException if the file is closed
   */
  public static void openToOwner(Descriptor file, Path path) throws PosixException {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(path, "path");
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(file.number(), status), "fstat", path);
    int open = status.permissions() | READ_AND_WRITE;
    if (open != status.permissions()) {
      PosixException.check(Files.fchmod(file.number(), open), "fchmod", path);
    }
  }
}
