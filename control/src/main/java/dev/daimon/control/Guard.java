package dev.daimon.control;

import dev.daimon.locking.LockHeldException;
import dev.daimon.locking.LockedFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The lock that every action on a daemon holds while it lasts, so that only one is under way at a
 * time: a {@code flock} on a file of its own, as {@code daemon-control} of libucw has it. The
 * kernel releases it if its holder is killed.
 *
 * <p>The file has the mode 0600, so that only its owner and root can hold everybody up. It holds
 * the {@linkplain StartRecord record of the last start}, and stays: removing it would take the lock
 * from under one who has opened it and waits.
 */
public final class Guard implements AutoCloseable {
  private static final int MODE = 0600;

  /** A start takes less: nobody has to be told of starts at the same time. */
  private static final long UNTOLD_NANOS = 200_000_000;

  private final SingletonLock lock;

  /** What the file held before it was written to here; null if it was not. */
  private byte @Nullable [] before;

  private Guard(SingletonLock lock) {
    this.lock = lock;
  }

  /**
   * The guard file that belongs to a pidfile: {@code x.guard} for {@code x.pid}, otherwise the
   * whole name with {@code .guard} after it.
   *
   * @param pidFile the pidfile
   * @return a path in the same directory
   */
  public static Path beside(Path pidFile) {
    Objects.requireNonNull(pidFile, "pidFile");
    String name = String.valueOf(pidFile.getFileName());
    String stem = name.endsWith(".pid") ? name.substring(0, name.length() - 4) : name;
    return pidFile.resolveSibling(stem.concat(".guard"));
  }

  /**
   * Takes the lock, and makes the file if there is none. Root makes it only in a directory that is
   * {@linkplain Ownership#isRootsAlone root's alone}: elsewhere others could have it made anywhere.
   * Whose file it is does not matter here.
   *
   * @param file the guard file
   * @param patience how long to wait for somebody who holds it
   * @return the lock, to be closed by the caller
   * @throws ControlException {@link ControlException.Reason#BUSY} if it is held all that time
   * @throws IOException if the file cannot be opened, or be made; {@code ENOENT} also if root would
   *     have to make it in a directory of others
   * @throws InterruptedException if the thread is interrupted
   */
  public static Guard acquire(Path file, Duration patience)
      throws IOException, InterruptedException {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(patience, "patience");
    return acquire(file, patience, null, new ActionListener() {});
  }

  /**
   * As above, but not a stranger's file.
   *
   * @param pidFile whose owner's guard counts; null for everybody's
   * @param listener is told if there is a wait
   * @throws ForeignGuardException if it is a stranger's
   */
  static Guard acquire(
      Path file, Duration patience, @Nullable Path pidFile, ActionListener listener)
      throws IOException, InterruptedException {
    long begin = System.nanoTime();
    long deadline = begin + TimeUnit.NANOSECONDS.convert(patience);
    boolean told = false;
    try (LockWait wait = new LockWait()) {
      while (true) {
        LockHeldException busy;
        try {
          return own(lock(file), pidFile);
        } catch (LockHeldException held) {
          busy = held;
        }
        try (LockedFile held = LockedFile.open(file).orElse(null)) {
          if (held == null) {
            continue;
          }
          requireTrusted(file, held.owner(), pidFile);
          do {
            Duration left = Duration.ofNanos(deadline - System.nanoTime());
            if (!left.isPositive()) {
              throw busy(file, held, busy);
            }
            if (!told && System.nanoTime() - begin > UNTOLD_NANOS) {
              told = true;
              listener.waiting(Holders.of(held));
            }
            wait.await(held, left);
          } while (held.isAtPath() && held.isLocked());
        }
      }
    }
  }

  private static Guard own(SingletonLock lock, @Nullable Path pidFile) throws IOException {
    try {
      requireTrusted(lock.path(), lock.owner(), pidFile);
      return new Guard(lock);
    } catch (IOException | RuntimeException foreign) {
      try (lock) {
        throw foreign;
      }
    }
  }

