package dev.daimon.control;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.pidfile.MalformedPidFileException;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.FileAction;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A look at a daemon, while it goes on. The order makes it race-free: the process is opened first,
 * and then shown to hold the file's lock. If it is still alive after that, it was this process that
 * was looked at, and whatever is sent through the handle reaches it or nobody.
 */
final class Probe implements AutoCloseable {
  /** How often a daemon that changes meanwhile is looked at again. */
  private static final int LOOKS = 40;

  /** What all looks get: a daemon's user can have it change as often as it likes. In ns. */
  private static final long TIME = 5_000_000_000L;

  /** What a process in the midst of its end gets after one look; n times that after n; in ns. */
  private static final long PAUSE = 1_000_000;

  /**
   * The clock that files are dated by is coarser than that of processes, and may be adjusted; s.
   */
  private static final long CLOCKS_DIFFER = 5;

  /** The last pidfile of root's whose process was found not to be a user's choice. */
  private static volatile @Nullable Path known;

  private static volatile long knownPid;

  private final Path path;
  private final Path guardFile;
  private @Nullable LockedFile file;
  private @Nullable PidFd process;
  private @Nullable ProcessInfo info;
  private long pid;
  private boolean locked;
  private boolean proven;

  /** Who else may have put the file where it was found; null for nobody. */
  private @Nullable String distrust;

  /** Whether the process is in the midst of its end: its files are closed, but it is there. */
  private boolean ending;

  private List<Holder> holders = List.of();

  private Probe(Path path, Path guardFile) {
    this.path = path;
    this.guardFile = guardFile;
  }

  /**
   * Looks at a daemon.
   *
   * @param guardFile where the last start is recorded
   * @param pidOnly whether the process that the pidfile names counts as the daemon even if nobody
   *     holds the file's lock
   */
  static ProbeResult at(Path path, Path guardFile, boolean pidOnly) throws IOException {
    long begin = System.nanoTime();
    for (int looks = 1; ; looks++) {
      Probe look = new Probe(path, guardFile);
      try {
        ProbeResult sighting = look.sight(pidOnly);
        if (looks == LOOKS || System.nanoTime() - begin > TIME || look.isSettled(sighting)) {
          return sighting;
        }
      } catch (IOException | RuntimeException failure) {
        try (look) {
          throw failure;
        }
      }
      look.close();
      if (look.ending) {
        LockSupport.parkNanos(looks * PAUSE);
      }
    }
  }

  private ProbeResult sight(boolean pidOnly) throws IOException {
    file = LockedFile.open(path).orElse(null);
    if (file == null) {
      return seen(State.NOT_RUNNING, "not running: there is no " + path);
    }
    distrust = distrust(file);
    try {
      pid = PidFile.at(path).read(file.descriptor());
    } catch (MalformedPidFileException malformed) {
      return withoutPid(file, malformed);
    }
    process = open(pid);
    return process == null ? withoutProcess(file) : withProcess(file, process, pidOnly);
  }

  /** Somebody else could have led this path to any file, and so to any daemon. */
  private @Nullable String distrust(LockedFile pidFile) throws PosixException {
    Path directory = path.toAbsolutePath().getParent();
    if (directory == null || !Ownership.mayTrust(directory, pidFile.owner())) {
      return path
          + " belongs to user "
          + pidFile.owner()
          + ", but others than that user and root may exchange it or a directory above it";
    }
    if (!pidFile.isWhereItWasWritten() && Ownership.mayHoldFilesOfOthers(directory)) {
      return path
          + " may have been moved to "
          + directory
          + " by anybody: its name, owner or mode was changed after it was written; if it is the"
          + " daemon's, end the process by its id";
    }
    return null;
  }

