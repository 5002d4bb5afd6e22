package dev.daimon.control;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.Holder;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.pidfile.MalformedPidFileException;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.Pause;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds out the state of a daemon that may start or end at the same time. The order of the steps
 * leaves no race: this opens the process first, and then checks that it holds the file's lock. If
 * the process is still alive after that, it is the one that was examined. What is sent through the
 * handle reaches that process or none.
 */
final class Probe implements AutoCloseable {
  /** How often a daemon is probed that changes meanwhile. */
  private static final int TRIES = 40;

  /** The time for all tries, in ns: a daemon's user can make it change as often as it likes. */
  private static final long TIME = 5_000_000_000L;

  /** The pause after the first try on a process that is about to end, in ns; it grows with each. */
  private static final long PAUSE = 1_000_000;

  /**
   * How far the clock of files and that of processes may differ, in s: the first one is coarser,
   * and may be adjusted.
   */
  private static final long CLOCKS_DIFFER = 5;

  /** The last pidfile of root that was found to name a process no user has chosen, and its pid. */
  private static volatile @Nullable Path known;

  private static volatile long knownPid;

  private final Path path;
  private final Path guardFile;

  /** What is known from other probes of a list; null for a single one. */
  private final @Nullable ListScope scope;

  private @Nullable LockedFile file;
  private @Nullable PidFd process;
  private @Nullable ProcessInfo info;
  private long pid;
  private boolean locked;
  private boolean proven;

  /** Why other users may have put the file where it was found; null if they cannot. */
  private @Nullable String distrust;

  /** Whether the process is about to end: its files may be closed, but it is there. */
  private boolean ending;

  private List<Holder> holders = List.of();

  private Probe(Path path, Path guardFile, @Nullable ListScope scope) {
    this.path = path;
    this.guardFile = guardFile;
    this.scope = scope;
  }

  /**
   * Probes a daemon.
   *
   * @param guardFile the file with the record of the last start
   * @param pidOnly whether the process that the pidfile names counts as the daemon even if no
   *     process holds the file's lock
   */
  static ProbeResult at(Path path, Path guardFile, boolean pidOnly) throws IOException {
    return at(path, guardFile, pidOnly, /* scope= */ null);
  }

  /** As {@link #at(Path, Path, boolean)}, one of the probes of a list. */
  static ProbeResult at(Path path, Path guardFile, boolean pidOnly, @Nullable ListScope scope)
      throws IOException {
    long begin = System.nanoTime();
    for (int tries = 1; ; tries++) {
      Probe probe = new Probe(path, guardFile, scope);
      try {
        ProbeResult result = probe.run(pidOnly);
        if (tries == TRIES || System.nanoTime() - begin > TIME || probe.isSettled(result)) {
          return result;
        }
      } catch (IOException | RuntimeException failure) {
        try (probe) {
          throw failure;
        }
      }
      probe.close();
      if (probe.ending) {
        Pause.nanos(tries * PAUSE);
      }
    }
  }

  private ProbeResult run(boolean pidOnly) throws IOException {
    file = (scope == null ? LockedFile.open(path) : scope.open(path)).orElse(null);
    if (file == null) {
      return result(State.NOT_RUNNING, "there is no " + path);
    }
    distrust = distrust(file);
    try {
      pid = PidFile.at(path).read(file.descriptor());
    } catch (MalformedPidFileException malformed) {
      return withoutPid(file, malformed);
    }
    process = Processes.open(pid);
    return process == null ? withoutProcess(file) : withProcess(file, process, pidOnly);
  }

