package dev.daimon.locking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;

/**
 * A locked file, usually a pidfile, that makes its holder the only one: {@code flock} on an inode
 * that the path was seen to name while the lock was held.
 *
 * <p>The lock belongs to the open file, not to a process: a program that inherits the {@linkplain
 * #descriptor() descriptor} shares it, and it lives until the last of them closed it or ended,
 * however it ended. Locked means running or starting, unlocked means stopped, whatever is left in
 * the file.
 *
 * <p>Who takes part must only unlink or replace the file while holding its lock. The races left are
 * with those who do not keep to that; {@link #isAtPath()} finds them out. The lock is advisory, and
 * anybody who may open the file for reading may take it, so keep that in mind where other users
 * can.
 *
 * <p>Safe for use by several threads.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/flock.2.html">flock(2)</a>
 */
public final class SingletonLock implements AutoCloseable {
  /** The highest process id of Linux. */
  private static final int MAX_PID = 4194304;

  /** Of a file that is made here, unless told otherwise. */
  private static final int MODE = 0644;

  /** More than the longest process id, less than the smallest block. */
  private static final int RESERVED = 32;

  /** How often the file may be replaced while it is being locked. */
  private static final int ATTEMPTS = 1000;

  /** How often a file that its holder rewrites meanwhile is read again. */
  private static final int READS = 10;

  /**
   * How long a lock may outlive its holder's last descriptor: a read of its {@code fdinfo} in
   * {@code /proc}, by whoever looks for holders, keeps the open file for as long as that takes.
   */
  private static final long LINGERING_NANOS = 50_000_000;

  /** How often it is asked for again at once: such a read takes microseconds, mostly. */
  private static final int EAGER_TRIES = 20;

