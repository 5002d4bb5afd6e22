package dev.daimon.control;

import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
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
final class StopTarget implements AutoCloseable {
  /** No session: outside of this PID namespace there may be some, which all read as 0. */
  private static final long NONE = 0;

  /** What a search for holders gets: the daemon's user can make it as long as it likes. */
  private static final long SEARCH_NANOS = 5_000_000_000L;

  private static final Duration LAUNCHER_END = Duration.ofSeconds(1);

  private final PidFd daemon;
  private final LockedFile file;

  /** {@link #NONE} if it is not known. */
  private final long session;

  /** The daemon's session without itself, by process id; those found so far. */
  private final Map<Long, PidFd> members = new HashMap<>();

  /** Null until there is one. */
  private @Nullable Signal last;

  /** Whether everybody in the session is to end, and not only who holds the lock after the end. */
  private final boolean wholeSession;

  /** Whether it was started in a session that is somebody else's. */
  private final boolean guest;

  /**
   * A daemon that was shown to be the one.
   *
   * @param file its pidfile
   * @param start its start, as far as is known
   * @throws ControlException if the session is to end, and is not the daemon's alone
   */
  StopTarget(PidFd daemon, LockedFile file, boolean wholeSession, @Nullable StartRecord start)
      throws IOException, InterruptedException {
    this.daemon = daemon;
    this.file = file;
    this.wholeSession = wholeSession;
    ProcessInfo info = Probe.info(daemon);
    session = info == null ? NONE : info.session();
    guest =
        session != daemon.pid()
            && start != null
            && start.pid() == daemon.pid()
            && start.session() == NONE
            && start.isRunning();
    if (wholeSession && info != null) {
      requireOwnSession();
      // Before the first signal: those whom nobody has outlived cannot be found any more.
      findMembers();
    }
  }

  private void requireOwnSession() throws IOException, InterruptedException {
    String reason = null;
    try (PidFd own = PidFd.open(ProcessHandle.current().pid())) {
      if (session == NONE) {
        reason = " is in a session without a leader in this PID namespace";
      } else if (own.info().session() == session) {
        reason = " is in this very session";
      }
    }
    if (reason == null && session != daemon.pid()) {
      reason = guest ? " was started in the session of others" : leader();
    }
    if (reason != null) {
      throw new ControlException(
          ControlException.Reason.UNKNOWN,
          daemon + reason + ", which is not the daemon's alone; stop it without its session");
    }
  }

  /** What is to be said of a leader that is not the daemon; null if there is none. */
  private @Nullable String leader() throws PosixException, InterruptedException {
    try (PidFd leader = Probe.open(session)) {
      // One that holds the lock has it in common with the daemon, as a wrapper does; the launcher
      // of a start ends right after it.
      if (leader == null || isHolder(leader) || leader.awaitExit(LAUNCHER_END)) {
        return null;
      }
      ProcessInfo info = Probe.info(leader);
      return " is in the session of the running "
          + new Holder(session, info == null ? "" : info.name());
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

  /** Who is stopped takes it only when it goes on. Who has ended meanwhile needs none. */
  private static void send(PidFd process, Signal signal) throws PosixException {
    try {
      process.send(signal);
      process.send(Signal.CONT);
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
    while (true) {
      PidFd known = alive();
      // After that: whom the last one has started is there by now.
      findMembers();
      PidFd next = known == null ? alive() : known;
      if (next == null) {
        return true;
      }
      if (!next.awaitExit(time.minusNanos(System.nanoTime() - start))) {
        return false;
      }
    }
  }

  /** Finds who is in the session by now, and sends them what the others have got. */
  private void findMembers() throws PosixException {
    if (session == NONE || !wholeSession) {
      return;
    }
    for (long pid : processes()) {
      PidFd known = pid == daemon.pid() ? daemon : members.get(pid);
      PidFd found = known != null && known.isAlive() ? null : member(pid);
      if (found != null) {
        add(found);
      }
    }
  }

  /** All processes that can be seen by now. */
  static long[] processes() {
    return ProcessHandle.allProcesses().mapToLong(ProcessHandle::pid).toArray();
  }

  /** Sends whoever was found what the others have got. */
  private void add(PidFd found) throws PosixException {
    PidFd predecessor = members.put(found.pid(), found);
    if (predecessor != null) {
      predecessor.close();
    }
    if (last != null) {
      send(found, last);
    }
  }

  /**
   * Finds, when everybody has ended, who of the daemon's session still holds its lock: its
   * children, which have inherited it. Only who is in the session is asked for what it has open.
   *
   * @return whether there is somebody
   */
  boolean findHolders() throws IOException {
    boolean found = false;
    long begin = System.nanoTime();
    for (long pid : session == NONE ? new long[0] : processes()) {
      if (System.nanoTime() - begin > SEARCH_NANOS) {
        break;
      }
      PidFd process = Probe.open(pid);
      boolean holder = false;
      try {
        holder = process != null && isMember(process) && isHolder(process) && isHeir(process);
      } finally {
        if (process != null && !holder) {
          ProbeResult.close(process);
        }
      }
      if (process != null && holder) {
        add(process);
        found = true;
      }
    }
    return found;
  }

  /** In a session of others, anybody may have waited for the lock. */
  private boolean isHeir(PidFd process) throws IOException {
    return session == daemon.pid()
        || isTakenByDaemon(process)
        || (!guest && !Orphans.isRunning(session));
  }

  private boolean isTakenByDaemon(PidFd process) {
    try {
      ProcessInfo info = Probe.info(process);
      return info != null && Probe.into(info, () -> file.takenBy(process.pid())) == daemon.pid();
    } catch (IOException unseen) {
      return false;
    }
  }

  /**
   * The process that has this id, if it is in the session; null otherwise.
   *
   * <p>The session's id is free for others as soon as nobody is in it any more. So it counts only
   * if one of those known before is still alive after this one was seen to be in it, or if this one
   * holds the daemon's lock: so do those whom the last one has started, and then ended.
   */
  private @Nullable PidFd member(long pid) throws PosixException {
    PidFd process = Probe.open(pid);
    if (process == null) {
      return null;
    }
    if (isMember(process) && (alive() != null || isHolder(process))) {
      return process;
    }
    process.close();
    return null;
  }

  /**
   * A user's pidfile speaks for that user's processes only. And where /proc hides other users'
   * processes, they are not for us to signal either.
   */
  private boolean isMember(PidFd process) throws PosixException {
    ProcessInfo info = Probe.info(process);
    return info != null && info.session() == session && Orphans.mayBelong(file, info);
  }

  private boolean isHolder(PidFd process) {
    try {
      ProcessInfo info = Probe.info(process);
      // In this order: it was this one that was looked at.
      return info != null
          && Probe.into(info, () -> file.isHeldBy(process.pid()))
          && process.isAlive();
    } catch (IOException unseen) {
      return false;
    }
  }

  /** Somebody who has not ended; null if there is nobody. */
  @Nullable PidFd alive() throws PosixException {
    if (daemon.isAlive()) {
      return daemon;
    }
    for (PidFd member : members.values()) {
      if (member.isAlive()) {
        return member;
      }
    }
    return null;
  }

  /**
   * Lets go of the members; the daemon's handle is the caller's. A close that fails is no failure
   * of the stop.
   */
  @Override
  public void close() {
    for (PidFd member : members.values()) {
      ProbeResult.close(member);
    }
  }
}
