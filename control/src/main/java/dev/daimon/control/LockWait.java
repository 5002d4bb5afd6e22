package dev.daimon.control;

import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.PosixException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A wait for a lock's release, which nothing tells of: for the end of a process that holds it, or
 * for a pause that grows each time, since a lock is also released by a close, or held by one who
 * cannot be seen.
 */
final class LockWait implements AutoCloseable {
  /** In ns. */
  private static final long SHORTEST = 1_000_000;

  /** Where a holder can be seen its end is an event, so that a look can wait. */
  private static final long SHORTEST_WITH_HOLDER = 100_000_000;

  private static final long LONGEST = 1_000_000_000;

  /** What the search for a holder gets: without one there are the pauses. */
  private static final Duration SEARCH = Duration.ofMillis(100);

  private long pause = SHORTEST;
  private @Nullable PidFd holder;

  /** Waits until it makes sense to look at the lock again. */
  void await(LockedFile file, Duration longest) throws PosixException, InterruptedException {
    if (holder == null) {
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

  /** One who holds the lock and has not ended; null if none can be seen. */
  private static @Nullable PidFd holder(LockedFile file) throws PosixException {
    for (long pid : file.holders(SEARCH)) {
      PidFd process = open(pid);
      if (process != null) {
        return process;
      }
    }
    return null;
  }

  /** Null also where it is forbidden, such as by a seccomp profile: there are the pauses. */
  private static @Nullable PidFd open(long pid) {
    try {
      return Probe.open(pid);
    } catch (PosixException forbidden) {
      return null;
    }
  }

  /** What was only looked at may fail to be closed: nothing depends on it. */
  @Override
  public void close() {
    if (holder != null) {
      ProbeResult.close(holder);
    }
  }
}
