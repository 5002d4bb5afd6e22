package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.HardLinks;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.NewFile;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A file for a daemon's output, opened for appending.
 *
 * <p>It is always opened for appending: two descriptors of one file then overwrite nothing of each
 * other, and after a log rotation has truncated the file, output continues at its beginning.
 * Opening does not truncate; call {@link #truncate()} when nothing else can fail any more.
 */
public final class OutputFile implements AutoCloseable {
  /** The permissions of a new file: read and write for the owner, read for others. */
  private static final int MODE = 0644;

  /** The permissions of a directory like {@code /tmp}: sticky, and writable by others. */
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
   * Opens a file for appending. A missing file is created with mode 0644, less the umask, but 0600
   * at least.
   *
   * <p>The last component must not be a symbolic link. A terminal does not become the controlling
   * one, and a FIFO that nobody reads is an error instead of a wait. If this method fails, it
   * leaves no file that was not there before.
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
    // First without O_CREAT, then with O_EXCL, to know who has created the file. If it comes and
    // goes meanwhile, both are tried again.
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
      if (created) {
        NewFile.openToOwner(descriptor, path);
      }
      FileStatus status = new FileStatus();
      PosixException.check(Files.fstat(number, status), "statx", path);
      // Only the opening must not wait; the program writes as usual.
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
   * Refuses a file of another user, who could read or change the output: the file must belong to
   * root or to the given user.
   *
   * <p>There are exceptions. A file that {@link #open} has created, and a device, are accepted. If
   * the calling thread is not root, the rule applies only in sticky directories that everybody can
   * write to, such as {@code /tmp}; elsewhere the permissions decide. The kernel's own rule for
   * such directories ({@code fs.protected_regular}, {@code fs.protected_fifos}) applies only to
   * opening with {@code O_CREAT}.
   *
   * <p>A file that root opens in a directory where others than root can make names must have no
   * other name ({@link HardLinks}).
   *
   * @param user the id of the user whose output it is; -1 for the calling thread's
   * @throws IOException if the file is refused
   */
  public void requireOwner(long user) throws IOException {
    if (!created) {
      HardLinks.refuse(path, descriptor);
      requireOwner(path, status, user);
    }
  }

  /**
   * Refuses a file as {@link #requireOwner(long)} does, without opening it.
   *
   * @param path the file; a missing file is accepted
   * @param user the id of the user whose output it is; -1 for the calling thread's
   * @throws IOException if the file is refused, or the path cannot be looked up
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
    Path directory = NativePath.absolute(path).getParent();
    if (directory == null) {
      return null;
    }
    FileStatus status = new FileStatus();
    PosixException.check(Files.stat(NativePath.bytes(directory), status), "stat", directory);
    return status;
  }

  /** {@return the path that was opened} */
  public Path path() {
    return path;
  }

  /** {@return the open file} */
  public Descriptor descriptor() {
    return descriptor;
  }

  /** {@return whether {@link #open} created the file} */
  public boolean created() {
    return created;
  }

  /** {@return whether it is a regular file, and no device or FIFO} */
  public boolean isRegularFile() {
    return status.isRegularFile();
  }

  /**
   * Tells whether another descriptor is of the same file, opened by this or another name.
   *
   * @param other an open descriptor
   * @return whether device and inode are the same
   * @throws PosixException if the other file cannot be examined
   */
  public boolean isSameFile(Descriptor other) throws PosixException {
    Objects.requireNonNull(other, "other");
    FileStatus otherStatus = new FileStatus();
    PosixException.check(Files.fstat(other.number(), otherStatus), "statx", other);
    return status.isSameFile(otherStatus);
  }

  /**
   * Empties the file. Does nothing if it is not a regular file.
   *
   * @throws PosixException if the file system refuses
   */
  public void truncate() throws PosixException {
    if (isRegularFile()) {
      PosixException.check(Files.ftruncate(descriptor.number(), 0), "ftruncate", path);
    }
  }

  /**
   * Removes the file if {@link #open} created it, nothing was written to it, and the path still
   * leads to it.
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