  /** A process that has ended is none, whether or not it was waited for. */
  static @Nullable PidFd open(long pid) throws PosixException {
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

  private ProbeResult withoutPid(LockedFile pidFile, MalformedPidFileException malformed)
      throws IOException {
    if (isHeldByOthers(pidFile)) {
      return seen(
          State.UNKNOWN,
          path
              + " is locked"
              + Holders.by(holders)
              + ", and names no process"
              + (malformed.isEmpty()
                  ? ": a start may be under way"
                  : ": it " + malformed.reason()));
    }
    return malformed.isEmpty()
        ? seen(State.NOT_RUNNING, "not running: " + path + " is empty")
        : seen(State.UNKNOWN, path + " is no pidfile: it " + malformed.reason());
  }

  private ProbeResult withoutProcess(LockedFile pidFile) throws IOException {
    if (isHeldByOthers(pidFile)) {
      return seen(
          State.UNKNOWN,
          "process " + pid + " has ended, but " + path + " is still locked" + Holders.by(holders));
    }
    return seen(
        State.DEAD, "dead: process " + pid + " has ended, and has left " + path + " behind");
  }

  private ProbeResult withProcess(LockedFile pidFile, PidFd daemon, boolean pidOnly)
      throws IOException {
    @Nullable PosixException hidden = null;
    try {
      proven = pidFile.isHeldBy(pid);
    } catch (PosixException failure) {
      if (!isHiding(failure.errno())) {
        throw failure;
      }
      hidden = failure;
    }
    info = info(daemon);
    if (hidden != null && info != null) {
      proven = isHeldAsItsUser(pidFile, info, hidden);
    }
    if (info == null && !daemon.isAlive()) {
      proven = false;
      return withoutProcess(pidFile);
    }
    // A process gives its memory back before it closes its files.
    ending = !proven && info != null && info.commandLine().isEmpty();
    locked = proven || pidFile.isLocked();
    if (info != null && !info.mayBeSignalledBy(pidFile.owner())) {
      return ofAnotherUser(pidFile, info);
    }
    if (proven && info != null && isUsersChoice(pidFile, info)) {
      proven = false;
      return chosen(info);
    }
    if (proven) {
      return seen(State.RUNNING, "running: process " + pid);
    }
    if (!locked) {
      return unlocked(pidFile, info, pidOnly);
    }
    holders = Holders.of(pidFile);
    if ((hidden != null || info == null) && holders.isEmpty() && !isYounger(pidFile, info)) {
      return seen(
          State.RUNNING,
          "running: process "
              + pid
              + "; only root, or in most cases its user, can be shown that it is the one who has"
              + " locked "
              + path);
    }
    return seen(
        State.UNKNOWN, path + " names process " + pid + ", but is locked" + Holders.by(holders));
  }

  /**
   * Asks what a process has open. Root without {@code CAP_SYS_PTRACE}, as in most containers, may
   * not look into the process of another user; with that user's rights it may.
   */
  static <T> T into(ProcessInfo process, FileAction<T> question) throws IOException {
    try {
      return question.run();
    } catch (PosixException hidden) {
      return asItsUser(process, question, hidden);
    }
  }

  /**
   * Asks what was refused to this user, if another one could be told; throws the refusal if not.
   */
  private static <T> T asItsUser(ProcessInfo process, FileAction<T> question, PosixException hidden)
      throws IOException {
    if (!hidden.errno().equals(Errno.EACCES)
        || process.realUser() == 0
        || Identity.effectiveUser() != 0) {
      throw hidden;
    }
    return Identity.of("#" + process.realUser(), "#" + process.realGroup()).accessFiles(question);
  }

  private boolean isHeldAsItsUser(LockedFile pidFile, ProcessInfo process, PosixException hidden) {
    try {
      return asItsUser(process, () -> pidFile.isHeldBy(pid), hidden);
    } catch (IOException unseen) {
      return false;
    }
  }

  /**
   * Whoever owns the file may have written any id into it, and may have handed the locked file to
   * that process. So it speaks for what its owner could signal.
   */
  private ProbeResult ofAnotherUser(LockedFile pidFile, ProcessInfo info) {
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
            + (info.user() == pidFile.owner() ? info.realUser() : info.user()));
  }

