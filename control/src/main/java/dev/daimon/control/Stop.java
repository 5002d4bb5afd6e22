package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.Orphans.Orphan;
import dev.daimon.locking.LockHeldException;
import dev.daimon.locking.LockedFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfile.MalformedPidFileException;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** One stop, under the guard: the signals, the wait for the end, and the removal of the pidfile. */
final class Stop {
  private final ControlledDaemon controlled;
  private final Path pidFile;
  private final StopPolicy policy;
  private final StopListener listener;

  /** The guard; null if the stop runs without one. */
  private final @Nullable Guard guard;

  /** Whether a start follows. */
  private final boolean restart;

  private final StopSteps steps;

  Stop(
      ControlledDaemon controlled,
      StopPolicy policy,
      StopListener listener,
      @Nullable Guard guard,
      boolean restart) {
    this.controlled = controlled;
    this.pidFile = controlled.pidFile();
    this.policy = policy;
    this.listener = listener;
    this.guard = guard;
    this.restart = restart;
    steps = new StopSteps(policy, listener);
  }

  StopResult carryOut() throws IOException, InterruptedException {
    StopResult result = stop();
    listener.stopped(result);
    return result;
  }

  private StopResult stop() throws IOException, InterruptedException {
    try (ProbeResult probe = controlled.probe()) {
      LockedFile file = probe.file();
      if (file == null) {
        try (Readers readers = Readers.openOfStopped(controlled.guardFile(), pidFile)) {
          endLeftOver(readers);
        }
        return new StopResult(Outcome.ALREADY_DONE, OptionalLong.empty(), List.of());
      }
      StartRecord last = StartRecord.read(controlled.guardFile(), file.owner()).orElse(null);
      Orphans orphans = Orphans.of(probe, last);
      if (orphans != null) {
        return stop(orphans, probe, file, last);
      }
      PidFd daemon = probe.daemon();
      if (daemon == null) {
        try (Readers readers = Readers.open(controlled.guardFile(), file, probe.pid())) {
          Outcome outcome = removeLeftOver(probe, file);
          endLeftOver(readers);
          return new StopResult(outcome, OptionalLong.empty(), List.of());
        }
      }
      return stop(daemon, daemon.pid(), file, last);
    }
  }

  /** Stops what holds the lock of a daemon which has ended, or of a start that was killed. */
  private StopResult stop(
      Orphans orphans, ProbeResult probe, LockedFile file, @Nullable StartRecord last)
      throws IOException, InterruptedException {
    probe.requireTrusted();
    Orphan orphan = orphans.findProven();
    if (orphan == null) {
      throw new ControlException(
          Reason.UNKNOWN,
          orphans.areUnnamed()
              ? probe.reason()
              : probe.reason()
                  + ", which cannot be shown to be of the daemon's session: if it is the"
                  + " daemon's, end it by its id");
    }
    try {
      if (orphan.ofUnfinishedStart()) {
        // It may hold something else than a process id, or an id since the probe.
        if (!isEmpty(file)) {
          throw new ControlException(Reason.UNKNOWN, probe.reason());
        }
      } else if (!policy.wholeSession()) {
        throw new ControlException(
            Reason.UNKNOWN,
            probe.reason()
                + "; to end what is left of its session: daimon stop --session -p "
                + pidFile);
      }
      return stop(orphan.process(), probe.pid(), file, last);
    } finally {
      Processes.close(orphan.process());
    }
  }

  private StopResult stop(PidFd daemon, long named, LockedFile file, @Nullable StartRecord last)
      throws IOException, InterruptedException {
    try (Readers readers = Readers.open(controlled.guardFile(), file, named);
        StopTarget target = new StopTarget(daemon, file, policy.wholeSession(), last, readers)) {
      Duration left = end(target, daemon, file);
      long ended = System.nanoTime();
      awaitRelease(named, daemon, file, left);
      end(readers, left.minus(since(ended)), target);
    }
    return new StopResult(Outcome.OK, OptionalLong.of(daemon.pid()), steps.sent());
  }

  /** Waits for what has read the output of a daemon that had ended before. */
  private void endLeftOver(Readers readers) throws IOException, InterruptedException {
    // The next start needs nothing of the old pipes.
    if (!restart || policy.wholeSession()) {
      end(readers, policy.steps().getFirst().patience(), null);
    }
  }

