package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.Holder;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.posix.PosixException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Probe} has found: the pidfile, held open, and the process that the file names, by a
 * handle that cannot come to mean another process.
 *
 * @param detail the state in words, without the name of the state
 * @param pid the process id in the pidfile; 0 if it names none
 * @param locked whether a process holds the pidfile's lock
 * @param proven whether the process was shown to be the daemon
 * @param distrust why other users than root and the pidfile's owner may have put the file where it
 *     was found; null if they cannot
 * @param holders the processes that hold the lock although the daemon does not run, as far as they
 *     can be seen
 * @param file the open pidfile; null if there is none
 * @param process the process that the pidfile names; null if it has ended
 * @param info the description of that process; null if it has ended, or is hidden from this user
 */
record ProbeResult(
    State state,
    String detail,
    long pid,
    boolean locked,
    boolean proven,
    @Nullable String distrust,
    List<Holder> holders,
    @Nullable LockedFile file,
    @Nullable PidFd process,
    @Nullable ProcessInfo info)
    implements AutoCloseable {

  /** The state in words. No switch: that would load another class, and each costs time here. */
  String reason() {
    if (state == State.RUNNING) {
      return "running: ".concat(detail);
    }
    if (state == State.DEAD) {
      return "dead: ".concat(detail);
    }
    return state == State.NOT_RUNNING ? "not running: ".concat(detail) : detail;
  }

  /**
   * The daemon that runs, and may be signalled; null if none runs.
   *
   * @throws ControlException if it cannot be told which process is the daemon
   */
  @Nullable PidFd daemon() throws ControlException {
    if (state == State.UNKNOWN) {
      throw new ControlException(Reason.UNKNOWN, reason());
    }
    if (state != State.RUNNING) {
      return null;
    }
    requireTrusted();
    if (!proven) {
      throw new ControlException(Reason.UNKNOWN, reason());
    }
    return process;
  }

  /** Refuses a pidfile that another user may have put at the path. */
  void requireTrusted() throws ControlException {
    if (distrust != null) {
      throw new ControlException(Reason.UNKNOWN, distrust);
    }
  }

  /** Closes the file and the handle: nothing is lost if this fails. */
  @Override
  public void close() {
    try (file;
        process) {
      return;
    } catch (PosixException nothingLost) {
      return;
    }
  }
}
