package dev.daimon.control;

import dev.daimon.locking.NotRegularFileException;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The daemon of a {@link DaemonControl}: its pidfile and guard file, how it is recognized, and who
 * is told of what an action meets. A {@link StartSpec} gets it, and starts that daemon.
 */
public final class ControlledDaemon {
  /** How long an action waits for the guard: longer than a stop by the default policy takes. */
  private static final Duration TURN = Duration.ofMinutes(1);

  final Path pidFile;

  /** The guard file that the caller has named; null for the one beside the pidfile. */
  final @Nullable Path guard;

  /** Whether the process in the pidfile counts as the daemon even if no process holds the lock. */
  final boolean pidOnly;

  final ActionListener listener;

  /** The process id that {@link #started} was told last; 0 for none. */
  volatile long startedPid;

  ControlledDaemon(Path pidFile, @Nullable Path guard, boolean pidOnly, ActionListener listener) {
    this.pidFile = pidFile;
    this.guard = guard;
    this.pidOnly = pidOnly;
    this.listener = listener;
  }

  /** {@return the daemon's pidfile, as given} */
  public Path pidFile() {
    return pidFile;
  }

  /**
   * Tells the control which process was started. That process is recorded; without this call, or
   * with 0, the one that the pidfile names then, where the daemon may have written another id. The
   * last call counts.
   *
   * @param pid the daemon's process id; its exit status must not have been taken
   */
  public void started(long pid) {
    startedPid = pid;
  }

  /** The same daemon, for one start, which tells what it has {@linkplain #started started}. */
  ControlledDaemon forOneStart() {
    return new ControlledDaemon(pidFile, guard, pidOnly, listener);
  }

  Path guardFile() {
    return guard == null ? Guard.beside(pidFile) : guard;
  }

  /** Probes the daemon as it is now. */
  ProbeResult probe() throws IOException {
    return Probe.at(pidFile, guardFile(), pidOnly);
  }

  /** Tells the listener of a failure after the action was done. */
  void failedAfterwards(String what, IOException failure) {
    listener.failedAfterwards(new IOException(what + ": " + failure.getMessage(), failure));
  }

  /** See {@link DaemonControl#takeGuard}. */
  Optional<Guard> takeGuard() throws IOException, InterruptedException {
    try {
      return Optional.of(Guard.acquire(guardFile(), TURN, pidFile, listener));
    } catch (NotRegularFileException | ForeignGuardException none) {
      if (guard == null) {
        return Optional.empty();
      }
      throw none;
    } catch (PosixException failure) {
      Errno errno = failure.errno();
      boolean denied =
          errno.equals(Errno.EACCES)
              || errno.equals(Errno.EPERM)
              || errno.equals(Errno.EROFS)
              || errno.equals(Errno.ENOSPC)
              || errno.equals(Errno.EDQUOT)
              || errno.equals(Errno.ENAMETOOLONG)
              || errno.equals(Errno.ENOENT)
              || errno.equals(Errno.EISDIR)
              || errno.equals(Errno.ENXIO)
              || errno.equals(Errno.ELOOP);
      if (guard == null && denied) {
        return Optional.empty();
      }
      throw failure;
    }
  }

  /** An action under the guard; the guard is null if the action runs without one. */
  interface GuardedAction<T> {
    T run(@Nullable Guard guard) throws IOException, InterruptedException;
  }

  /** Takes the guard, and runs an action. If the action fails the guard file is as it was. */
  <T> T guarded(GuardedAction<T> action) throws IOException, InterruptedException {
    Guard held = takeGuard().orElse(null);
    T outcome;
    try {
      outcome = action.run(held);
    } catch (IOException | InterruptedException | RuntimeException | Error failure) {
      if (held != null) {
        held.takeBack(failure);
      }
      try (held) {
        throw failure;
      }
    }
    release(held);
    return outcome;
  }

  /** The action is done: a failure here does not make it fail. */
  private void release(@Nullable Guard held) {
    try {
      if (held != null) {
        held.close();
      }
    } catch (PosixException failure) {
      failedAfterwards(guardFile() + " could not be closed", failure);
    }
  }
}
