package dev.daimon.control;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.posix.PosixException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A daemon as {@link Probe} has seen it: its pidfile, held open, and the process that the file
 * names, as a handle that cannot come to mean another one.
 *
 * @param pid the process id in the pidfile; 0 if it names none
 * @param locked whether somebody holds the pidfile's lock
 * @param proven whether the process was shown to be the daemon
 * @param distrust why others than root and the pidfile's owner may have put it where it was found;
 *     null if they cannot
 * @param holders who holds the lock although the daemon does not run, as far as can be seen
 * @param file the open pidfile; null if there is none
 * @param process the process that the pidfile names; null if it has ended
 * @param info what that process is; null if it has ended, or is hidden from this user
 */
record ProbeResult(
    State state,
    String reason,
    long pid,
    boolean locked,
    boolean proven,
    @Nullable String distrust,
    List<Holder> holders,
    @Nullable LockedFile file,
    @Nullable PidFd process,
    @Nullable ProcessInfo info)
    implements AutoCloseable {

  /** The daemon that runs, and may be signalled; null if none runs. */
  @Nullable PidFd daemon() throws ControlException {
    if (state == State.UNKNOWN) {
      throw new ControlException(ControlException.Reason.UNKNOWN, reason);
    }
    if (state != State.RUNNING) {
      return null;
    }
    requireTrusted();
    if (!proven) {
      throw new ControlException(ControlException.Reason.UNKNOWN, reason);
    }
    return process;
  }

  /** Does nothing at a path that somebody else may have led to this file. */
  void requireTrusted() throws ControlException {
    if (distrust != null) {
      throw new ControlException(ControlException.Reason.UNKNOWN, distrust);
    }
  }

  /** The reason without the state in front of it, for a sentence that tells the state itself. */
  String detail() {
    for (String name : List.of("running: ", "not running: ", "dead: ")) {
      if (reason.startsWith(name)) {
        return reason.substring(name.length());
      }
    }
    return reason;
  }

  /** A close that fails is no failure of an action: what was only looked at loses nothing. */
  @Override
  public void close() {
    try (file;
        process) {
      return;
    } catch (PosixException nothingLost) {
      return;
    }
  }

  /** As {@link #close()}, for a handle beside it. */
  static void close(PidFd process) {
    try {
      process.close();
    } catch (PosixException nothingLost) {
      return;
    }
  }
}