  /** Nobody holds the lock: the id is all there is. */
  private ProbeResult unlocked(LockedFile pidFile, @Nullable ProcessInfo info, boolean pidOnly)
      throws IOException {
    String process = "process " + pid + (info == null ? "" : " (" + info.name() + ")");
    StartRecord last = StartRecord.read(guardFile, pidFile.owner()).orElse(null);
    if (last != null && last.isOfAnother(pidFile, pid)) {
      return seen(
          State.DEAD,
          "dead: the daemon has left "
              + path
              + " behind, and its id is that of "
              + process
              + " now");
    }
    if (isYounger(pidFile, info)) {
      return seen(
          State.UNKNOWN,
          path
              + " names "
              + process
              + ", which seems to be younger than the file: either the clock was set, and it is the"
              + " daemon; or it is another program's process, and the file is to be removed");
    }
    if (info != null && isUsersChoice(pidFile, info)) {
      return chosen(info);
    }
    if (pidOnly) {
      proven = info != null;
      return seen(
          State.RUNNING,
          "running: "
              + process
              + (proven ? ", which has locked nothing" : ", which is hidden from this user"));
    }
    return seen(
        State.UNKNOWN,
        path
            + " names "
            + process
            + ", which runs, but nobody has it locked: a daemon that locks nothing, or has closed"
            + " what it inherited; or the id is another program's by now");
  }

  /**
   * Whether the daemon that was started may have put another user's process into a pidfile that is
   * root's, and may have handed the locked file to it: it has inherited the open file.
   */
  private boolean isUsersChoice(LockedFile pidFile, ProcessInfo named) throws IOException {
    if (pidFile.owner() != 0 || (path.equals(known) && pid == knownPid)) {
      return false;
    }
    if (StartRecord.namesNoOther(guardFile, pid)) {
      known = path;
      knownPid = pid;
      return false;
    }
    StartRecord last = StartRecord.read(guardFile, 0).orElse(null);
    if (last == null || last.pid() == pid) {
      return false;
    }
    try (PidFd daemon = last.isRunning() ? open(last.pid()) : null) {
      ProcessInfo started = daemon == null ? null : info(daemon);
      return started != null && !named.mayBeSignalledBy(started.realUser());
    }
  }

  private ProbeResult chosen(ProcessInfo named) {
    return seen(
        State.UNKNOWN,
        path
            + " names process "
            + pid
            + " ("
            + named.name()
            + "), but the daemon that was started last runs, as another user");
  }

  /**
   * Whether the process seems to have been started after the file was written. That is no proof: a
   * clock that was set forward makes every daemon look so.
   */
  private static boolean isYounger(LockedFile pidFile, @Nullable ProcessInfo info) {
    return info != null && info.startTime().getEpochSecond() > pidFile.modified() + CLOCKS_DIFFER;
  }

  /** What it is; null if it has ended, or is hidden from this user. */
  static @Nullable ProcessInfo info(PidFd daemon) throws PosixException {
    try {
      return daemon.info();
    } catch (PosixException failure) {
      if (isHiding(failure.errno())) {
        return null;
      }
      throw failure;
    }
  }

  /** As of a process that has ended meanwhile, is another user's, or has too much to look at. */
  private static boolean isHiding(Errno errno) {
    return errno.equals(Errno.ETIMEDOUT)
        || errno.equals(Errno.ESRCH)
        || errno.equals(Errno.ENOENT)
        || errno.equals(Errno.EACCES)
        || errno.equals(Errno.EPERM);
  }

  private boolean isHeldByOthers(LockedFile pidFile) throws PosixException {
    locked = pidFile.isLocked();
    holders = locked ? Holders.of(pidFile) : List.of();
    return locked;
  }

  private ProbeResult seen(State state, String reason) {
    return new ProbeResult(
        state, reason, pid, locked, proven, distrust, holders, file, process, info);
  }

  /**
   * Whether nothing has changed meanwhile: the file was not replaced or rewritten, and the process
   * has not ended. A process that was shown to be the daemon needs no second look.
   */
  private boolean isSettled(ProbeResult sighting) throws IOException {
    if (file == null || (sighting.state() == State.RUNNING && sighting.proven())) {
      return true;
    }
    if (ending || !file.isAtPath() || (process != null && !process.isAlive())) {
      return false;
    }
    long now;
    try {
      now = PidFile.at(path).read(file.descriptor());
    } catch (MalformedPidFileException malformed) {
      now = 0;
    }
    return now == pid && locked == file.isLocked();
  }

  @Override
  public void close() throws PosixException {
    try (LockedFile _ = file;
        PidFd _ = process) {
      return;
    }
  }
}
