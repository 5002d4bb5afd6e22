package dev.daimon.control;

import dev.daimon.locking.Holder;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.PosixException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the release of a lock. The kernel does not report that, so this waits for the end of a
 * process that holds the lock, and for a pause that grows each time: a process may also release the
 * lock without ending, or be hidden from this user.
 */
final class LockWait implements AutoCloseable {
  /** The first pause, in ns. */
  private static final long SHORTEST = 1_000_000;

  /** The first pause, in ns, if a holder is known: its end ends the pause early. */
  private static final long SHORTEST_WITH_HOLDER = 100_000_000;

  private static final long LONGEST = 1_000_000_000;

  /** The time to search for a holder; without one there are the pauses. */
  private static final Duration SEARCH = Duration.ofMillis(100);

  /** The pause from which on a holder is searched for. */
  private final long searchFrom;

  private long pause = SHORTEST;
  private @Nullable PidFd holder;

  private LockWait(long searchFrom) {
    this.searchFrom = searchFrom;
  }

  /** Returns a wait for one that may hold the lock for long, and that few wait for. */
  static LockWait forOne() {
    return new LockWait(SHORTEST);
  }

  /**
   * Returns a wait among many, each of which will hold the lock for milliseconds. A search costs
   * more than that, and an end that all of them wait for wakes all of them; so for half a second
   * there are the pauses alone.
   */
  static LockWait amongMany() {
    return new LockWait(LONGEST / 2);
  }

  /** Waits until the caller should check the lock again. */
  void await(LockedFile file, Duration longest) throws PosixException, InterruptedException {
    if (holder == null && pause >= searchFrom) {
      holder = holder(file);
      pause = holder == null ? pause : Math.max(pause, SHORTEST_WITH_HOLDER);
    }
    long time = Math.clamp(TimeUnit.NANOSECONDS.convert(longest), 0, pause);
    if (holder == null) {
      TimeUnit.NANOSECONDS.sleep(time);
    } else if (holder.awaitExit(Duration.ofNanos(time))) {
      close();
      holder = null;
      pause = SHORTEST;
      return;
    }
    pause = Math.min(2 * pause, LONGEST);
  }

  /** A process that holds the lock and has not ended; null if none can be seen. */
  private static @Nullable PidFd holder(LockedFile file) throws PosixException {
    for (Holder holder : file.holders(SEARCH)) {
      PidFd process = open(holder.pid());
      if (process != null) {
        return process;
      }
    }
    return null;
  }

  /** Opens a process; null also if that is forbidden, as by a seccomp filter. */
  private static @Nullable PidFd open(long pid) {
    try {
      return Processes.open(pid);
    } catch (PosixException forbidden) {
      return null;
    }
  }

  @Override
  public void close() {
    if (holder != null) {
      Processes.close(holder);
    }
  }
}