  /** Waits until what the daemon has printed is read; tells what still reads then. */
  private void end(Readers readers, Duration time, @Nullable StopTarget target)
      throws IOException, InterruptedException {
    String left = steps.awaitReaders(readers, time, target);
    if (left != null) {
      controlled.listener.failedAfterwards(new IOException(left));
    }
  }

  /** Removes the pidfile of a daemon that does not run. */
  private Outcome removeLeftOver(ProbeResult probe, LockedFile file) throws IOException {
    probe.requireTrusted();
    MalformedPidFileException malformed = malformed(file);
    if (malformed != null && !malformed.isEmpty()) {
      // Nothing shows that the file was the daemon's, and the other lines may be of use.
      if (!restart) {
        controlled.listener.failedAfterwards(
            new IOException(pidFile + " is left: it " + malformed.reason()));
      }
      return Outcome.ALREADY_DONE;
    }
    try {
      remove(file, probe.pid());
    } catch (LockHeldException started) {
      // The next daemon was started meanwhile, without the guard.
      return Outcome.ALREADY_DONE;
    }
    return probe.state() == State.DEAD ? Outcome.STALE : Outcome.ALREADY_DONE;
  }

  private static boolean isEmpty(LockedFile file) throws PosixException {
    MalformedPidFileException malformed = malformed(file);
    return malformed != null && malformed.isEmpty();
  }

  /** What the file holds in place of one process id, and nothing else; null if it holds that. */
  private static @Nullable MalformedPidFileException malformed(LockedFile file)
      throws PosixException {
    try {
      long _ = PidFile.at(file.path()).readSole(file.descriptor());
      return null;
    } catch (MalformedPidFileException malformed) {
      return malformed;
    }
  }

  /**
   * Sends one signal after the other until all have ended.
   *
   * @return the time that is left of the last one's patience
   */
  private Duration end(StopTarget target, PidFd daemon, LockedFile file)
      throws IOException, InterruptedException {
    DaemonEnd end = new DaemonEnd(target, file);
    Duration left = steps.carryOut(target, daemon.pid(), end);
    if (left != null) {
      return left;
    }
    PidFd alive = target.alive();
    boolean ofSession = alive != null && target.hasOwnSession();
    throw alive == null || end.waited ? stillLocked(daemon, file, ofSession) : notEnded(alive);
  }

  /** Goes on until the daemon has ended, and no process of its session holds its lock. */
  private final class DaemonEnd implements StopSteps.Course {
    private final StopTarget target;
    private final LockedFile file;

    /** Whether the children that the daemon has left had their time to end by themselves. */
    private boolean waited;

    DaemonEnd(StopTarget target, LockedFile file) {
      this.target = target;
      this.file = file;
    }

    @Override
    public void check() {}

    @Override
    public boolean isOver(boolean ended, Duration rest) throws IOException, InterruptedException {
      if (!ended) {
        // A child that has released the lock may go on running.
        return waited && !file.isLocked();
      }
      if (!policy.wholeSession() && !waited) {
        waited = true;
        if (isReleased(file, StopSteps.childrensTime(rest))) {
          return true;
        }
      }
      return !target.findHolders();
    }
  }

  /** Waits for the release of the lock, which counts also if the next daemon has taken it since. */
  private boolean isReleased(LockedFile file, Duration time)
      throws IOException, InterruptedException {
    long begin = System.nanoTime();
    try (LockWait release = LockWait.forOne()) {
      while (file.isLocked() && !isNextRunning()) {
        Duration left = time.minus(since(begin));
        if (!left.isPositive()) {
          return false;
        }
        release.await(file, left);
      }
    }
    return true;
  }

  private ControlException notEnded(PidFd process) {
    return new ControlException(Reason.NOT_STOPPED, process + steps.notEnded());
  }

  /** The lock is still held: by processes of the daemon's own session, or by others. */
  private ControlException stillLocked(PidFd daemon, LockedFile file, boolean ofSession)
      throws PosixException {
    return new ControlException(
        Reason.NOT_STOPPED,
        daemon
            + " has ended, but "
            + pidFile
            + " is still locked by "
            + file.holdersInWords()
            + (ofSession
                ? "; to end what is left of its session: daimon stop --session -p " + pidFile
                : ": what has left the daemon's session is to be ended by its id"));
  }

