package dev.daimon.control;

import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The processes that a stop signals: the daemon, and if its whole session is to end, every process
 * in it. Each of them is a handle that cannot come to mean another process.
 */
final class StopTarget implements AutoCloseable {
  /** No known session. Every session of another PID namespace reads as 0, too. */
  private static final long NONE = 0;

  /** The time to search for holders: the daemon's user can make it as long as it likes. */
  private static final long SEARCH_NANOS = 5_000_000_000L;

  /** How long the launcher of a start may take to end. */
  private static final Duration LAUNCHER_END = Duration.ofSeconds(1);

  private final PidFd daemon;
  private final LockedFile file;

  /** {@link #NONE} if it is not known. */
  private final long session;

  /** The processes of the session that were found so far, without the daemon, by process id. */
  private final Map<Long, PidFd> members = new HashMap<>();

  /** The signal that was sent last; null before the first one. */
  private @Nullable Signal last;

  /** Whether all processes of the session are to end, and not only those that keep the lock. */
  private final boolean wholeSession;

  /** The programs that read the daemon's output, which end last. */
  private final Readers readers;

  /** Whether those programs are left alone so far. */
  private boolean sparing = true;

  /** The processes that are never taken for those which the daemon has left its lock to. */
  private Set<Long> spared = Set.of();

  /** Whether the daemon was started in a session that is not its own. */
  private final boolean guest;

