package dev.daimon.control;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.pidfile.MalformedPidFileException;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A look at a daemon, while it goes on. The order makes it race-free: the process is opened first,
 * and then shown to hold the file's lock. If it is still alive after that, it was this process that
 * was looked at, and whatever is sent through the handle reaches it or nobody.
 */
final class Look implements AutoCloseable {
  /** How often a pidfile that changes meanwhile is looked at again. */
  private static final int LOOKS = 20;

  /**
   * The clock that files are dated by is coarser than that of processes, and may be adjusted; s.
   */
  private static final long CLOCKS_DIFFER = 5;

  private final Path path;
  private @Nullable LockedFile file;
  private @Nullable PidFd process;
  private long pid;
  private boolean locked;
  private boolean proven;
  private List<Holder> holders = List.of();

  private Look(Path path) {
    this.path = path;
  }

  /**
   * Looks at a daemon.
   *
   * @param pidOnly whether the process that the pidfile names counts as the daemon even if nobody
   *     holds the file's lock
   */
  static Sighting at(Path path, boolean pidOnly) throws IOException {
    for (int looks = 1; ; looks++) {
      Look look = new Look(path);
      try {
        Sighting sighting = look.sight(pidOnly);
        if (sighting.state() != State.UNKNOWN || looks == LOOKS || !look.isOutOfDate()) {
          return sighting;
        }
      } catch (IOException | RuntimeException failure) {
        try (look) {
          throw failure;
        }
      }
      look.close();
    }
  }

  private Sighting sight(boolean pidOnly) throws IOException {
    file = LockedFile.open(path).orElse(null);
    if (file == null) {
      return seen(State.NOT_RUNNING, "not running: there is no " + path);
    }
    try {
      pid = PidFile.at(path).read(file.descriptor());
    } catch (MalformedPidFileException malformed) {
      return withoutPid(file, malformed);
    }
    process = open(pid);
    return process == null ? withoutProcess(file) : withProcess(file, process, pidOnly);
  }

  /** A process that has ended is none, whether or not it was waited for. */
  private static @Nullable PidFd open(long pid) throws PosixException {
    PidFd process;
    try {
      process = PidFd.open(pid);
    } catch (PosixException failure) {
      Errno errno = failure.errno();
      if (errno.equals(Errno.ESRCH) || errno.equals(Errno.EINVAL) || errno.equals(Errno.ENOENT)) {
        // Gone; or the id is a thread's by now.
        return null;
      }
      throw failure;
    }
    if (process.isAlive()) {
      return process;
    }
    process.close();
    return null;
  }

  private Sighting withoutPid(LockedFile pidFile, MalformedPidFileException malformed)
      throws IOException {
    boolean empty = malformed.reason().equals("is empty");
    if (isHeldByOthers(pidFile)) {
      return seen(
          State.UNKNOWN,
          path
              + " is locked"
              + Holders.by(holders)
              + ", and names no process"
              + (empty ? ": a start may be under way" : ": it " + malformed.reason()));
    }
    return empty
        ? seen(State.NOT_RUNNING, "not running: " + path + " is empty")
        : seen(State.UNKNOWN, path + " is no pidfile: it " + malformed.reason());
  }

  private Sighting withoutProcess(LockedFile pidFile) throws IOException {
    if (isHeldByOthers(pidFile)) {
      return seen(
          State.UNKNOWN,
          "process " + pid + " has ended, but " + path + " is still locked" + Holders.by(holders));
    }
    return seen(
        State.DEAD, "dead: process " + pid + " has ended, and has left " + path + " behind");
  }

  private Sighting withProcess(LockedFile pidFile, PidFd daemon, boolean pidOnly)
      throws IOException {
    boolean visible = true;
    try {
      proven = pidFile.isHeldBy(pid);
    } catch (PosixException failure) {
      visible = false;
    }
    if (proven) {
      return withProof(pidFile, daemon);
    }
    if (!visible && pidFile.isLocked()) {
      locked = true;
      return seen(
          State.RUNNING,
          "running: process "
              + pid
              + "; only its user, or root, can be shown that it is the one"
              + " who has locked "
              + path);
    }
    if (isHeldByOthers(pidFile)) {
      return seen(
          State.UNKNOWN, path + " names process " + pid + ", but is locked" + Holders.by(holders));
    }
    return unlocked(pidFile, daemon, pidOnly);
  }

  private Sighting withProof(LockedFile pidFile, PidFd daemon) throws IOException {
    locked = true;
    ProcessInfo info = info(daemon);
    if (info == null) {
      return withoutProcess(pidFile);
    }
    if (pidFile.owner() != 0 && pidFile.owner() != info.user()) {
      // Whoever owns the file may have written any id into it, and may have handed the locked
      // file to that process.
      proven = false;
      return seen(
          State.UNKNOWN,
          path
              + " belongs to user "
              + pidFile.owner()
              + ", but process "
              + pid
              + " ("
              + info.name()
              + ") to user "
              + info.user());
    }
    return seen(State.RUNNING, "running: process " + pid);
  }

  /** Nobody holds the lock: the id is all there is. */
  private Sighting unlocked(LockedFile pidFile, PidFd daemon, boolean pidOnly) throws IOException {
    ProcessInfo info = info(daemon);
    if (info == null) {
      return withoutProcess(pidFile);
    }
    if (info.startTime().getEpochSecond() > pidFile.modified() + CLOCKS_DIFFER) {
      return seen(
          State.DEAD,
          "dead: process "
              + pid
              + " ("
              + info.name()
              + ") was started after "
              + path
              + " was written");
    }
    if (pidOnly) {
      proven = true;
      return seen(State.RUNNING, "running: process " + pid + ", which has locked nothing");
    }
    return seen(
        State.UNKNOWN,
        path
            + " names process "
            + pid
            + " ("
            + info.name()
            + "), which runs, but nobody has it"
            + " locked: a daemon that locks nothing, or has closed what it inherited; or the id"
            + " is another program's by now");
  }

  /** What it is; null if it has ended. */
  static @Nullable ProcessInfo info(PidFd daemon) throws PosixException {
    try {
      return daemon.info();
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ESRCH)) {
        return null;
      }
      throw failure;
    }
  }

  private boolean isHeldByOthers(LockedFile pidFile) throws PosixException {
    locked = pidFile.isLocked();
    holders = locked ? Holders.of(pidFile) : List.of();
    return locked;
  }

  private Sighting seen(State state, String reason) {
    return new Sighting(state, reason, pid, locked, proven, holders, file, process);
  }

  /** Whether the file was replaced or rewritten, or the process has ended, meanwhile. */
  private boolean isOutOfDate() throws IOException {
    if (file == null || !file.isAtPath() || (process != null && !process.isAlive())) {
      return true;
    }
    long now;
    try {
      now = PidFile.at(path).read(file.descriptor());
    } catch (MalformedPidFileException malformed) {
      now = 0;
    }
    return now != pid || locked != file.isLocked();
  }

  @Override
  public void close() throws PosixException {
    try (LockedFile _ = file;
        PidFd _ = process) {
      return;
    }
  }
}