  private static Duration since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos);
  }

  /** Waits until the lock is free, and removes the file, if it is still at its path, as holder. */
  private void awaitRelease(long named, PidFd daemon, LockedFile file, Duration patience)
      throws IOException, InterruptedException {
    long begin = System.nanoTime();
    long told = 0;
    try (LockWait release = LockWait.forOne()) {
      while (file.isLocked() || !isRemoved(named, daemon, file)) {
        if (isNextRunning()) {
          return;
        }
        Duration left = patience.minus(since(begin));
        if (!left.isPositive()) {
          throw stillLocked(daemon, file, false);
        }
        if (since(begin).toSeconds() > told) {
          told = since(begin).toSeconds();
          steps.tellAwaited(left);
        }
        release.await(file, StopSteps.atMostASecond(left));
        if (isForeign(daemon, file)) {
          return;
        }
      }
    }
  }

  /**
   * Whether another user has waited for the lock, and has got it. The daemon has ended then, so the
   * stop is over.
   */
  private boolean isForeign(PidFd daemon, LockedFile file) throws IOException {
    if (!ForeignLock.isOn(file)) {
      return false;
    }
    if (guard != null) {
      try (ProbeResult probe = controlled.probe()) {
        if (ForeignLock.remove(probe)) {
          return true;
        }
      }
    }
    controlled.failedAfterwards(
        daemon + " has ended, but its pidfile is left",
        new IOException(
            pidFile
                + " is locked by "
                + file.holdersInWords()
                + "; another user has taken the lock: end that process, or remove the file"));
    return true;
  }

  /**
   * Whether the file is removed; false if a hidden process holds the lock. Other failures do not
   * make the stop fail.
   */
  private boolean isRemoved(long named, PidFd daemon, LockedFile file) {
    try {
      remove(file, named);
      return true;
    } catch (LockHeldException held) {
      return false;
    } catch (IOException failure) {
      controlled.failedAfterwards(daemon + " has ended, but its pidfile is left", failure);
      return true;
    }
  }

  /**
   * Whether the next daemon was started meanwhile, without the guard. Its process id does not show
   * that, since it may be the same again.
   */
  private boolean isNextRunning() throws IOException {
    try (ProbeResult probe = controlled.probe()) {
      return probe.state() == State.RUNNING;
    }
  }

  /**
   * Removes the file while holding its lock, if it is the one that was probed, and still holds the
   * same. A file that another process has put there stays.
   */
  private void remove(LockedFile file, long pid) throws IOException {
    if (!file.isAtPath()) {
      return;
    }
    try (SingletonLock lock = SingletonLock.acquireExisting(pidFile)) {
      if (file.isAtPath() && isLeftOver(lock, pid)) {
        removeOrEmpty(lock, file);
      }
    } catch (PosixException failure) {
      if (!failure.errno().equals(Errno.ENOENT)) {
        throw failure;
      }
      // The daemon has removed it.
    }
  }

  /** Whether the file still names the daemon, or the daemon has emptied it. */
  private boolean isLeftOver(SingletonLock lock, long pid) throws PosixException {
    try {
      return PidFile.at(pidFile).read(lock.descriptor()) == pid;
    } catch (MalformedPidFileException other) {
      return other.isEmpty();
    }
  }

  /** Empties the file if this user may not change its directory: that means stopped, too. */
  private static void removeOrEmpty(SingletonLock lock, LockedFile file) throws IOException {
    try {
      boolean _ = removeAsOwner(lock, file);
    } catch (IOException denied) {
      try {
        lock.empty();
      } catch (PosixException second) {
        denied.addSuppressed(second);
        throw denied;
      }
    }
  }

  /**
   * Removes the file as its owner, where another user may change the directory: as root this could
   * remove any file to which the path leads by then.
   */
  private static boolean removeAsOwner(SingletonLock lock, LockedFile file) throws IOException {
    Path directory = NativePath.absolute(file.path()).getParent();
    if (file.owner() == 0 || directory == null || Ownership.mayMakeFilesIn(directory)) {
      return lock.remove();
    }
    return Identity.of("#".concat(Long.toString(file.owner())), null).accessFiles(lock::remove);
  }
}