  private static final long PAUSE_NANOS = 100_000;

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
   * Takes the lock without waiting for a holder, and makes the file (mode 0644 less the umask) if
   * there is none. What it holds is left as it is.
   *
   * <p>Race: the file may be unlinked or replaced between being opened and being locked, by a
   * holder that stops; the lock would then be on a file that nobody else finds. So the path is
   * looked at again under the lock, and everything is done anew if it names another file by then.
   *
   * <p>A lock that was just given up can be held for a moment longer, by a process that reads in
   * {@code /proc} who holds it. So a refusal is final at once only if the process that the file
   * names is shown to hold the lock; otherwise after 50 ms.
   *
   * <p>If this fails, nothing stays open or locked. The one file it can leave behind is an empty
   * one that it made and another process has locked first: only a holder may remove it.
   *
   * @param path the file; a relative one counts from the JVM's working directory at its start
   * @return the lock, to be closed by the caller
   * @throws LockHeldException if somebody holds it
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
   * As {@link #acquire(Path)}, for a file that is not everybody's to lock.
   *
   * @param path the file; a relative one counts from the JVM's working directory at its start
   * @param mode the permissions of a file that is made here, less the umask, such as 0600; those of
   *     one that is there already stay
   * @return the lock, to be closed by the caller
   * @throws LockHeldException if somebody holds it
   * @throws NotRegularFileException if the path is a FIFO, a device or the like
   * @throws PosixException as {@link #acquire(Path)}
   */
  public static SingletonLock acquire(Path path, int mode)
      throws PosixException, LockHeldException, NotRegularFileException {
    Objects.requireNonNull(path, "path");
    return acquire(path, mode, /* make= */ true);
  }

  /**
   * As {@link #acquire(Path)}, for a file that must be there.
   *
   * @param path the file; a relative one counts from the JVM's working directory at its start
   * @return the lock, to be closed by the caller; {@link #created()} is false
   * @throws LockHeldException if somebody holds it
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
    // Without O_CREAT first: then it is known who made the file, and a sticky directory's
    // protection (fs.protected_regular) does not refuse what exists.
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
      PosixException.check(number, "open", path);
      SingletonLock lock = new SingletonLock(path, bytes, Descriptor.adopt(number), created);
      try {
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
   * Takes over a locked file that this process inherited: it shares the lock of the process that
   * took it, and so holds it without a gap, also when that one ends.
   *
   * <p>Only this very open file will do, not another one of the same file: the lock is asked for
   * once more, which changes nothing where the open file carries it, and fails where another one
   * does. If nobody holds it, it is taken here. The descriptor is marked close-on-exec.
   *
   * <p>Race: whether the path still names the file is not looked at, since whoever took the lock
   * may have lost the file meanwhile, and only the caller knows what to do then: ask {@link
   * #isAtPath()}.
   *
   * <p>If this fails, the descriptor stays open, and the caller's.
   *
   * @param path where it was opened, as {@link #acquire} got it
   * @param descriptor the open file, for reading and writing; the new lock's to close
   * @return the lock, to be closed by the caller; {@link #created()} is false
   * @throws LockHeldException if the lock is held through another open file
   * @throws NotRegularFileException if it is a socket, a device or the like
   * @throws PosixException if it cannot be examined, locked or marked
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

  /** After a failure: it was made here, nobody else has locked it, and it is where it was made. */
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
    LockTable file = null;
    for (int tries = 1; ; tries++) {
      int result = Files.flock(number, Files.LOCK_EX | Files.LOCK_NB);
      if (result != -Errno.EAGAIN.number()) {
        PosixException.check(result, "flock", path);
        return;
      }
      boolean over = System.nanoTime() - deadline > 0;
      long pid = writtenPid(number);
      if (pid == 0) {
        if (over) {
          throw LockHeldException.byAnother(path);
        }
      } else {
        file = file == null ? LockTable.of(number) : file;
        if (isHeldBy(pid, file, over)) {
          throw LockHeldException.by(path, pid);
        }
        if (over) {
          throw LockHeldException.byOthers(path, pid, file);
        }
      }
      if (tries < EAGER_TRIES) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  /** Whether that process is shown to hold the lock; or, if asked so, not shown not to. */
  private static boolean isHeldBy(long pid, LockTable file, boolean perhaps) {
    try {
      return Holder.holds(pid, file);
    } catch (PosixException unseen) {
      return perhaps;
    }
  }

  /** The process id that {@link #write} put into the file, or 0 if it holds something else. */
  private static long writtenPid(int number) {
    byte[] line = content(number);
    for (int reads = 1; reads < READS; reads++) {
      byte[] again = content(number);
      if (Arrays.equals(line, again)) {
        break;
      }
      line = again;
    }
    int length = line.length - 1;
    if (length < 1 || length > 7 || line[length] != '\n') {
      return 0;
    }
    long pid = 0;
    for (int i = 0; i < length; i++) {
      if (line[i] < '0' || line[i] > '9') {
        return 0;
      }
      pid = pid * 10 + line[i] - '0';
    }
    return pid <= MAX_PID ? pid : 0;
  }

  private static byte[] content(int number) {
    return content(number, RESERVED);
  }

  /** What the file begins with; empty if it cannot be read. */
  static byte[] content(int number, int length) {
    byte[] buffer = new byte[length];
    return Arrays.copyOf(buffer, Math.max(0, Files.pread(number, buffer, 0)));
  }

  /**
   * Whether somebody, this process included, holds a {@code flock} on the file; asked without
   * taking it, so that nobody's {@link #acquire} fails for it. Neither the file nor its content has
   * to be readable. A missing file and a symbolic link are held by nobody.
   *
   * <p>The kernel lists every lock in the initial PID namespace. Elsewhere it leaves out those of
   * other containers, and on a network file system those of other hosts. There a lock that is not
   * listed is tried: shared, without waiting, through an open file of its own, which has to be
   * readable. An {@link #acquire} at that very moment waits for the end of it.
   *
   * <p>Race: the answer may be out of date when it arrives.
   *
   * @param path the file
   * @return whether it is locked
   * @throws PosixException if the path cannot be looked up ({@code EACCES} and so on), or {@code
   *     /proc} not be read
   * @see <a href="https://man7.org/linux/man-pages/man5/proc_locks.5.html">proc_locks(5)</a>
   */
  public static boolean isHeld(Path path) throws PosixException {
    Objects.requireNonNull(path, "path");
    int number =
        Files.open(NativePath.bytes(path), Files.O_PATH | Files.O_NOFOLLOW | Files.O_CLOEXEC, 0);
    if (number == -Errno.ENOENT.number()) {
      return false;
    }
    PosixException.check(number, "open", path);
    try (Descriptor file = Descriptor.adopt(number)) {
      return LockTable.of(file.number()).isLocked();
    }
  }

  /** {@return the locked file's path, as given} */
  public Path path() {
    return path;
  }

  /**
   * The open file that carries the lock; marked close-on-exec, and still owned by this object. Keep
   * it open in a program that is spawned, and the lock lives as long as that program or this
   * process has it open.
   *
   * @return the descriptor
   */
  public Descriptor descriptor() {
    return descriptor;
  }

  /** {@return the file's owner when it was locked, a user id from 0 to 4294967294} */
  public long owner() {
    return Integer.toUnsignedLong(held.uid());
  }

  /** {@return how many names the file had when it was locked: hard links} */
  public long links() {
    return held.links();
  }

  /** {@return whether {@link #acquire} made the file, so that a failed start may remove it} */
  public boolean created() {
    return created;
  }

  /**
   * Whether the path still names the locked file. If not, somebody who does not hold the lock has
   * unlinked or replaced it, and another process may hold a lock on what is there now.
   *
   * @return whether it does
   * @throws PosixException if the path cannot be looked up ({@code EACCES} and so on)
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized boolean isAtPath() throws PosixException {
    // Once closed, the inode may be anybody's.
    descriptor.number();
    return leadsTo(path, bytes, held);
  }

  /** Whether the path names this file, itself and not by a symbolic link. */
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
   * Empties the file and reserves space for a process id, so that a full disk is found before
   * anything is started. Empty and locked means starting.
   *
   * <p>If this fails the file is empty or as it was. What it held is no loss if it named a process
   * that does not hold the lock any more; look before, if it may be somebody's file. A file system
   * that cannot reserve space is no failure; there {@link #write} tells.
   *
   * @throws PosixException if there is no space ({@code ENOSPC}, {@code EDQUOT}), or the file
   *     cannot be changed
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized void prepare() throws PosixException {
    // In this order: a truncation gives the space back.
    empty();
    int result = Files.fallocate(descriptor.number(), Files.FALLOC_FL_KEEP_SIZE, 0, RESERVED);
    if (result != -Errno.EOPNOTSUPP.number()) {
      PosixException.check(result, "fallocate", path);
    }
  }

  /**
   * Writes a process id in decimal digits and a line feed, in place: the lock stays on the file
   * that the path names.
   *
   * <p>Readers find the file as it was, empty, or right: what is there is truncated first, and the
   * new line is one write. A file that {@link #prepare()} emptied keeps its reserved space. If this
   * fails the file is empty or as it was.
   *
   * <p>Race: Linux does not lock out readers on most file systems. A single {@code read} that
   * begins before a truncation and ends after the write that follows it may meet the new digits
   * with the old length (seen about once in 100,000 back-to-back rewrites of ids of unequal length,
   * under readers that do nothing else). With {@link #prepare()} some time before, that read would
   * have to hang in the kernel for as long; readers that accept a content only if two reads in a
   * row agree are never misled.
   *
   * @param pid the process id, from 1 to 4194304
   * @throws PosixException if there is no space, or the file cannot be changed
   * @throws IllegalArgumentException if the number cannot be a process id
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized void write(long pid) throws PosixException {
    if (pid < 1 || pid > MAX_PID) {
      throw new IllegalArgumentException("not a process id: " + pid);
    }
    int number = descriptor.number();
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(number, status), "fstat", path);
    // Even a truncation from 0 to 0 would give the reserved space back.
    if (status.size() > 0) {
      empty();
    }
    byte[] line = Long.toString(pid).concat("\n").getBytes(StandardCharsets.US_ASCII);
    int count = PosixException.check(Files.pwrite(number, line, 0), "write", path);
    if (count < line.length) {
      empty();
      throw new PosixException("write", path.toString(), Errno.ENOSPC);
    }
  }

  /**
   * Empties the file through its descriptor; for a holder that may not unlink it. Empty and
   * unlocked means stopped.
   *
   * @throws PosixException if the file cannot be changed
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized void empty() throws PosixException {
    PosixException.check(Files.ftruncate(descriptor.number(), 0), "ftruncate", path);
  }

  /**
   * What the file begins with, for a locked file that is no pidfile.
   *
   * @param length how many bytes at most; not negative
   * @return the bytes; empty also if it cannot be read
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized byte[] read(int length) {
    return content(descriptor.number(), length);
  }

  /**
   * Replaces what the file holds, in place, for a locked file that is no pidfile. If this fails the
   * file is empty or as it was.
   *
   * <p>Race: for a moment a reader may find the rest of a longer old content after the new one. So
   * let the content tell its own end, by a line feed or the like.
   *
   * @param content the new content
   * @throws PosixException if there is no space, or the file cannot be changed
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized void replace(byte[] content) throws PosixException {
    Objects.requireNonNull(content, "content");
    int number = descriptor.number();
    int count = PosixException.check(Files.pwrite(number, content, 0), "write", path);
    if (count < content.length) {
      empty();
      throw new PosixException("write", path.toString(), Errno.ENOSPC);
    }
    PosixException.check(Files.ftruncate(number, content.length), "ftruncate", path);
  }

  /**
   * Unlinks the file if the path still names it, and closes the lock. What somebody else put there
   * is left alone.
   *
   * <p>Not while a program that shares the lock is to go on: the next {@link #acquire} would make a
   * new file and hold a lock of its own. If this fails the lock is still held, so that the file can
   * be {@linkplain #empty() emptied} instead.
   *
   * <p>Race: somebody who does not hold the lock may replace the file between the look and the
   * removal. Nobody who keeps to the protocol can, since that takes the lock held here.
   *
   * @return whether it was there and is removed
   * @throws PosixException if it cannot be removed ({@code EACCES}, {@code EPERM}, {@code EROFS})
   * @throws IllegalStateException if the lock is closed
   */
  public synchronized boolean remove() throws PosixException {
    boolean removed = isAtPath();
    if (removed) {
      PosixException.check(Files.unlink(bytes), "unlink", path);
    }
    close();
    return removed;
  }

  /**
   * Closes the descriptor and leaves the file; a second call does nothing. The lock is released
   * unless a spawned program has the same open file.
   *
   * @throws PosixException if what was written could not be stored ({@code EIO} and so on); it is
   *     closed all the same
   */
  @Override
  public synchronized void close() throws PosixException {
    descriptor.close();
  }
}
