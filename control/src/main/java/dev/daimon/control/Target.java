package dev.daimon.control;

import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The processes that a stop is about: the daemon, and if its whole session is to end, everybody in
 * it. Each of them is a handle that cannot come to mean another process.
 */
final class Target implements AutoCloseable {
  private final PidFd daemon;

  /** 0, which is no session's, if it is only about the daemon, or that has ended. */
  private final long session;

  /** The daemon's session without itself, by process id; those found so far. */
  private final Map<Long, PidFd> members = new HashMap<>();

  private Signal last = Signal.TERM;

  /**
   * A daemon that was shown to be the one.
   *
   * @throws ControlException if this process is in the session that is to end
   */
  Target(PidFd daemon, boolean wholeSession) throws IOException {
    this.daemon = daemon;
    session = wholeSession ? session(daemon) : 0;
    if (session == 0) {
      return;
    }
    try (PidFd own = PidFd.open(ProcessHandle.current().pid())) {
      if (session(own) == session) {
        throw new ControlException(
            ControlException.Reason.UNKNOWN,
            "process "
                + daemon.pid()
                + " is in this very session, which is not the daemon's alone");
      }
    }
  }

  /** The session's id; 0 if the process has ended. */
  private static long session(PidFd process) throws PosixException {
    try {
      return process.info().session();
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ESRCH)) {
        return 0;
      }
      throw failure;
    }
  }

  /** Sends a signal to everybody, and to whoever is found in the session later. */
  void send(Signal signal) throws PosixException {
    last = signal;
    send(daemon, signal);
    for (PidFd member : members.values()) {
      send(member, signal);
    }
    findMembers();
  }

  /** Who has ended meanwhile needs none. */
  private static void send(PidFd process, Signal signal) throws PosixException {
    try {
      process.send(signal);
    } catch (PosixException failure) {
      if (!failure.errno().equals(Errno.ESRCH)) {
        throw failure;
      }
    }
  }

  /**
   * Waits for everybody's end.
   *
   * @param time how long at most
   * @return whether all have ended
   */
  boolean awaitEnd(Duration time) throws PosixException, InterruptedException {
    long start = System.nanoTime();
    findMembers();
    if (!daemon.awaitExit(time)) {
      return false;
    }
    for (PidFd member : members.values()) {
      if (!member.awaitExit(time.minusNanos(System.nanoTime() - start))) {
        return false;
      }
    }
    return true;
  }

  /** Finds who is in the session by now, and sends them what the others have got. */
  private void findMembers() throws PosixException {
    if (session == 0) {
      return;
    }
    for (long pid : ProcessHandle.allProcesses().mapToLong(ProcessHandle::pid).toArray()) {
      PidFd known = pid == daemon.pid() ? daemon : members.get(pid);
      PidFd found = known != null && known.isAlive() ? null : member(pid);
      if (found != null) {
        PidFd predecessor = members.put(pid, found);
        if (predecessor != null) {
          predecessor.close();
        }
        send(found, last);
      }
    }
  }

  /**
   * The process that has this id, if it is in the session; null otherwise.
   *
   * <p>The session's id is free for others as soon as nobody is in it any more. So it counts only
   * if one of those known before is still alive after this one was seen to be in it.
   */
  private @Nullable PidFd member(long pid) throws PosixException {
    PidFd process;
    try {
      process = PidFd.open(pid);
    } catch (PosixException gone) {
      return null;
    }
    if (isMember(process) && isAnybodyAlive()) {
      return process;
    }
    process.close();
    return null;
  }

  private boolean isMember(PidFd process) {
    try {
      return session(process) == session;
    } catch (PosixException unseen) {
      // Where /proc hides other users' processes, this one is not for us to signal either.
      return false;
    }
  }

  private boolean isAnybodyAlive() throws PosixException {
    if (daemon.isAlive()) {
      return true;
    }
    for (PidFd member : members.values()) {
      if (member.isAlive()) {
        return true;
      }
    }
    return false;
  }

  /** Lets go of the members; the daemon's handle is the caller's. */
  @Override
  public void close() throws PosixException {
    for (PidFd member : members.values()) {
      member.close();
    }
  }
}
