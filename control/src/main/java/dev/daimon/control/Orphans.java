package dev.daimon.control;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The processes that still hold the lock of a daemon that has ended, or of a start that was killed
 * before it could write the process id.
 */
final class Orphans {
  /** The time for a search: without a record of the start, any user can make it long. */
  private static final long SEARCH_NANOS = 10_000_000_000L;

  private final LockedFile file;

  /** The process id in the pidfile; 0 if it names none. */
  private final long daemon;

  /** The record of that daemon's start; null if there is none. */
  private final @Nullable StartRecord start;

  /**
   * A process that was shown to have belonged to the daemon.
   *
   * @param process a handle, which the caller closes
   * @param ofUnfinishedStart whether its start was killed before it could write the process id, if
   *     the pidfile still is empty: then it is the daemon itself
   */
  record Orphan(PidFd process, boolean ofUnfinishedStart) {}

  private Orphans(LockedFile file, long daemon, @Nullable StartRecord start) {
    this.file = file;
    this.daemon = daemon;
    this.start = start;
  }

  /**
   * Those of a daemon that was shown to have ended while its pidfile is still locked; null if that
   * is not so.
   *
   * @param last the record of the last start; null if there is none
   */
  static @Nullable Orphans of(ProbeResult probe, @Nullable StartRecord last) throws IOException {
    LockedFile file = probe.file();
    if (probe.state() != State.UNKNOWN || file == null || !probe.locked()) {
      return null;
    }
    long pid = probe.pid();
    // A daemon may have emptied its pidfile.
    StartRecord start = last != null && (pid == last.pid() || pid == 0) ? last : null;
    boolean ended = start == null ? probe.process() == null : !start.isRunning();
    return ended ? new Orphans(file, pid, start) : null;
  }

  /** Whether the pidfile names no process. */
  boolean areUnnamed() {
    return daemon == 0;
  }

  /**
   * Finds one that was shown to have belonged to the daemon. It is in the session that was made for
   * the daemon, that the daemon made, or that was led by the process which took the lock. And the
   * leader of that session has ended, so it can put no other processes into it.
   *
   * @return null if there is none
   */
  @Nullable Orphan findProven() throws IOException {
    long begin = System.nanoTime();
    for (long pid : Processes.all()) {
      if (System.nanoTime() - begin > SEARCH_NANOS) {
        return null;
      }
      PidFd process = Processes.open(pid);
      Orphan orphan = null;
      try {
        orphan = process == null ? null : proven(process);
      } finally {
        if (process != null && orphan == null) {
          Processes.close(process);
        }
      }
      if (orphan != null) {
        return orphan;
      }
    }
    return null;
  }

  private @Nullable Orphan proven(PidFd process) throws IOException {
    ProcessInfo info = Processes.info(process);
    if (info == null || info.session() == 0 || !mayBelong(file, info)) {
      return null;
    }
    long session = info.session();
    boolean recorded = start != null && (session == start.session() || session == start.pid());
    // Where the pidfile is empty, the record may be that of an earlier start.
    boolean known =
        recorded || ((start == null || daemon == 0) && (session == daemon || isOwners(info)));
    // The id of a session is given to no other process while a process is in the session. The
    // descriptors last, since there may be very many. Alive after that: so this is the process
    // that was examined.
    boolean proven =
        known
            && !Processes.isRunning(session)
            && isHeir(process.pid(), info, recorded)
            && process.isAlive();
    return proven ? new Orphan(process, daemon == 0 && !recorded) : null;
  }

  /** Whether it holds the lock; without a record also whether its session's leader took that. */
  private boolean isHeir(long pid, ProcessInfo info, boolean recorded) {
    try {
      return Processes.examine(
          info,
          () ->
              file.isHeldBy(pid)
                  && (recorded || info.session() == daemon || info.session() == file.takenBy(pid)));
    } catch (IOException hidden) {
      return false;
    }
  }

  /** Every user who may read the file can lock it, and pass the lock on. */
  private boolean isOwners(ProcessInfo info) {
    return info.user() == file.owner() && info.realUser() == file.owner();
  }

  /** Whether a process may be the daemon's: a user's pidfile counts for its own processes only. */
  static boolean mayBelong(LockedFile file, ProcessInfo info) {
    return info.mayBeSignalledBy(file.owner());
  }
}