  /**
   * A process that was shown to be the daemon.
   *
   * @param file its pidfile
   * @param start the record of its start; null if there is none
   * @param readers the programs that read its output
   * @throws ControlException if the session is to end, and is not the daemon's alone
   */
  StopTarget(
      PidFd daemon,
      LockedFile file,
      boolean wholeSession,
      @Nullable StartRecord start,
      Readers readers)
      throws IOException, InterruptedException {
    this.daemon = daemon;
    this.file = file;
    this.wholeSession = wholeSession;
    this.readers = readers;
    ProcessInfo info = Processes.info(daemon);
    session = info == null ? NONE : info.session();
    guest =
        session != daemon.pid()
            && start != null
            && start.pid() == daemon.pid()
            && start.session() == NONE
            && start.isRunning();
    if (wholeSession && info != null) {
      requireOwnSession();
      // Before the first signal: later no process may be left that shows who belonged to it.
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
          daemon
              + reason
              + ", which is not the daemon's alone; to stop it without its session: daimon stop -p "
              + file.path());
    }
  }

  /** Why the session belongs to another leader than the daemon; null if it does not. */
  private @Nullable String leader() throws PosixException, InterruptedException {
    try (PidFd leader = Processes.open(session)) {
      // A leader that holds the lock shares it with the daemon, as a wrapper does. The launcher of
      // a start ends right after the start.
      if (leader == null || isHolder(leader) || leader.awaitExit(LAUNCHER_END)) {
        return null;
      }
      return " is in the session of the running "
          + Processes.words(session, Processes.info(leader));
    }
  }

  /** Whether the session was made for the daemon, so that nobody else is in it. */
  boolean hasOwnSession() throws PosixException {
    return session == daemon.pid() || (!guest && !Processes.isRunning(session));
  }

  /** Leaves out processes that have the lock, but not since the daemon has left it to them. */
  void spare(Set<Long> processes) {
    spared = processes;
  }

  /** Sends a signal to all, and to each process that is found in the session later. */
  void send(Signal signal) throws PosixException {
    last = signal;
    Processes.send(daemon, signal);
    for (PidFd member : members.values()) {
      Processes.send(member, signal);
    }
    findMembers();
  }

  /**
   * Waits until all have ended.
   *
   * @param time how long at most
   * @return whether all have ended
   */
  boolean awaitEnd(Duration time) throws PosixException, InterruptedException {
    long start = System.nanoTime();
    while (true) {
      PidFd known = alive();
      // After that: a process that the last one has started is there by now.
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

  /**
   * Adds the programs that read the output to the target, and what they have started, when all
   * others have ended. They get no signal yet, so they can read the rest.
   */
  void addReaders() throws PosixException {
    sparing = false;
    last = null;
    for (PidFd reader : readers.processes()) {
      members.put(reader.pid(), reader);
    }
    findMembers();
  }

  /** Finds the processes that are in the session by now, and sends them the last signal. */
  private void findMembers() throws PosixException {
    if (session == NONE || !wholeSession) {
      return;
    }
    for (long pid : Processes.all()) {
      PidFd known = pid == daemon.pid() ? daemon : members.get(pid);
      PidFd found = known != null && known.isAlive() ? null : member(pid);
      if (found != null) {
        add(found);
      }
    }
  }

  /** Adds a process that was found, and sends it the last signal. */
  private void add(PidFd found) throws PosixException {
    PidFd predecessor = members.put(found.pid(), found);
    if (predecessor != null) {
      predecessor.close();
    }
    if (last != null) {
      Processes.send(found, last);
    }
  }

  /**
   * Finds, when all have ended, processes of the daemon's session that still hold its lock:
   * children that have inherited it. This examines only what processes of the session have open.
   *
   * @return whether there are any
   */
  boolean findHolders() throws IOException {
    boolean found = false;
    long begin = System.nanoTime();
    for (long pid : session == NONE ? new long[0] : Processes.all()) {
      if (System.nanoTime() - begin > SEARCH_NANOS) {
        break;
      }
      PidFd holder = holder(pid);
      if (holder != null) {
        add(holder);
        found = true;
      }
    }
    return found;
  }

  /**
   * Waits for the end of such processes, and sends them nothing.
   *
   * @param time how long at most
   */
  void awaitHolders(Duration time) throws IOException, InterruptedException {
    long begin = System.nanoTime();
    for (long pid : session == NONE ? new long[0] : Processes.all()) {
      Duration left = time.minusNanos(System.nanoTime() - begin);
      if (!left.isPositive()) {
        return;
      }
      PidFd holder = holder(pid);
      if (holder != null) {
        try {
          boolean _ = holder.awaitExit(left);
        } finally {
          Processes.close(holder);
        }
      }
    }
  }

  private @Nullable PidFd holder(long pid) throws IOException {
    PidFd process = spared.contains(pid) ? null : Processes.open(pid);
    boolean holder = false;
    try {
      holder = process != null && isMember(process) && isHolder(process) && isHeir(process);
    } finally {
      if (process != null && !holder) {
        Processes.close(process);
      }
    }
    return holder ? process : null;
  }

  /** Whether it has inherited the lock: in another's session any process may have waited for it. */
  private boolean isHeir(PidFd process) throws IOException {
    return hasOwnSession() || isTakenByDaemon(process);
  }

  private boolean isTakenByDaemon(PidFd process) {
    try {
      ProcessInfo info = Processes.info(process);
      return info != null
          && Processes.examine(info, () -> file.takenBy(process.pid())) == daemon.pid();
    } catch (IOException hidden) {
      return false;
    }
  }

  /**
   * The process that has this id, if it is in the session; null otherwise.
   *
   * <p>When a session has no process any more, a new session may get its id. So the process counts
   * only if one that was known before is still alive after this one was found in the session, or if
   * this one holds the daemon's lock. The last process of the session may have started it, and then
   * ended.
   */
  private @Nullable PidFd member(long pid) throws PosixException {
    PidFd process = Processes.open(pid);
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
   * Whether it is in the session, and may be the daemon's. Where /proc hides a process, this user
   * may not signal it either.
   */
  private boolean isMember(PidFd process) throws PosixException {
    ProcessInfo info = Processes.info(process);
    return info != null
        && info.session() == session
        && Orphans.mayBelong(file, info)
        && !(sparing && readers.contain(info));
  }

  private boolean isHolder(PidFd process) {
    try {
      ProcessInfo info = Processes.info(process);
      // Alive after the rest: so this is the process that was examined.
      return info != null
          && Processes.examine(info, () -> file.isHeldBy(process.pid()))
          && process.isAlive();
    } catch (IOException hidden) {
      return false;
    }
  }

  /** One that has not ended; null if all have. */
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

  /** Closes the handles of the members. The caller closes the daemon's. */
  @Override
  public void close() {
    for (PidFd member : members.values()) {
      Processes.close(member);
    }
  }
}
