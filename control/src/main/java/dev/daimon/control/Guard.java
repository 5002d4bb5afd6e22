package dev.daimon.control;

import dev.daimon.locking.LockHeldException;
import dev.daimon.locking.LockedFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
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
  /** A flock cannot be waited for with a time limit, so it is tried again and again; in ms. */
  private static final long STEP = 10;

  private static final int MODE = 0600;

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
    String name = String.valueOf(pidFile.getFileName());
    String stem = name.endsWith(".pid") ? name.substring(0, name.length() - 4) : name;
    return pidFile.resolveSibling(stem.concat(".guard"));
  }

  /**
   * Takes the lock, and makes the file if there is none. Root makes it only in a directory that is
   * {@linkplain Ownership#isRootsAlone root's alone}: elsewhere others could have it made anywhere.
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
    long start = System.nanoTime();
    while (true) {
      try {
        return new Guard(lock(file));
      } catch (LockHeldException held) {
        if (System.nanoTime() - start >= TimeUnit.NANOSECONDS.convert(patience)) {
          throw new ControlException(
              ControlException.Reason.BUSY,
              "another action is under way: " + file + " is locked" + holder(file));
        }
      }
      TimeUnit.MILLISECONDS.sleep(STEP);
    }
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

  private static String holder(Path file) throws IOException {
    Optional<LockedFile> open = LockedFile.open(file);
    if (open.isEmpty()) {
      return "";
    }
    try (LockedFile guard = open.get()) {
      return Holders.by(Holders.of(guard));
    }
  }

  /** Whether a guard file of this owner's counts: root's, the caller's, the pidfile owner's. */
  static boolean isTrusted(long owner, long pidFileOwner) {
    return owner == 0 || owner == pidFileOwner || owner == Identity.effectiveUser();
  }

  /**
   * Writes down who was started, for {@link StartRecord#read}: as the last step of a start. If it
   * cannot be written there is no record, and the start is none the worse.
   *
   * @param pid the process that was started; it must not have been waited for
   */
  public void record(long pid) {
    if (before == null) {
      before = lock.read(StartRecord.LENGTH);
    }
    try {
      StartRecord record = StartRecord.of(pid);
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