  /**
   * Why the path is not trusted; null if it is. Another user who can change it could lead it to any
   * file, and so to any daemon.
   */
  private @Nullable String distrust(LockedFile pidFile) throws PosixException {
    Path directory = NativePath.absolute(path).getParent();
    if (directory == null || !mayTrust(directory, pidFile.owner())) {
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

  private boolean mayTrust(Path directory, long owner) throws PosixException {
    return scope == null ? Ownership.mayTrust(directory, owner) : scope.mayTrust(directory, owner);
  }

  private ProbeResult withoutPid(LockedFile pidFile, MalformedPidFileException malformed)
      throws IOException {
    if (isHeldByOthers(pidFile)) {
      return result(
          State.UNKNOWN,
          path
              + " is locked by "
              + Holder.inWords(holders)
              + ", and names no process"
              + (malformed.isEmpty()
                  ? ": a start may be under way, or was killed"
                  : ": it " + malformed.reason()));
    }
    return malformed.isEmpty()
        ? result(State.NOT_RUNNING, path + " is empty")
        : result(State.UNKNOWN, path + " is no pidfile: it " + malformed.reason());
  }

  private ProbeResult withoutProcess(LockedFile pidFile) throws IOException {
    if (isHeldByOthers(pidFile)) {
      // Without a holder that can be seen both may be of another PID namespace.
      String gone = holders.isEmpty() ? " is not to be found, and " : " has ended, but ";
      return result(
          State.UNKNOWN,
          "process " + pid + gone + path + " is still locked by " + Holder.inWords(holders));
    }
    return result(State.DEAD, "process " + pid + " has ended, and has left " + path + " behind");
  }

  private ProbeResult withProcess(LockedFile pidFile, PidFd daemon, boolean pidOnly)
      throws IOException {
    @Nullable PosixException denied = null;
    try {
      proven = pidFile.isHeldBy(pid);
    } catch (PosixException failure) {
      if (!Processes.isHidden(failure.errno())) {
        throw failure;
      }
      denied = failure;
    }
    info = Processes.info(daemon);
    if (denied != null && info != null) {
      proven = isHeldAsItsUser(pidFile, info, denied);
    }
    if (info == null && !daemon.isAlive()) {
      proven = false;
      return withoutProcess(pidFile);
    }
    ending = !proven && info != null && info.ending();
    locked = proven || pidFile.isLocked();
    if (info != null && !info.mayBeSignalledBy(pidFile.owner())) {
      return ofAnotherUser(pidFile, info);
    }
    if (proven && info != null && isUsersChoice(pidFile, info)) {
      proven = false;
      return chosen(info);
    }
    if (proven) {
      return result(State.RUNNING, "process " + pid);
    }
    if (!locked) {
      return unlocked(pidFile, info, pidOnly);
    }
    holders = pidFile.holders();
    proven = denied != null && holders.isEmpty() && isRecorded(pidFile, info);
    if (proven) {
      return result(
          State.RUNNING,
          "process " + pid + ", which may not be examined, as its start has recorded");
    }
    if ((denied != null || info == null) && holders.isEmpty() && !isYounger(pidFile, info)) {
      return result(
          State.RUNNING,
          "process "
              + pid
              + "; only root, or in most cases its user, can be shown that it is the one who has"
              + " locked "
              + path);
    }
    return result(
        State.UNKNOWN,
        path + " names process " + pid + ", but is locked by " + Holder.inWords(holders));
  }

  private boolean isHeldAsItsUser(LockedFile pidFile, ProcessInfo process, PosixException denied) {
    try {
      return Processes.examineAsItsUser(process, () -> pidFile.isHeldBy(pid), denied);
    } catch (IOException hidden) {
      return false;
    }
  }

  /**
   * Whether the last start has recorded this very process, which the caller may signal. That is the
   * proof for one that nobody but root may examine, such as an {@code ssh-agent}; and it may be one
   * for root without {@code CAP_SYS_PTRACE}.
   */
  private boolean isRecorded(LockedFile pidFile, @Nullable ProcessInfo info) throws IOException {
    if (info == null || !info.mayBeSignalledBy(Identity.effectiveUser())) {
      return false;
    }
    StartRecord last = StartRecord.read(guardFile, pidFile.owner()).orElse(null);
    return last != null && last.pid() == pid && last.isRunning() && !isUsersChoice(pidFile, info);
  }

  /**
   * The owner of the file may have written any id into it, and may have passed the locked file to
   * that process. So only a process that the owner may signal counts as the daemon.
   */
  private ProbeResult ofAnotherUser(LockedFile pidFile, ProcessInfo info) {
    proven = false;
    return result(
        State.UNKNOWN,
        path
            + " belongs to user "
            + pidFile.owner()
            + ", but "
            + Processes.words(pid, info)
            + " to user "
            + (info.user() == pidFile.owner() ? info.realUser() : info.user()));
  }

  /** No process holds the lock: only the id names the daemon. */
  private ProbeResult unlocked(LockedFile pidFile, @Nullable ProcessInfo info, boolean pidOnly)
      throws IOException {
    String process = Processes.words(pid, info);
    StartRecord last = StartRecord.read(guardFile, pidFile.owner()).orElse(null);
    if (last != null && last.isOfAnother(pidFile, pid)) {
      return result(
          State.DEAD,
          "the daemon has left " + path + " behind, and its id is that of " + process + " now");
    }
    if (info != null && info.kernelThread()) {
      return result(
          State.DEAD,
          "the daemon has left " + path + " behind: " + process + " is a thread of the kernel");
    }
    if (isYounger(pidFile, info)) {
      return result(
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
    if (pidOnly && isOthersChoice(pidFile)) {
      return result(
          State.UNKNOWN,
          path
              + " names "
              + process
              + ", which runs, but others than its owner may write to the file: if it is the daemon,"
              + " type chmod go-w "
              + path);
    }
    if (pidOnly) {
      proven = info != null;
      return result(
          State.RUNNING,
          process + (proven ? ", which has locked nothing" : ", which is hidden from this user"));
    }
    return result(
        State.UNKNOWN,
        path
            + " names "
            + process
            + ", which runs, but nobody has it locked: a daemon that locks nothing, or has closed"
            + " what it inherited; or the id is another program's by now");
  }

  /**
   * Whether others than the owner may have written the id, and root is asked to believe it. Whom
   * other callers can signal is limited by the kernel.
   */
  private static boolean isOthersChoice(LockedFile pidFile) {
    return pidFile.isWritableByOthers() && Identity.effectiveUser() == 0;
  }

  /**
   * Whether the daemon may have written the id of another user's process into root's pidfile, and
   * may have passed the locked file to that process. It can do both, since it has inherited the
   * open file.
   */
  private boolean isUsersChoice(LockedFile pidFile, ProcessInfo named) throws IOException {
    if (pidFile.owner() != 0 || (scope == null && path.equals(known) && pid == knownPid)) {
      return false;
    }
    if (StartRecord.namesNoOther(guardFile, pid)) {
      if (scope == null) {
        known = path;
        knownPid = pid;
      }
      return false;
    }
    StartRecord last = StartRecord.read(guardFile, 0).orElse(null);
    if (last == null || last.pid() == pid) {
      return false;
    }
    try (PidFd daemon = last.isRunning() ? Processes.open(last.pid()) : null) {
      ProcessInfo started = daemon == null ? null : Processes.info(daemon);
      return started != null && !named.mayBeSignalledBy(started.realUser());
    }
  }

  private ProbeResult chosen(ProcessInfo named) {
    return result(
        State.UNKNOWN,
        path
            + " names "
            + Processes.words(pid, named)
            + ", but the daemon that was started last runs, as another user");
  }

  /**
   * Whether the process seems to have been started after the file was written. That is no proof: a
   * clock that was set forward makes every daemon look so.
   */
  private static boolean isYounger(LockedFile pidFile, @Nullable ProcessInfo info) {
    return info != null && info.startTime().getEpochSecond() > pidFile.modified() + CLOCKS_DIFFER;
  }

  private boolean isHeldByOthers(LockedFile pidFile) throws PosixException {
    locked = pidFile.isLocked();
    holders = locked ? pidFile.holders() : List.of();
    return locked;
  }

  private ProbeResult result(State state, String detail) {
    return new ProbeResult(
        state, detail, pid, locked, proven, distrust, holders, file, process, info);
  }

  /**
   * Whether nothing has changed meanwhile: the file was not replaced or rewritten, and the process
   * has not ended. For a process that was shown to be the daemon this needs no check.
   */
  private boolean isSettled(ProbeResult result) throws IOException {
    if (file == null || (result.state() == State.RUNNING && result.proven())) {
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
