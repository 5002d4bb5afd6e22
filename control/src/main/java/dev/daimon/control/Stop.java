package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.StopPolicy.Step;
import dev.daimon.locking.LockHeldException;
import dev.daimon.locking.LockedFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfile.MalformedPidFileException;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** One stop, under the guard: the signals, the wait for the end, and the pidfile's removal. */
final class Stop {
  /** How often the listener is told the time. */
  private static final Duration SECOND = Duration.ofSeconds(1);

  /** What children get to end by themselves when the daemon has; at most half of what is left. */
  private static final Duration MOMENT = SECOND;

  private final DaemonControl control;
  private final Path pidFile;
  private final StopPolicy policy;
  private final StopListener listener;
  private final long start = System.nanoTime();
  private final List<Signal> sent = new ArrayList<>();

  /** The process that is waited for: the daemon, or else one that it has left. */
  private long awaited;

  /** Whether those whom the daemon has left had their moment. */
  private boolean waited;

  Stop(DaemonControl control, StopPolicy policy, StopListener listener) {
    this.control = control;
    this.pidFile = control.pidFile();
    this.policy = policy;
    this.listener = listener;
  }

  StopResult carryOut() throws IOException, InterruptedException {
    StopResult result = stop();
    listener.stopped(result);
    return result;
  }

  private StopResult stop() throws IOException, InterruptedException {
    try (ProbeResult sighting = control.look()) {
      LockedFile file = sighting.file();
      if (file == null) {
        return new StopResult(Outcome.ALREADY_DONE, OptionalLong.empty(), List.of());
      }
      StartRecord last = StartRecord.read(control.guardFile(), file.owner()).orElse(null);
      Orphans orphans = Orphans.of(sighting, last);
      if (orphans != null) {
        return stop(orphans, sighting, file);
      }
      PidFd daemon = sighting.daemon();
      if (daemon == null) {
        return new StopResult(removeLeftOver(sighting, file), OptionalLong.empty(), List.of());
      }
      return stop(daemon, daemon.pid(), file, last);
    }
  }

  /** The daemon has ended, and others hold its lock. */
  private StopResult stop(Orphans orphans, ProbeResult sighting, LockedFile file)
      throws IOException, InterruptedException {
    sighting.requireTrusted();
    PidFd proven = orphans.findProven();
    if (proven == null) {
      throw new ControlException(
          Reason.UNKNOWN,
          sighting.reason()
              + ", which cannot be shown to be of the daemon's session: if it is the daemon's, end it by its id");
    }
    try {
      if (!policy.wholeSession()) {
        throw new ControlException(
            Reason.UNKNOWN,
            sighting.reason()
                + "; to end what is left of its session: daimon stop --session -p "
                + pidFile);
      }
      return stop(proven, sighting.pid(), file, null);
    } finally {
      ProbeResult.close(proven);
    }
  }

  private StopResult stop(PidFd daemon, long named, LockedFile file, @Nullable StartRecord last)
      throws IOException, InterruptedException {
    awaited = daemon.pid();
    try (StopTarget target = new StopTarget(daemon, file, policy.wholeSession(), last)) {
      Duration left = end(target, daemon, file);
      awaitRelease(named, daemon, file, left);
    }
    return new StopResult(Outcome.OK, OptionalLong.of(daemon.pid()), List.copyOf(sent));
  }

  /** What a daemon has left that does not run any more. */
  private Outcome removeLeftOver(ProbeResult sighting, LockedFile file) throws IOException {
    sighting.requireTrusted();
    if (hasFurtherLines(file)) {
      // That it was the daemon's is not shown, and what else it says may be somebody's.
      return Outcome.ALREADY_DONE;
    }
    try {
      remove(file, sighting.pid());
    } catch (LockHeldException started) {
      // The next daemon, by somebody who does without the guard.
      return Outcome.ALREADY_DONE;
    }
    return sighting.state() == State.DEAD ? Outcome.STALE : Outcome.ALREADY_DONE;
  }

  private static boolean hasFurtherLines(LockedFile file) throws PosixException {
    try {
      long _ = PidFile.at(file.path()).readSole(file.descriptor());
      return false;
    } catch (MalformedPidFileException malformed) {
      return !malformed.isEmpty();
    }
  }

  /**
   * Sends one signal after the other until everybody has ended.
   *
   * @return what is left of the last one's time
   */
  private Duration end(StopTarget target, PidFd daemon, LockedFile file)
      throws IOException, InterruptedException {
    for (int i = 0; i < policy.steps().size(); i++) {
      Step step = policy.steps().get(i);
      Optional<Signal> next =
          i + 1 < policy.steps().size()
              ? Optional.of(policy.steps().get(i + 1).signal())
              : Optional.empty();
      noteAwaited(target);
      target.send(step.signal());
      sent.add(step.signal());
      long begin = System.nanoTime();
      Duration left = step.patience();
      while (!left.isNegative()) {
        listener.waiting(awaited, since(start), next, left);
        boolean ended = target.awaitEnd(left.compareTo(SECOND) < 0 ? left : SECOND);
        Duration rest = step.patience().minus(since(begin));
        // Who has given the lock up may go on.
        if (ended ? !isLeft(target, file, rest) : waited && !file.isLocked()) {
          return step.patience().minus(since(begin));
        }
        noteAwaited(target);
        if (left.isZero()) {
          break;
        }
        left = step.patience().minus(since(begin));
      }
    }
    PidFd alive = target.alive();
    throw alive == null || waited ? stillLocked(daemon, file) : notEnded(alive);
  }

