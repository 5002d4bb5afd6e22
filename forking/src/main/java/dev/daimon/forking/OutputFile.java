package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A file that a daemon's output goes to, opened for appending.
 *
 * <p>Always for appending, so that two descriptors of one file lose no line to each other, and a
 * log that somebody truncates goes on at its beginning. Opening truncates nothing: {@link
 * #truncate()} does, once everything else that can fail has not.
 */
public final class OutputFile implements AutoCloseable {
  /** Read and write for the owner, read for others; less the umask. */
  private static final int MODE = 0644;

  private final Path path;
  private final Descriptor descriptor;
  private final FileStatus status;
  private final boolean created;

  private OutputFile(Path path, Descriptor descriptor, FileStatus status, boolean created) {
    this.path = path;
    this.descriptor = descriptor;
    this.status = status;
    this.created = created;
  }

  /**
   * Opens a file for appending, and creates it with mode 0644, less the umask, if it is missing.
   *
   * <p>The last component may not be a symbolic link, a terminal does not become the controlling
   * one, and a FIFO that nobody reads is an error instead of a wait.
   *
   * @param path a regular file, a device, or a FIFO with a reader
   * @return the open file, to be closed by the caller
   * @throws PosixException {@code ELOOP} for a symbolic link, {@code EISDIR} for a directory,
   *     {@code ENXIO} for a FIFO without a reader, {@code EACCES} and all others of open(2)
   * @see <a href="https://man7.org/linux/man-pages/man2/open.2.html">open(2)</a>
   */
  public static OutputFile open(Path path) throws PosixException {
    byte[] bytes = NativePath.bytes(path);
    int flags =
        Files.O_WRONLY
            | Files.O_APPEND
            | Files.O_CLOEXEC
            | Files.O_NOFOLLOW
            | Files.O_NOCTTY
            | Files.O_NONBLOCK;
    // Two ways in turn, to know who created it; a file that comes and goes meanwhile is tried
    // again.
    for (int attempt = 0; ; attempt++) {
      int number = Files.open(bytes, flags, 0);
      boolean created = false;
      if (number == -Errno.ENOENT.number()) {
        number = Files.open(bytes, flags | Files.O_CREAT | Files.O_EXCL, MODE);
        created = true;
        if (number == -Errno.EEXIST.number() && attempt < 100) {
          continue;
        }
      }
      return opened(path, PosixException.check(number, "open", path), created);
    }
  }

  private static OutputFile opened(Path path, int number, boolean created) throws PosixException {
    Descriptor descriptor = Descriptor.adopt(number);
    try {
      FileStatus status = new FileStatus();
      PosixException.check(Files.fstat(number, status), "statx", path);
      // The program writes as usual; only the opening must not wait.
      int statusFlags =
          PosixException.check(Files.fcntl(number, Files.F_GETFL, 0), "fcntl F_GETFL", path);
      PosixException.check(
          Files.fcntl(number, Files.F_SETFL, statusFlags & ~Files.O_NONBLOCK),
          "fcntl F_SETFL",
          path);
      return new OutputFile(path, descriptor, status, created);
    } catch (PosixException | RuntimeException failure) {
      try {
        descriptor.close();
      } catch (PosixException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  /** {@return the path it was opened by} */
  public Path path() {
    return path;
  }

  /** {@return the open file} */
  public Descriptor descriptor() {
    return descriptor;
  }

  /** {@return whether opening it created it} */
  public boolean created() {
    return created;
  }

  /** {@return whether it is a regular file, and no device or FIFO} */
  public boolean isRegularFile() {
    return status.isRegularFile();
  }

  /**
   * Returns whether another open file is this very file, by whatever name.
   *
   * @param other any open file
   * @return whether device and inode are the same
   * @throws PosixException if it cannot be told what the other one is
   */
  public boolean isSameFile(Descriptor other) throws PosixException {
    FileStatus otherStatus = new FileStatus();
    PosixException.check(Files.fstat(other.number(), otherStatus), "statx", other);
    return status.isSameFile(otherStatus);
  }

  /**
   * Empties the file, if it is a regular one.
   *
   * @throws PosixException if the file system refuses
   */
  public void truncate() throws PosixException {
    if (isRegularFile()) {
      PosixException.check(Files.ftruncate(descriptor.number(), 0), "ftruncate", path);
    }
  }

  /**
   * Takes back its creation: removes the file if opening it created it, nothing was written to it
   * and the path still leads to it.
   *
   * @throws IOException if it cannot be removed
   */
  public void removeIfCreated() throws IOException {
    FileStatus now = new FileStatus();
    FileStatus atPath = new FileStatus();
    byte[] bytes = NativePath.bytes(path);
    if (created
        && Files.fstat(descriptor.number(), now) == 0
        && now.size() == 0
        && Files.lstat(bytes, atPath) == 0
        && atPath.isSameFile(now)) {
      PosixException.check(Files.unlink(bytes), "unlink", path);
    }
  }

  @Override
  public void close() throws PosixException {
    descriptor.close();
  }
}
