package dev.daimon.control;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The processes that hold the lock of a daemon that has ended itself. */
final class Orphans {
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
  static @Nullable Orphans of(Sighting sighting, @Nullable StartRecord last) throws IOException {
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
    for (long pid : file.holders()) {
      PidFd process = Look.open(pid);
      if (process != null) {
        if (isProven(process)) {
          return process;
        }
        process.close();
      }
    }
    return null;
  }

  private boolean isProven(PidFd process) throws IOException {
    ProcessInfo info = Look.info(process);
    if (info == null || info.session() == 0 || !mayBelong(file, info)) {
      return false;
    }
    long session = info.session();
    boolean daemons =
        start == null
            ? session == daemon || (session == file.takenBy(process.pid()) && isOwners(info))
            : session == start.session() || session == start.pid();
    // In this order: it was this process that was looked at.
    return daemons && !isRunning(session) && file.isHeldBy(process.pid()) && process.isAlive();
  }

  /** Anybody can lock a file that may be read, and leave the lock to others. */
  private boolean isOwners(ProcessInfo info) {
    return info.user() == file.owner();
  }

  /** A user's pidfile speaks for that user's processes only. */
  static boolean mayBelong(LockedFile file, ProcessInfo info) {
    return file.owner() == 0 || file.owner() == info.user();
  }

  /**
   * Whether a session's leader, who has the session's id, runs: as long as anybody is in it the id
   * is given to nobody else.
   */
  static boolean isRunning(long leader) throws IOException {
    try (PidFd process = Look.open(leader)) {
      return process != null;
    }
  }
}