  private void noteAwaited(StopTarget target) throws PosixException {
    PidFd alive = target.alive();
    awaited = alive == null ? awaited : alive.pid();
  }

  /** Whether the daemon has ended, and somebody of its session still holds its lock. */
  private boolean isLeft(StopTarget target, LockedFile file, Duration rest)
      throws IOException, InterruptedException {
    if (!policy.wholeSession() && !waited) {
      waited = true;
      Duration half = rest.dividedBy(2);
      if (isReleased(file, half.compareTo(MOMENT) < 0 ? half : MOMENT)) {
        return false;
      }
    }
    return target.findHolders();
  }

  /** Also if the next daemon has taken the lock by then. */
  private boolean isReleased(LockedFile file, Duration time)
      throws IOException, InterruptedException {
    long begin = System.nanoTime();
    try (LockWait release = new LockWait()) {
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
    StringBuilder signals = new StringBuilder();
    for (Signal signal : sent) {
      signals.append(signals.isEmpty() ? "" : ", ").append(signal);
    }
    return new ControlException(
        Reason.NOT_STOPPED,
        process + " has not ended after " + since(start).toMillis() / 1000.0 + " s and " + signals);
  }

  private ControlException stillLocked(PidFd daemon, LockedFile file) throws PosixException {
    return new ControlException(
        Reason.NOT_STOPPED,
        daemon
            + " has ended, but "
            + pidFile
            + " is still locked"
            + Holders.by(Holders.of(file))
            + ": what has left the daemon's session is to be ended by its id");
  }

  private static Duration since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos);
  }

  /** Removes the file as its holder, once nobody else holds it, be it at its path or not. */
  private void awaitRelease(long named, PidFd daemon, LockedFile file, Duration patience)
      throws IOException, InterruptedException {
    long begin = System.nanoTime();
    long told = 0;
    try (LockWait release = new LockWait()) {
      while (file.isLocked() || !isRemoved(named, daemon, file)) {
        if (isNextRunning()) {
          return;
        }
        Duration left = patience.minus(since(begin));
        if (!left.isPositive()) {
          throw stillLocked(daemon, file);
        }
        if (since(begin).toSeconds() > told) {
          told = since(begin).toSeconds();
          listener.waiting(awaited, since(start), Optional.empty(), left);
        }
        release.await(file, left.compareTo(SECOND) < 0 ? left : SECOND);
        if (isStrangers(daemon, file)) {
          return;
        }
      }
    }
  }

  /**
   * Whether another user has waited for the lock, and got it: the daemon has ended all the same.
   */
  private boolean isStrangers(PidFd daemon, LockedFile file) throws IOException {
    if (!ForeignLock.isOn(file)) {
      return false;
    }
    if (control.removeFromStranger()) {
      return true;
    }
    control.failedAfterwards(
        daemon + " has ended, but its pidfile is left",
        new IOException(
            pidFile
                + " is locked"
                + Holders.by(Holders.of(file))
                + "; another user has taken the lock: end that process, or remove the file"));
    return true;
  }

  /**
   * False if somebody holds the lock who cannot be seen. What else fails is no matter of a stop.
   */
  private boolean isRemoved(long named, PidFd daemon, LockedFile file) {
    try {
      remove(file, named);
      return true;
    } catch (LockHeldException held) {
      return false;
    } catch (IOException failure) {
      control.failedAfterwards(daemon + " has ended, but its pidfile is left", failure);
      return true;
    }
  }

  /**
   * Whether the next daemon was started already, by somebody who does without the guard. That is
   * not known by its id, which may be the same again.
   */
  private boolean isNextRunning() throws IOException {
    try (ProbeResult sighting = control.look()) {
      return sighting.state() == State.RUNNING;
    }
  }

  /**
   * Takes the file away as its holder, if it is the one that was looked at, and still says the
   * same: what somebody else has put there stays.
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
      // Its daemon was faster.
    }
  }

  /** Its daemon may have emptied it. */
  private boolean isLeftOver(SingletonLock lock, long pid) throws PosixException {
    try {
      return PidFile.at(pidFile).read(lock.descriptor()) == pid;
    } catch (MalformedPidFileException other) {
      return other.isEmpty();
    }
  }

  /** Empty and unlocked means stopped, too: for a directory that is not ours to change. */
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

  /** Root would remove whatever the path leads to by then, where it is not root's alone. */
  private static boolean removeAsOwner(SingletonLock lock, LockedFile file) throws IOException {
    Path directory = file.path().toAbsolutePath().getParent();
    if (file.owner() == 0 || directory == null || Ownership.mayMakeFilesIn(directory)) {
      return lock.remove();
    }
    return Identity.of("#".concat(Long.toString(file.owner())), null).accessFiles(lock::remove);
  }
}
