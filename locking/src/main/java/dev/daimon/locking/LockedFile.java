package dev.daimon.locking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.ProcFiles;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A file that other processes lock, usually a daemon's pidfile. This class tells whether the file
 * is locked, and by which processes, and takes no part in the locking.
 *
 * <p>It reads the kernel's list of locks, so no {@link SingletonLock#acquire} of another process
 * fails because of it. Only where that list is incomplete or too long, and does not have the lock,
 * it tries a shared lock for a moment: see {@link SingletonLock#isHeld}.
 *
 * <p>An object of this class is about the file that was opened, even if the path names another one
 * later. Safe for use by several threads.
 *
 * @see <a
 *     href="https://man7.org/linux/man-pages/man5/proc_pid_fdinfo.5.html">proc_pid_fdinfo(5)</a>
 */
public final class LockedFile implements AutoCloseable {
  private final Path path;
  private final Descriptor descriptor;
  private final FileStatus status;

  /** Looked up once: that takes longer than all the rest of a query. */
  private volatile @Nullable LockTable table;

  /** The table of another file, which may be on the same mount; null if there is none. */
  private final @Nullable LockTable other;

  private LockedFile(
      Path path, Descriptor descriptor, FileStatus status, @Nullable LockTable other) {
    this.path = path;
    this.descriptor = descriptor;
    this.status = status;
    this.other = other;
  }

  /**
   * Opens a file for reading. This never blocks, not even on a FIFO.
   *
   * @param path the file's path; a relative one is resolved against the working directory in which
   *     the JVM was started
   * @return the open file, to be closed by the caller; empty if there is no such file
   * @throws NotRegularFileException if the path is a directory, a FIFO, a socket or a device
   * @throws PosixException if it cannot be opened: a symbolic link ({@code ELOOP}), {@code EACCES}
   *     and so on
   */
  public static Optional<LockedFile> open(Path path)
      throws PosixException, NotRegularFileException {
    return open(Objects.requireNonNull(path, "path"), /* known= */ null);
  }

  /**
   * Opens a file as {@link #open(Path)} does, one of many: what is found out about the mount of
   * this file is not looked up again for the other one, if that is on the same mount. That takes
   * longer than all the rest of a query.
   *
   * @param other the path of the other file
   * @return the open file, to be closed by the caller, while this one is open; empty if there is no
   *     such file
   * @throws NotRegularFileException as {@link #open(Path)}
   * @throws PosixException as {@link #open(Path)}, or if {@code /proc} cannot be read
   * @throws IllegalStateException if this is closed
   */
  public Optional<LockedFile> openOther(Path other) throws PosixException, NotRegularFileException {
    return open(Objects.requireNonNull(other, "other"), table());
  }

  private static Optional<LockedFile> open(Path path, @Nullable LockTable known)
      throws PosixException, NotRegularFileException {
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
    return Optional.of(new LockedFile(path, descriptor, status, known));
  }

  /** {@return the path, as given} */
  public Path path() {
    return path;
  }

  /** {@return the open file, for reading; it stays owned by this object} */
  public Descriptor descriptor() {
    return descriptor;
  }

  /** {@return the user id of the file's owner when it was opened, from 0 to 4294967294} */
  public long owner() {
    return Integer.toUnsignedLong(status.uid());
  }

  /**
   * Tells whether others than the owner might write to the file when it was opened: its group, any
   * user, or somebody in its access control list.
   *
   * @return whether they might
   */
  public boolean isWritableByOthers() {
    return status.isWritableByOthers();
  }

  /** {@return when the content had last been changed when it was opened; seconds since 1970} */
  public long modified() {
    return status.modified();
  }

  /**
   * Tells whether, when it was opened, the file was still where its content had last been written:
   * since then it had not been renamed or linked, and had got no other owner or mode.
   *
   * <p>A user who may write to a directory can move the files in it elsewhere, also those of other
   * users. That changes a file's {@code st_ctime}; only a write changes {@code st_mtime} as well.
   *
   * @return whether it was; true also of a change in the same tick of the file system's clock as
   *     the write (10 ms at most)
   * @see <a href="https://man7.org/linux/man-pages/man7/inode.7.html">inode(7)</a>
   */
  public boolean isWhereItWasWritten() {
    return status.isUntouched();
  }

  /**
   * Reads the file's first bytes.
   *
   * @param length how many bytes at most; not negative
   * @return the bytes; none also if the file cannot be read
   * @throws IllegalStateException if this is closed
   */
  public byte[] read(int length) {
    return SingletonLock.content(descriptor.number(), length);
  }

  /**
   * Tells whether a process holds a {@code flock} on the file, as {@link SingletonLock#isHeld} does
   * of a path.
   *
   * @return whether it is locked
   * @throws PosixException if {@code /proc} cannot be read
   * @throws IllegalStateException if this is closed
   */
  public boolean isLocked() throws PosixException {
    return table().isLocked();
  }

  /**
   * Tells whether a process holds the lock: it has the file open with a {@code flock} on it, which
   * it has taken itself or inherited. All processes that share the open file hold the lock; the
   * kernel makes no difference between them.
   *
   * <p>Race: the process may end, and its id be reused, while this method runs. To rule that out,
   * open a pidfd of the process first, and after this check that it is still alive.
   *
   * @param pid the process id
   * @return whether it holds the lock; false also if there is no such process, or if it has ended
   *     or is about to end
   * @throws PosixException {@code EACCES} if this process may not examine the other one. Root may
   *     if it has {@code CAP_SYS_PTRACE}, which it lacks in most containers. Another user may only
   *     examine its own processes, and only those that have not changed their user and have no
   *     capability that this process lacks. {@code EPERM} if {@code /proc} is of another PID
   *     namespace
   * @throws IllegalStateException if this is closed
   */
  public boolean isHeldBy(long pid) throws PosixException {
    return HolderSearch.holds(pid, table());
  }

  private LockTable table() throws PosixException {
    // Throws if the descriptor is closed: the inode may be another file's then.
    int number = descriptor.number();
    LockTable known = table;
    if (known == null) {
      known = LockTable.of(number, status, other);
      table = known;
    }
    return known;
  }

  /**
   * Finds the processes that hold the lock, in the sense of {@link #isHeldBy}. The search examines
   * all processes that this one may examine.
   *
   * @param time how long to search at most; a user can make the search long with processes that
   *     have very many descriptors
   * @return the holders, by ascending id; none is no proof that the file is not locked
   * @throws PosixException if {@code /proc} cannot be listed, or is of another PID namespace
   * @throws IllegalStateException if this is closed
   */
  public List<Holder> holders(Duration time) throws PosixException {
    return HolderSearch.all(table(), Objects.requireNonNull(time, "time"));
  }

  /**
   * Finds the processes that hold the lock, to be shown to people: the search lasts a second at
   * most.
   *
   * @return the holders, as by {@link #holders(Duration)}
   * @throws PosixException as {@link #holders(Duration)}
   * @throws IllegalStateException if this is closed
   */
  public List<Holder> holders() throws PosixException {
    return holders(HolderSearch.FOR_PEOPLE);
  }

  /**
   * Lists the processes that hold the lock for people.
   *
   * @return the {@link #holders()}, in the words of {@link Holder#inWords}
   * @throws PosixException as {@link #holders(Duration)}
   * @throws IllegalStateException if this is closed
   */
  public String holdersInWords() throws PosixException {
    return Holder.inWords(holders());
  }

  /**
   * Finds the process that took the lock which another process holds: that process itself, or the
   * one from which it has inherited the open file.
   *
   * @param pid the process that holds the lock
   * @return the id of the process that took the lock, which may have ended; 0 if it is not known
   * @throws PosixException if {@code /proc} cannot be read, or is of another PID namespace
   * @throws IllegalStateException if this is closed
   */
  public long takenBy(long pid) throws PosixException {
    return HolderSearch.taker(pid, table());
  }

  /**
   * Finds a process of a foreign user that holds the lock, if all holders are of foreign users and
   * have opened the file for reading only. Every user can lock a file that it may read.
   *
   * <p>Such a process is not about to start a daemon, nor has a daemon left it behind: a child of a
   * daemon would have inherited a descriptor that is open for writing.
   *
   * @param users the real user ids that are not foreign
   * @return its process id; empty if there is none, or none was found within ten seconds
   * @throws PosixException if {@code /proc} cannot be listed, or is of another PID namespace
   * @throws IllegalStateException if this is closed
   */
  public OptionalLong foreignHolder(long... users) throws PosixException {
    long pid = HolderSearch.foreignHolder(table(), Objects.requireNonNull(users, "users"));
    return pid == 0 ? OptionalLong.empty() : OptionalLong.of(pid);
  }

  /**
   * Tells whether a process's descriptor is the open file that has the exclusive lock on this file.
   * This neither asks for a lock nor changes one.
   *
   * @param pid the process id
   * @param number the descriptor's number in that process; not negative
   * @return whether it is; false also if there is no such descriptor
   * @throws PosixException {@code EACCES} if this process may not examine the other one, {@code
   *     EPERM} if {@code /proc} is of another PID namespace
   * @throws IllegalStateException if this is closed
   */
  public boolean isLockedThrough(long pid, int number) throws PosixException {
    return isLockedThrough(ProcDirectory.of(pid), number);
  }

  /**
   * Tells whether a descriptor of this process is the open file that has the exclusive lock on this
   * file, such as one that was duplicated from another process. This neither asks for a lock nor
   * changes one.
   *
   * @param open the descriptor; it stays its owner's
   * @return whether it is
   * @throws PosixException if it cannot be examined
   * @throws IllegalStateException if this or the descriptor is closed
   */
  public boolean isLockedThrough(Descriptor open) throws PosixException {
    int number = Objects.requireNonNull(open, "open").number();
    FileStatus opened = new FileStatus();
    PosixException.check(Files.fstat(number, opened), "fstat", path);
    return opened.isSameFile(status) && isLockedThrough("/proc/self", number);
  }

  private boolean isLockedThrough(String process, int number) throws PosixException {
    LockTable own = table();
    try {
      String info =
          ProcFiles.readRecord(process.concat("/fdinfo/").concat(Integer.toString(number)));
      return own.isExclusiveIn(info);
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ENOENT) || failure.errno().equals(Errno.ESRCH)) {
        return false;
      }
      throw failure;
    }
  }

  /**
   * Tells whether the path still names this file.
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
   * Closes the file; a second call does nothing. This releases no {@code flock}. As every close of
   * a file does, it releases the record locks that this process itself has on the file ({@code
   * fcntl}, {@code FileChannel.lock}).
   *
   * @throws PosixException if the descriptor was closed elsewhere
   */
  @Override
  public void close() throws PosixException {
    descriptor.close();
  }
}
