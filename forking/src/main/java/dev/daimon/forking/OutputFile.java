package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.HardLinks;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

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

  /** Of a directory: sticky, and others may write. */
  private static final int EVERYBODYS = 01002;

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
   * one, and a FIFO that nobody reads is an error instead of a wait. If this fails, no file stays
   * that was not there before.
   *
   * @param path a regular file, a device, or a FIFO with a reader
   * @return the open file, to be closed by the caller
   * @throws PosixException {@code ELOOP} for a symbolic link, {@code EISDIR} for a directory,
   *     {@code ENXIO} for a FIFO without a reader, {@code EACCES} and all others of open(2)
   * @see <a href="https://man7.org/linux/man-pages/man2/open.2.html">open(2)</a>
   */
  public static OutputFile open(Path path) throws PosixException {
    Objects.requireNonNull(path, "path");
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
      try (descriptor) {
        if (created) {
          remove(path, number);
        }
      } catch (PosixException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  /**
   * Refuses a file that another user has made, to read what is written to it or to be chosen as the
   * place for it: it must belong to root, or to the user who writes. Only where the calling thread
   * is not root, and outside of sticky directories that everybody can write to, such as {@code
   * /tmp}, the permissions decide alone. A file that was created by this, and a device, will do.
   *
   * <p>Where others than root can make names, a file that root opens must have this one name alone
   * ({@link HardLinks}).
   *
   * <p>The kernel's own rule for sticky directories ({@code fs.protected_regular}, {@code
   * fs.protected_fifos}) is about opening with {@code O_CREAT} alone.
   *
   * @param user the id of the user whose output it is; -1 for the calling thread's
   * @throws IOException if it is another one's
   */
  public void requireOwner(long user) throws IOException {
    if (!created) {
      HardLinks.refuse(path, descriptor);
      requireOwner(path, status, user);
    }
  }

  /**
   * As {@link #requireOwner(long)}, of a file that is not opened.
   *
   * @param path the file; nothing is wrong if there is none
   * @param user the id of the user whose output it is; -1 for the calling thread's
   * @throws IOException if it is another one's, or the path cannot be looked up
   */
  public static void requireOwner(Path path, long user) throws IOException {
    Objects.requireNonNull(path, "path");
    FileStatus status = new FileStatus();
    int result = Files.lstat(NativePath.bytes(path), status);
    if (result != -Errno.ENOENT.number()) {
      PosixException.check(result, "lstat", path);
      HardLinks.refuse(path);
      requireOwner(path, status, user);
    }
  }

  private static void requireOwner(Path path, FileStatus status, long user) throws IOException {
    long caller = Integer.toUnsignedLong(Credentials.fsuid());
    long owner = Integer.toUnsignedLong(status.uid());
    if (owner == 0 || !(status.isRegularFile() || status.isFifo())) {
      return;
    }
    if (owner != (user < 0 ? caller : user) && (caller == 0 || isEverybodys(path))) {
      throw new IOException(
          path
              + " belongs to user "
              + owner
              + ", who could read or change the output: remove the file");
    }
  }

  /** Whether the file is in a sticky directory in which everybody can make files. */
  private static boolean isEverybodys(Path path) throws PosixException {
    FileStatus directory = directoryOf(path);
    return directory != null && (directory.permissions() & EVERYBODYS) == EVERYBODYS;
  }

  private static @Nullable FileStatus directoryOf(Path path) throws PosixException {
    Path directory = path.toAbsolutePath().getParent();
    if (directory == null) {
      return null;
    }
    FileStatus status = new FileStatus();
    PosixException.check(Files.stat(NativePath.bytes(directory), status), "stat", directory);
    return status;
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
    Objects.requireNonNull(other, "other");
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
    if (created) {
      remove(path, descriptor.number());
    }
  }

  private static void remove(Path path, int number) throws PosixException {
    FileStatus now = new FileStatus();
    FileStatus atPath = new FileStatus();
    byte[] bytes = NativePath.bytes(path);
    if (Files.fstat(number, now) == 0
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