  private static ControlException busy(Path file, LockedFile held, LockHeldException cause)
      throws PosixException {
    ControlException busy =
        new ControlException(
            ControlException.Reason.BUSY,
            "another action is under way: " + file + " is locked" + Holders.by(Holders.of(held)));
    busy.initCause(cause);
    return busy;
  }

  /** What a stranger has made, in a sticky directory, would let that one hold everybody up. */
  private static void requireTrusted(Path file, long owner, @Nullable Path pidFile)
      throws ForeignGuardException {
    // The pidfile's owner last: that takes longest.
    if (pidFile != null && !isTrusted(owner, 0) && !isTrusted(owner, owner(pidFile))) {
      throw new ForeignGuardException(file, owner);
    }
  }

  /** Who owns the pidfile; where there is none, who could make one: the directory's owner. */
  private static long owner(Path pidFile) {
    Path directory = pidFile.toAbsolutePath().getParent();
    try {
      return uid(
          directory == null || Files.exists(pidFile, LinkOption.NOFOLLOW_LINKS)
              ? pidFile
              : directory);
    } catch (IOException unseen) {
      return 0;
    }
  }

  private static long uid(Path file) throws IOException {
    Object uid = Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    return Integer.toUnsignedLong((Integer) uid);
  }

  /** Mostly it is there. */
  private static SingletonLock lock(Path file) throws IOException {
    try {
      return SingletonLock.acquireExisting(file);
    } catch (PosixException failure) {
      Path directory = file.toAbsolutePath().getParent();
      if (!failure.errno().equals(Errno.ENOENT)
          || directory == null
          || !Ownership.mayMakeFilesIn(directory)) {
        throw failure;
      }
      return SingletonLock.acquire(file, MODE);
    }
  }

  /** Whether a guard file of this owner's counts: root's, the caller's, the pidfile owner's. */
  static boolean isTrusted(long owner, long pidFileOwner) {
    return owner == 0 || owner == pidFileOwner || owner == Identity.effectiveUser();
  }

  /**
   * Writes down who was started, for {@link StartRecord#read}: as the last step of a start. If it
   * cannot be written there is no record, and the start is none the worse; nor is anything written
   * over what is no record, or into a file that has another name as well.
   *
   * @param pid the process that was started; it must not have been waited for
   * @param pidFile the pidfile, which names it
   */
  public void record(long pid, Path pidFile) {
    Objects.requireNonNull(pidFile, "pidFile");
    if (before == null) {
      byte[] content = lock.read(StartRecord.LENGTH);
      if (lock.links() != 1 || !StartRecord.isReplaceable(content)) {
        return;
      }
      before = content;
    }
    try {
      StartRecord record = StartRecord.of(pid, pidFile);
      lock.replace(record == null ? new byte[0] : record.line());
    } catch (IOException failure) {
      forget();
    }
  }

  /** An older record would be that of another process. */
  private void forget() {
    try {
      lock.empty();
    } catch (PosixException left) {
      // Its process id is not the pidfile's, but for a rare chance.
      return;
    }
  }

  /**
   * Removes the file, if it was made here, or puts back what it held, for an action that has failed
   * and is to leave nothing behind. Whoever waits for it makes a new one; of libucw's tools one
   * that waits at this very moment goes on without.
   *
   * @param reason what has failed; gets what goes wrong here
   */
  public void takeBack(Throwable reason) {
    Objects.requireNonNull(reason, "reason");
    try {
      if (lock.created()) {
        boolean _ = lock.remove();
      } else if (before != null) {
        lock.replace(before);
      }
    } catch (PosixException left) {
      reason.addSuppressed(left);
    }
  }

  /**
   * Releases it; a second call does nothing.
   *
   * @throws PosixException if somebody else has closed the descriptor
   */
  @Override
  public void close() throws PosixException {
    lock.close();
  }
}
