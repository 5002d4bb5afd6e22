package dev.daimon.locking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A file that others lock, usually a daemon's pidfile, as one looks at it who does not take part:
 * is it locked, and by whom? Nobody's {@link SingletonLock#acquire} fails for it: the kernel's list
 * of locks is read. Where that is too long, or incomplete, and the lock is not found in it, a
 * shared lock is tried for a moment, as {@link SingletonLock#isHeld} tells.
 *
 * <p>It stays the file that was opened, whatever its path leads to later. Safe for use by several
 * threads.
 *
 * @see <a
 *     href="https://man7.org/linux/man-pages/man5/proc_pid_fdinfo.5.html">proc_pid_fdinfo(5)</a>
 */
public final class LockedFile implements AutoCloseable {
  private final Path path;
  private final Descriptor descriptor;
  private final FileStatus status;

  /** Looked up once: it takes longer than the rest of a look. */
  private volatile @Nullable LockTable table;

  private LockedFile(Path path, Descriptor descriptor, FileStatus status) {
    this.path = path;
    this.descriptor = descriptor;
    this.status = status;
  }

  /**
   * Opens the file for reading. Never waits, not even for a FIFO.
   *
   * @param path the file; a relative one counts from the JVM's working directory at its start
   * @return the open file, to be closed by the caller; nothing if there is none
   * @throws NotRegularFileException if the path is a directory, a FIFO, a socket or a device
   * @throws PosixException if it cannot be opened: a symbolic link ({@code ELOOP}), {@code EACCES}
   *     and so on
   */
  public static Optional<LockedFile> open(Path path)
      throws PosixException, NotRegularFileException {
    Objects.requireNonNull(path, "path");
    int flags =
        Files.O_RDONLY | Files.O_CLOEXEC | Files.O_NOFOLLOW | Files.O_NOCTTY | Files.O_NONBLOCK;
    int number = Files.open(NativePath.bytes(path), flags, 0);
    if (number == -Errno.ENOENT.number() || number == -Errno.ENOTDIR.number()) {
      return Optional.empty();
    }
    if (number == -Errno.ENXIO.number()) {
      // A socket, or a device without a driver.
      throw new NotRegularFileException(path);
    }
    PosixException.check(number, "open", path);
    Descriptor descriptor = Descriptor.adopt(number);
    FileStatus status = new FileStatus();
    int result = Files.fstat(number, status);
    if (result < 0 || !status.isRegularFile()) {
      descriptor.close();
      PosixException.check(result, "fstat", path);
      throw new NotRegularFileException(path);
    }
    return Optional.of(new LockedFile(path, descriptor, status));
  }

  /** {@return the path that it was opened by} */
  public Path path() {
    return path;
  }

  /** {@return the open file, for reading; still owned by this object} */
  public Descriptor descriptor() {
    return descriptor;
  }

  /** {@return the owner's user id when it was opened, from 0 to 4294967294} */
  public long owner() {
    return Integer.toUnsignedLong(status.uid());
  }

  /** {@return when its content was last changed, as seen when it was opened; seconds since 1970} */
  public long modified() {
    return status.modified();
  }

  /**
   * Whether the file was neither renamed nor linked, and got no other owner or mode, since its
   * content was last written, as seen when it was opened. Whoever may write to the directory that a
   * file is in can move it to another one, also if it is somebody else's: that changes the file's
   * {@code st_ctime}, and only who writes to it has {@code st_mtime} follow.
   *
   * @return whether it is so; true also of a change within the same tick of the file system's clock
   *     (10 ms at most) as the write
   * @see <a href="https://man7.org/linux/man-pages/man7/inode.7.html">inode(7)</a>
   */
  public boolean isWhereItWasWritten() {
    return status.isUntouched();
  }

  /**
   * What the file begins with.
   *
   * @param length how many bytes at most; not negative
   * @return the bytes; empty also if it cannot be read
   * @throws IllegalStateException if this is closed
   */
  public byte[] read(int length) {
    return SingletonLock.content(descriptor.number(), length);
  }

  /**
   * Whether somebody holds a {@code flock} on it; with the limits of {@link SingletonLock#isHeld}.
   *
   * @return whether it is locked
   * @throws PosixException if {@code /proc} cannot be read
   * @throws IllegalStateException if this is closed
   */
  public boolean isLocked() throws PosixException {
    return table().isLocked();
  }

  /**
   * Whether this process has the file open with a {@code flock} on it, taken by itself or
   * inherited. That holds for every process that shares the open file: {@code flock} does not tell
   * whose it is.
   *
   * <p>Race: the id may be another process's before this has returned. Open a pidfd before, and ask
   * after this whether that process is still alive: if so, it is the one.
   *
   * @param pid the process id
   * @return whether it does; false also if there is no such process, or if it has ended or is about
   *     to
   * @throws PosixException {@code EACCES} if this process may not look into that one: root may if
   *     it has {@code CAP_SYS_PTRACE}, which it lacks in most containers; otherwise only the same
   *     user, as long as the other process has not changed its user and has no capability that this
   *     one lacks
   * @throws IllegalStateException if this is closed
   */
  public boolean isHeldBy(long pid) throws PosixException {
    return Holder.holds(pid, table());
  }

  private LockTable table() throws PosixException {
    // Once closed, the inode may be anybody's.
    int number = descriptor.number();
    LockTable known = table;
    if (known == null) {
      known = LockTable.of(number);
      table = known;
    }
    return known;
  }

  /**
   * The processes that hold the lock: those that share the open file, as {@link #isHeldBy} tells.
   * All processes are looked through, as far as this one may.
   *
   * @param time how long to look for them, at most: anybody can make it long, by processes with
   *     very many descriptors
   * @return their ids, ascending; none is no proof that it is not locked
   * @throws PosixException if {@code /proc} cannot be listed
   * @throws IllegalStateException if this is closed
   */
  public List<Long> holders(Duration time) throws PosixException {
    return Holder.all(table(), Objects.requireNonNull(time, "time"));
  }

  /**
   * Who holds the lock, for people to read: as far as can be seen within a second.
   *
   * @return such as {@code "process 12 (nginx), process 13 (nginx) and 40 more"}, or {@code "a
   *     process that cannot be seen from here"}
   * @throws PosixException as {@link #holders}
   * @throws IllegalStateException if this is closed
   */
  public String holdersInWords() throws PosixException {
    return Holder.words(holders(Holder.NAMING));
  }

  /**
   * The process that took the lock which another process holds, by itself or as the heir of one
   * that did.
   *
   * @param pid the process that holds the lock
   * @return the id of the one that took it, which may have ended; 0 if it cannot be seen
   * @throws PosixException if {@code /proc} cannot be read
   * @throws IllegalStateException if this is closed
   */
  public long takenBy(long pid) throws PosixException {
    return Holder.taker(pid, table());
  }

  /**
   * A process of another user's that alone holds the lock, by a descriptor for reading only. Then
   * it is no start, and nothing that a daemon has left, which would have inherited one for writing.
   * Everybody can lock a file that may be read.
   *
   * @param users the real user ids of whom it is not to be
   * @return its id; nothing if there is none, or none that can be found within ten seconds
   * @throws PosixException if {@code /proc} cannot be listed
   * @throws IllegalStateException if this is closed
   */
  public OptionalLong stranger(long... users) throws PosixException {
    long pid = Holder.stranger(table(), Objects.requireNonNull(users, "users"));
    return pid == 0 ? OptionalLong.empty() : OptionalLong.of(pid);
  }

  /**
   * Whether the path still names this file.
   *
   * @return whether it does
   * @throws PosixException if the path cannot be looked up ({@code EACCES} and so on)
   * @throws IllegalStateException if this is closed
   */
  public boolean isAtPath() throws PosixException {
    descriptor.number();
    return SingletonLock.leadsTo(path, NativePath.bytes(path), status);
  }

  /**
   * Closes it; a second call does nothing. Nobody's {@code flock} changes by it; record locks of
   * this very process on the file ({@code fcntl}, {@code FileChannel.lock}) are lost, as with every
   * close.
   *
   * @throws PosixException if somebody else has closed the descriptor
   */
  @Override
  public void close() throws PosixException {
    descriptor.close();
  }
}
