package dev.daimon.locking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.NewFile;
import dev.daimon.posix.Pause;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.PidText;
import dev.daimon.posix.call.Processes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A lock that at most one process holds, for instance so that a daemon runs only once: a {@code
 * flock} on a file, usually the daemon's pidfile. The path is known to have named the locked file
 * while the lock was held.
 *
 * <p>The lock belongs to the open file, not to the process. A program that inherits the {@linkplain
 * #descriptor() descriptor} shares the lock. The kernel releases the lock when the last process
 * that has the file open has closed it or has ended, however it ended. So a locked file means that
 * the daemon runs or starts, and an unlocked file that it does not, whatever the file holds.
 *
 * <p>Rule for all programs that use the file: unlink or replace it only while you hold its lock.
 * Races are left only with programs that break this rule; {@link #isAtPath()} detects that. The
 * lock is advisory, and every user who may open the file for reading can take it. So keep it in a
 * directory in which nobody else may make files. A {@link java.nio.channels.FileLock} is another
 * kind of lock, which knows nothing of this one; the kernel drops it when this process closes any
 * descriptor of the file, as {@link #close}, a failed {@link #acquire} and {@code PidFile.read} do.
 *
 * <p>Safe for use by several threads.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/flock.2.html">flock(2)</a>
 */
public final class SingletonLock implements AutoCloseable {
  /** The default mode of a file that is made here. */
  private static final int MODE = 0644;

  private static final int PERMISSIONS = 0777;

  /** So much of a file is read without asking how large it is, in bytes. */
  private static final int SMALL = 64 * 1024;

  /** How often the file may be replaced while it is being locked. */
  private static final int ATTEMPTS = 1000;

  /** How often a file is read until two reads in a row agree. */
  private static final int READS = 10;

  /**
   * How long a lock may stay held after its holder has closed the last descriptor. A process that
   * searches for holders reads the descriptor's {@code fdinfo} in {@code /proc}, and that read
   * keeps the open file.
   */
  private static final long LINGERING_NANOS = 50_000_000;

  /** How often the lock is tried again at once: mostly such a read takes microseconds. */
  private static final int EAGER_TRIES = 20;

  private static final long SHORTEST_PAUSE_NANOS = 100_000;

  /** Where many processes want the lock, short pauses would take all processors. */
  private static final long LONGEST_PAUSE_NANOS = 5_000_000;

  private final Path path;
  private final byte[] bytes;
  private final Descriptor descriptor;
  private final boolean created;
  private final FileStatus held = new FileStatus();

  private SingletonLock(Path path, byte[] bytes, Descriptor descriptor, boolean created) {
    this.path = path;
    this.bytes = bytes;
    this.descriptor = descriptor;
    this.created = created;
  }

  /**
   * Takes the lock, and fails if another process holds it. If there is no file, this makes one with
   * the mode 0644 less the umask, but 0600 at least. The content of a file that exists stays as it
   * is.
   *
   * <p>Race: a holder that stops may unlink or replace the file after it was opened here and before
   * it is locked. The lock would then be on a file that no other process finds. So this method
   * checks the path again while it has the lock, and starts over if the path names another file.
   *
   * <p>Where another process reads in {@code /proc} who holds the lock, that read can keep the lock
   * for a moment after its holder has released it. So this method fails at once only if the process
   * that the file names is shown to hold the lock, and otherwise after 50 ms.
   *
   * <p>If this fails, nothing stays open or locked. An empty file may stay: one that this method
   * has made, and that another process has locked first. Only the holder may remove it.
   *
   * @param path the file's path; a relative one is resolved against the working directory in which
   *     the JVM was started
   * @return the lock, to be closed by the caller
   * @throws LockHeldException if another process holds the lock, or this one does already
   * @throws NotRegularFileException if the path is a FIFO, a device or the like
   * @throws PosixException if it cannot be opened for reading and writing or not be made: a
   *     symbolic link ({@code ELOOP}), a directory ({@code EISDIR}), {@code EACCES}, {@code ENOENT}
   *     and so on; or if it was replaced again and again ({@code ESTALE})
   */
  public static SingletonLock acquire(Path path)
      throws PosixException, LockHeldException, NotRegularFileException {
    Objects.requireNonNull(path, "path");
    return acquire(path, MODE);
  }

  /**
   * Takes the lock as {@link #acquire(Path)} does, and makes a missing file with another mode. With
   * 0600 only the file's owner and root can open, and so lock, the file.
   *
   * @param path the file's path, as for {@link #acquire(Path)}
   * @param mode the permissions of a file that is made here, from 0 to 0777, less the umask, but
   *     0600 at least; an existing file keeps its permissions
   * @return the lock, to be closed by the caller
   * @throws IllegalArgumentException if the mode has other bits
   * @throws LockHeldException as {@link #acquire(Path)}
   * @throws NotRegularFileException if the path is a FIFO, a device or the like
   * @throws PosixException as {@link #acquire(Path)}
   */
  public static SingletonLock acquire(Path path, int mode)
      throws PosixException, LockHeldException, NotRegularFileException {
    Objects.requireNonNull(path, "path");
    if ((mode & ~PERMISSIONS) != 0) {
      throw new IllegalArgumentException("no permissions: 0" + Integer.toOctalString(mode));
    }
    return acquire(path, mode, /* make= */ true);
  }

  /**
   * Takes the lock as {@link #acquire(Path)} does, on a file that must exist.
   *
   * @param path the file's path, as for {@link #acquire(Path)}
   * @return the lock, to be closed by the caller; {@link #created()} is false
   * @throws LockHeldException as {@link #acquire(Path)}
   * @throws NotRegularFileException if the path is a FIFO, a device or the like
   * @throws PosixException as {@link #acquire(Path)}; {@code ENOENT} if there is none
   */
  public static SingletonLock acquireExisting(Path path)
      throws PosixException, LockHeldException, NotRegularFileException {
    Objects.requireNonNull(path, "path");
    return acquire(path, MODE, /* make= */ false);
  }

  private static SingletonLock acquire(Path path, int mode, boolean make)
      throws PosixException, LockHeldException, NotRegularFileException {
    byte[] bytes = NativePath.bytes(path);
    // Without O_CREAT first: this tells whether the file is made here, and the protection of sticky
    // directories (fs.protected_regular) does not refuse an existing file.
    int flags =
        Files.O_RDWR | Files.O_CLOEXEC | Files.O_NOFOLLOW | Files.O_NOCTTY | Files.O_NONBLOCK;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      boolean created = false;
      int number = Files.open(bytes, flags, 0);
      if (make && number == -Errno.ENOENT.number()) {
        number = Files.open(bytes, flags | Files.O_CREAT | Files.O_EXCL, mode);
        if (number == -Errno.EEXIST.number()) {
          continue;
        }
        created = true;
      }
      if (number == -Errno.ENXIO.number()) {
        // A socket, or a device without a driver.
        throw new NotRegularFileException(path);
      }
      PosixException.check(number, "open", path);
      SingletonLock lock = new SingletonLock(path, bytes, Descriptor.adopt(number), created);
      try {
        if (created) {
          NewFile.openToOwner(lock.descriptor, path);
        }
        lock.take();
        if (lock.isAtPath()) {
          return lock;
        }
      } catch (IOException failure) {
        try (lock) {
          lock.removeIfMade();
        } catch (PosixException second) {
          failure.addSuppressed(second);
        }
        throw failure;
      }
      lock.close();
    }
    throw new PosixException("flock", path.toString(), Errno.ESTALE);
  }

  /**
   * Adopts the lock on an open file that this process has inherited. This process shares the lock
   * with the process that took it, and goes on holding it when that process ends.
   *
   * <p>The descriptor must belong to the open file that has the lock; another open file of the same
   * path will not do. This method locks the open file once more: that changes nothing if this open
   * file has the lock, fails if another one has it, and takes the lock if it is free. It marks the
   * descriptor close-on-exec.
   *
   * <p>Race: the path may name another file by now. This method does not check that, since only the
   * caller knows what to do then: ask {@link #isAtPath()}.
   *
   * <p>If this fails, the descriptor stays open, and the caller has to close it.
   *
   * @param path the path at which the file was opened, as {@link #acquire} got it
   * @param descriptor the open file, for reading and writing; the lock closes it
   * @return the lock, to be closed by the caller; {@link #created()} is false
   * @throws LockHeldException if the lock is held through another open file
   * @throws NotRegularFileException if the descriptor is a socket, a device or the like
   * @throws PosixException if the descriptor cannot be examined, locked or marked
   * @throws IllegalStateException if the descriptor is closed
   */
  public static SingletonLock adopt(Path path, Descriptor descriptor)
      throws PosixException, LockHeldException, NotRegularFileException {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(descriptor, "descriptor");
    SingletonLock lock =
        new SingletonLock(path, NativePath.bytes(path), descriptor, /* created= */ false);
    lock.take();
    int number = descriptor.number();
    PosixException.check(
        Files.fcntl(number, Files.F_SETFD, Files.FD_CLOEXEC), "fcntl F_SETFD", path);
    return lock;
  }

  /** After a failure: removes the file if it was made here, is free, and is still at its path. */
  private void removeIfMade() throws PosixException {
    int number = descriptor.number();
    if (created
        && Files.flock(number, Files.LOCK_EX | Files.LOCK_NB) == 0
        && Files.fstat(number, held) == 0
        && isAtPath()) {
      PosixException.check(Files.unlink(bytes), "unlink", path);
    }
  }

  private void take() throws PosixException, LockHeldException, NotRegularFileException {
    int number = descriptor.number();
    PosixException.check(Files.fstat(number, held), "fstat", path);
    if (!held.isRegularFile()) {
      throw new NotRegularFileException(path);
    }
    long deadline = System.nanoTime() + LINGERING_NANOS;
    long pause = SHORTEST_PAUSE_NANOS;
    LockTable file = null;
    for (int tries = 1; ; tries++) {
      int result = Files.flock(number, Files.LOCK_EX | Files.LOCK_NB);
      if (result != -Errno.EAGAIN.number()) {
        PosixException.check(result, "flock", path);
        return;
      }
      boolean over = System.nanoTime() - deadline > 0;
      long pid = writtenPid(number);
      if (pid != 0) {
        try {
          file = file == null ? LockTable.of(number) : file;
          LockHeldException reason = whoHolds(pid, file, over);
          if (reason != null) {
            throw reason;
          }
        } catch (PosixException unknown) {
          // Without /proc it is held all the same.
        }
      }
      if (over) {
        long self = Processes.getpid();
        throw isHeldBy(self, number)
            ? LockHeldException.by(path, self)
            : LockHeldException.byAnother(path);
      }
      if (tries < EAGER_TRIES) {
        Thread.onSpinWait();
      } else {
        Pause.nanos(pause);
        pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
      }
    }
  }

  /** Who holds the lock of a file that names a process; null if that is to be asked again. */
  private @Nullable LockHeldException whoHolds(long named, LockTable file, boolean over)
      throws PosixException {
    try {
      if (HolderSearch.holds(named, file)) {
        return LockHeldException.by(path, named);
      }
    } catch (PosixException hidden) {
      return over ? LockHeldException.byHidden(path, named, file) : null;
    }
    return over ? LockHeldException.byOthers(path, named, file) : null;
  }

  /** Whether the process is known to hold the lock. */
  private static boolean isHeldBy(long pid, int number) {
    try {
      return HolderSearch.holds(pid, LockTable.of(number));
    } catch (PosixException unknown) {
      return false;
    }
  }

  /** The process id that {@link #write} has put into the file; 0 if it holds anything else. */
  private static long writtenPid(int number) {
    byte[] line = content(number);
    for (int reads = 1; reads < READS; reads++) {
      byte[] again = content(number);
      if (Arrays.equals(line, again)) {
        break;
      }
      line = again;
    }
    return PidText.parseEncoded(line);
  }

  private static byte[] content(int number) {
    return content(number, PidText.RESERVED);
  }

  /** The file's first bytes; none if it cannot be read. */
  static byte[] content(int number, int length) {
    if (length < 0) {
      throw new IllegalArgumentException("a negative length: " + length);
    }
    int room = length;
    if (length > SMALL) {
      // No more memory than the file can fill.
      FileStatus status = new FileStatus();
      int result = Files.fstat(number, status);
      room = (int) Math.min(length, Math.max(SMALL, result < 0 ? 0 : status.size()));
    }
    byte[] buffer = new byte[room];
    return Arrays.copyOf(buffer, Math.max(0, Files.pread(number, buffer, 0)));
  }

  /**
   * Tells whether a process, this one included, holds a {@code flock} on a file. This reads the
   * kernel's list of locks and takes no lock itself, so no {@link #acquire} of another process
   * fails because of it. This process need not be allowed to read the file. A missing file and a
   * symbolic link are not locked.
   *
   * <p>In the initial PID namespace the kernel's list is complete for local files. In a container
   * it lacks the locks of other containers, and on a network file system those of other hosts; and
   * no more than its first thousand locks are read. If the lock is not found so, this method tries
   * a shared lock without waiting, through an open file of its own; it must be allowed to read the
   * file for that. An {@link #acquire} at that moment waits until the shared lock is released.
   * Shared locks of others are not found in this way, only exclusive ones, such as those of {@link
   * #acquire}.
   *
   * <p>Race: the answer may be out of date when this method returns.
   *
   * @param path the file
   * @return whether it is locked
   * @throws PosixException if the path cannot be looked up ({@code EACCES} and so on), or {@code
   *     /proc} cannot be read
   * @see <a href="https://man7.org/linux/man-pages/man5/proc_locks.5.html">proc_locks(5)</a>
   */
  public static boolean isHeld(Path path) throws PosixException {
    Objects.requireNonNull(path, "path");
    int number =
        Files.open(NativePath.bytes(path), Files.O_PATH | Files.O_NOFOLLOW | Files.O_CLOEXEC, 0);
    if (number == -Errno.ENOENT.number() || number == -Errno.ENOTDIR.number()) {
      return false;
    }
    PosixException.check(number, "open", path);
    try (Descriptor file = Descriptor.adopt(number)) {
      return LockTable.of(file.number()).isLocked();
    }
  }

  /** {@return the path, as given} */
  public Path path() {
    return path;
  }

  /**
   * Returns the open file that has the lock. The descriptor is marked close-on-exec, and stays
   * owned by this object. If a spawned program inherits it, the lock is held until both that
   * program and this process have closed it.
   *
   * @return the descriptor
   */
  public Descriptor descriptor() {
    return descriptor;
  }

  /** {@return the user id of the file's owner when it was locked, from 0 to 4294967294} */
  public long owner() {
    return Integer.toUnsignedLong(held.uid());
  }

  /** {@return how many hard links the file had when it was locked} */
  public long links() {
    return held.links();
  }

  /** {@return whether {@link #acquire} made the file; a start that fails may then remove it} */
  public boolean created() {
    return created;
  }

  /**
   * Tells whether the path still names the locked file. If it does not, a process that does not
   * hold the lock has unlinked or replaced the file, and another process may hold a lock on the
   * file that is there now.
   *
   * @return whether it does
   * @throws PosixException if the path cannot be looked up ({@code EACCES} and so on)
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized boolean isAtPath() throws PosixException {
    // Throws if the descriptor is closed: the inode may be another file's then.
    descriptor.number();
    return leadsTo(path, bytes, held);
  }

  /** Whether the path names this file, and not by a symbolic link. */
  static boolean leadsTo(Path path, byte[] bytes, FileStatus file) throws PosixException {
    FileStatus found = new FileStatus();
    int result = Files.lstat(bytes, found);
    if (result == -Errno.ENOENT.number() || result == -Errno.ENOTDIR.number()) {
      return false;
    }
    PosixException.check(result, "lstat", path);
    return found.isSameFile(file);
  }

  /**
   * Empties the file and reserves space for a process id, so that a full disk is found before the
   * daemon is started. A file that is empty and locked means that the daemon is starting.
   *
   * <p>If this fails the file is empty or as it was. Check its content first if the file may be
   * anything but a pidfile. This does not fail on a file system that cannot reserve space; there
   * {@link #write} fails if the disk is full.
   *
   * @throws PosixException if there is no space ({@code ENOSPC}, {@code EDQUOT}), or the file
   *     cannot be changed
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized void prepare() throws PosixException {
    // In this order: a truncation gives the space back.
    empty();
    PosixException.check(PidText.reserve(descriptor.number()), "fallocate", path);
  }

  /**
   * Writes a process id in decimal digits, and a line feed, in place: the lock stays on the file
   * that the path names.
   *
   * <p>Readers find the old content, an empty file, or the new content, since this truncates the
   * file and then makes one write. A file that {@link #prepare()} has emptied keeps its reserved
   * space. If this fails the file is empty or as it was.
   *
   * <p>Race: most file systems of Linux do not lock out readers. One {@code read} that begins
   * before the truncation and ends after the write can see the new digits with the old length. This
   * was seen about once in 100,000 immediate rewrites, with ids of different lengths and readers
   * that do nothing else. If {@link #prepare()} was called some time before, that read would have
   * to last as long in the kernel. A reader that reads until two reads in a row agree is misled
   * only if ids are written three times meanwhile.
   *
   * @param pid the process id, from 1 to 4194304
   * @throws PosixException if there is no space, or the file cannot be changed
   * @throws IllegalArgumentException if the number cannot be a process id
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized void write(long pid) throws PosixException {
    byte[] line = PidText.encode(pid);
    int number = descriptor.number();
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(number, status), "fstat", path);
    // Even a truncation from 0 to 0 would give the reserved space back.
    if (status.size() > 0) {
      empty();
    }
    writeAll(number, line);
  }

  /** Writes all. If it fails the file is as it was, or empty if a part was written. */
  private void writeAll(int number, byte[] content) throws PosixException {
    int count = PosixException.check(Files.pwrite(number, content, 0), "write", path);
    if (count < content.length) {
      try {
        PosixException.check(Files.pwriteAll(number, content, count, 0), "write", path);
      } catch (PosixException failure) {
        empty();
        throw failure;
      }
    }
  }

  /**
   * Empties the file through its descriptor, for a holder that may not unlink it. A file that is
   * empty and not locked means that the daemon has stopped.
   *
   * @throws PosixException if the file cannot be changed
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized void empty() throws PosixException {
    PosixException.check(Files.ftruncate(descriptor.number(), 0), "ftruncate", path);
  }

  /**
   * Reads the first bytes of a locked file that is no pidfile.
   *
   * @param length how many bytes at most; not negative
   * @return the bytes; none also if the file cannot be read
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized byte[] read(int length) {
    return content(descriptor.number(), length);
  }

  /**
   * Replaces the content, in place, of a locked file that is no pidfile. If this fails the file is
   * empty or as it was.
   *
   * <p>Race: for a moment a reader may find the rest of a longer old content after the new one. So
   * the content should mark its own end, by a line feed or the like.
   *
   * @param content the new content
   * @throws PosixException if there is no space, or the file cannot be changed
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized void replace(byte[] content) throws PosixException {
    Objects.requireNonNull(content, "content");
    int number = descriptor.number();
    writeAll(number, content);
    PosixException.check(Files.ftruncate(number, content.length), "ftruncate", path);
  }

  /**
   * Unlinks the file if the path still names it, and closes the lock. A file that another process
   * has put in its place stays.
   *
   * <p>Do not call this while another program that shares the lock shall go on running: the next
   * {@link #acquire} would make a new file, and lock that. If this fails the lock is still held, so
   * that the file can be {@linkplain #empty() emptied} instead.
   *
   * <p>Race: a process that does not hold the lock may replace the file between the check and the
   * removal. This breaks the rule above: only the holder may replace the file.
   *
   * @return whether the file was at its path, and is removed
   * @throws PosixException if the file cannot be removed ({@code EACCES}, {@code EPERM}, {@code
   *     EROFS})
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized boolean remove() throws PosixException {
    boolean removed = isAtPath();
    if (removed) {
      PosixException.check(Files.unlink(bytes), "unlink", path);
    }
    try {
      close();
    } catch (PosixException late) {
      // Nobody can read any more what may be lost, and the lock is released.
    }
    return removed;
  }

  /**
   * Closes the descriptor, and leaves the file where it is; a second call does nothing. This
   * releases the lock, unless another process has the same open file.
   *
   * @throws PosixException if what was written could not be stored ({@code EIO} and so on); the
   *     descriptor is closed in that case too
   */
  @Override
  public synchronized void close() throws PosixException {
    descriptor.close();
  }
}
