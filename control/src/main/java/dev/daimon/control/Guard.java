package dev.daimon.control;

import dev.daimon.locking.LockHeldException;
import dev.daimon.locking.LockedFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The lock that a start, a stop or a restart holds, so that only one of them is under way at a
 * time. It is a {@code flock} on a file of its own, as in {@code daemon-control} of libucw. The
 * kernel releases it if its holder is killed.
 *
 * <p>The file has the mode 0600, so that only its owner and root can delay actions. It holds the
 * {@linkplain StartRecord record of the last start}. It is not removed, since another process may
 * have opened it, and may be waiting for the lock.
 */
public final class Guard implements AutoCloseable {
  private static final int MODE = 0600;

  /** When the listener is told of a wait: a start takes less, so two at a time are silent. */
  private static final long SILENT_NANOS = 200_000_000;

  private static final byte[] SUFFIX = ".guard".getBytes(StandardCharsets.US_ASCII);

  private static final Path ROOT = Path.of("/");

  private final SingletonLock lock;

  /** The content of the file before this object wrote to it; null if it did not. */
  private byte @Nullable [] before;

  /** Whether what was recorded stays, even if the action fails. */
  private boolean kept;

  private Guard(SingletonLock lock) {
    this.lock = lock;
  }

  /**
   * Returns the default guard file of a pidfile: {@code x.guard} for {@code x.pid}, otherwise the
   * whole name with {@code .guard} after it.
   *
   * @param pidFile the pidfile
   * @return a path in the same directory
   */
  public static Path beside(Path pidFile) {
    Objects.requireNonNull(pidFile, "pidFile");
    // In bytes: in some locales the text of a path has lost what is not ASCII.
    Path name = Objects.requireNonNullElse(pidFile.getFileName(), Path.of(""));
    byte[] bytes = NativePath.bytes(ROOT.resolve(name));
    boolean isPid = name.toString().endsWith(".pid");
    int stem = isPid ? bytes.length - ".pid".length() : bytes.length;
    byte[] guard = Arrays.copyOf(bytes, stem + SUFFIX.length);
    System.arraycopy(SUFFIX, 0, guard, stem, SUFFIX.length);
    return pidFile.resolveSibling(ROOT.relativize(NativePath.of(guard)));
  }

  /**
   * Takes the lock, and makes the file if there is none. Root makes it only in a directory that is
   * {@linkplain Ownership#isRootsAlone root's alone}; elsewhere another user could make root create
   * the file at any place. This method accepts a file of any owner.
   *
   * @param file the guard file
   * @param patience how long to wait while another process holds the lock
   * @return the lock, to be closed by the caller
   * @throws ControlException {@link ControlException.Reason#BUSY} if it is held all that time
   * @throws IOException if the file cannot be opened or made; {@code ENOENT} also if root would
   *     have to make it in a directory that other users may change
   * @throws InterruptedException if the thread is interrupted
   */
  public static Guard acquire(Path file, Duration patience)
      throws IOException, InterruptedException {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(patience, "patience");
    return acquire(file, patience, null, new ActionListener() {});
  }

  /**
   * Takes the lock, of a file whose owner counts.
   *
   * @param pidFile the pidfile, whose owner's guard counts; null to accept every owner
   * @param listener is told if there is a wait
   * @throws ForeignGuardException if the file is another user's
   */
  static Guard acquire(
      Path file, Duration patience, @Nullable Path pidFile, ActionListener listener)
      throws IOException, InterruptedException {
    long begin = System.nanoTime();
    long deadline = begin + TimeUnit.NANOSECONDS.convert(patience);
    boolean told = false;
    try (LockWait wait = LockWait.amongMany()) {
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
            if (!told && System.nanoTime() - begin > SILENT_NANOS) {
              told = true;
              listener.waiting(held.holders());
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
            "another action is under way: " + file + " is locked by " + held.holdersInWords());
    busy.initCause(cause);
    return busy;
  }

  private static void requireTrusted(Path file, long owner, @Nullable Path pidFile)
      throws ForeignGuardException {
    if (pidFile != null) {
      GuardOwner.requireTrusted(file, owner, pidFile);
    }
  }

  /** Tries first to lock an existing file, since mostly there is one. */
  private static SingletonLock lock(Path file) throws IOException {
    try {
      return SingletonLock.acquireExisting(file);
    } catch (PosixException failure) {
      Path directory = NativePath.absolute(file).getParent();
      if (!failure.errno().equals(Errno.ENOENT)
          || directory == null
          || !Ownership.mayMakeFilesIn(directory)) {
        throw failure;
      }
      return SingletonLock.acquire(file, MODE);
    }
  }

  /**
   * Records the process that was started, for {@link StartRecord#read}. This is the last step of a
   * start. If it fails there is no record, and the start has succeeded all the same. It does not
   * overwrite a content that is no record, nor a file that has another hard link.
   *
   * @param pid the process that was started; its exit status must not have been taken
   * @param pidFile the pidfile, which names the process
   */
  public void record(long pid, Path pidFile) {
    record(pid, pidFile, List.of());
  }

  /**
   * Records as {@link #record(long, Path)} does, and with the process the programs that read its
   * output.
   *
   * @param pid as for {@link #record(long, Path)}
   * @param pidFile as for {@link #record(long, Path)}
   * @param readers the programs
   */
  public void record(long pid, Path pidFile, List<OutputReader> readers) {
    Objects.requireNonNull(pidFile, "pidFile");
    Objects.requireNonNull(readers, "readers");
    if (before == null) {
      byte[] content = lock.read(StartRecord.CONTENT);
      if (lock.links() != 1 || !StartRecord.isReplaceable(content)) {
        return;
      }
      before = content;
    }
    try {
      StartRecord record = StartRecord.of(pid, pidFile).orElse(null);
      lock.replace(record == null ? new byte[0] : content(record, readers));
    } catch (IOException failure) {
      forget();
    }
  }

  private static byte[] content(StartRecord record, List<OutputReader> readers) throws IOException {
    byte[] line = record.line();
    if (readers.isEmpty()) {
      return line;
    }
    byte[] more = Readers.lines(readers).getBytes(StandardCharsets.UTF_8);
    byte[] both = Arrays.copyOf(line, line.length + more.length);
    System.arraycopy(more, 0, both, line.length, more.length);
    return both;
  }

  /** Removes an older record, which would be that of another process. */
  private void forget() {
    try {
      lock.empty();
    } catch (PosixException left) {
      // The pidfile hardly ever has the process id of that record.
      return;
    }
  }

  /** Keeps what was recorded, even if the action fails from now on: the daemon runs. */
  void keepRecord() {
    kept = true;
  }

  /** Restores the record that {@link #record} has replaced; the guard is still held. */
  void restoreRecord(Throwable reason) {
    try {
      if (before != null) {
        lock.replace(before);
      }
    } catch (PosixException left) {
      reason.addSuppressed(left);
    }
  }

  /**
   * Undoes the changes to the file, for an action that has failed: removes the file if this object
   * made it, otherwise restores its content. A process that waits for the guard makes a new file; a
   * tool of libucw that waits at this moment goes on without one.
   *
   * @param reason the failure of the action; failures of this method are added to it as suppressed
   */
  public void takeBack(Throwable reason) {
    Objects.requireNonNull(reason, "reason");
    if (kept) {
      return;
    }
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
   * Releases the lock; a second call does nothing.
   *
   * @throws PosixException if the descriptor was closed elsewhere
   */
  @Override
  public void close() throws PosixException {
    lock.close();
  }
}
