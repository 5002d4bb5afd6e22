package dev.daimon.control;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The processes that hold the lock of a daemon that has ended itself. */
final class Orphans {
  /** What a search gets: without a record of the start, anybody can make it long. */
  private static final long SEARCH_NANOS = 10_000_000_000L;

  private final LockedFile file;

  /** What the pidfile names; 0 for nobody. */
  private final long daemon;

  /** The start of that daemon; null if that is not known. */
  private final @Nullable StartRecord start;

  private Orphans(LockedFile file, long daemon, @Nullable StartRecord start) {
    this.file = file;
    this.daemon = daemon;
    this.start = start;
  }

  /**
   * Those of a daemon that was shown to have ended while its pidfile is still locked; null if that
   * is not so.
   *
   * @param last the last start; null if that is not known
   */
  static @Nullable Orphans of(ProbeResult sighting, @Nullable StartRecord last) throws IOException {
    LockedFile file = sighting.file();
    if (sighting.state() != State.UNKNOWN || file == null || !sighting.locked()) {
      return null;
    }
    long pid = sighting.pid();
    // A daemon may have emptied its pidfile.
    StartRecord start = last != null && (pid == last.pid() || pid == 0) ? last : null;
    boolean ended = start == null ? pid != 0 && sighting.process() == null : !start.isRunning();
    return ended ? new Orphans(file, pid, start) : null;
  }

  /**
   * One that was shown to have belonged to the daemon: it is in the session that was made for the
   * daemon, that the daemon made, or that was led by the one who took the lock; and no leader of it
   * lives that could have put others into it.
   *
   * @return a handle, to be closed by the caller; null if there is none
   */
  @Nullable PidFd findProven() throws IOException {
    long begin = System.nanoTime();
    for (long pid : StopTarget.processes()) {
      if (System.nanoTime() - begin > SEARCH_NANOS) {
        return null;
      }
      PidFd process = Probe.open(pid);
      boolean proven = false;
      try {
        proven = process != null && isProven(process);
      } finally {
        if (process != null && !proven) {
          ProbeResult.close(process);
        }
      }
      if (proven) {
        return process;
      }
    }
    return null;
  }

  private boolean isProven(PidFd process) throws IOException {
    ProcessInfo info = Probe.info(process);
    if (info == null || info.session() == 0 || !mayBelong(file, info)) {
      return false;
    }
    long session = info.session();
    boolean known =
        start == null
            ? session == daemon || isOwners(info)
            : session == start.session() || session == start.pid();
    // What it has open last: that may be very much. And after that: it was this process.
    return known && !isRunning(session) && isHeir(process.pid(), info) && process.isAlive();
  }

  /** Whether it holds the lock, and without a record has it from its session's leader. */
  private boolean isHeir(long pid, ProcessInfo info) {
    try {
      return Probe.into(
          info,
          () ->
              file.isHeldBy(pid)
                  && (start != null
                      || info.session() == daemon
                      || info.session() == file.takenBy(pid)));
    } catch (IOException unseen) {
      return false;
    }
  }

  /** Anybody can lock a file that may be read, and leave the lock to others. */
  private boolean isOwners(ProcessInfo info) {
    return info.user() == file.owner() && info.realUser() == file.owner();
  }

  /** A user's pidfile speaks for that user's processes only. */
  static boolean mayBelong(LockedFile file, ProcessInfo info) {
    return info.mayBeSignalledBy(file.owner());
  }

  /**
   * Whether a session's leader, who has the session's id, runs: as long as anybody is in it the id
   * is given to nobody else.
   */
  static boolean isRunning(long leader) throws IOException {
    try (PidFd process = Probe.open(leader)) {
      return process != null;
    }
  }
}
