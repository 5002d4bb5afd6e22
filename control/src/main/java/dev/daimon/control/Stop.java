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
import java.util.concurrent.TimeUnit;

/** One stop, under the guard: the signals, the wait for the end, and the pidfile's removal. */
final class Stop {
  /** How often the listener is told the time. */
  private static final Duration SECOND = Duration.ofSeconds(1);

  /** Nothing tells of a lock that is released, so it is looked at again and again; in ms. */
  private static final long STEP = 10;

  private final Path pidFile;
  private final boolean pidOnly;
  private final StopPolicy policy;
  private final StopListener listener;
  private final long start = System.nanoTime();
  private final List<Signal> sent = new ArrayList<>();

  Stop(Path pidFile, boolean pidOnly, StopPolicy policy, StopListener listener) {
    this.pidFile = pidFile;
    this.pidOnly = pidOnly;
    this.policy = policy;
    this.listener = listener;
  }

  StopResult carryOut() throws IOException, InterruptedException {
    StopResult result = stop();
    listener.stopped(result);
    return result;
  }

  private StopResult stop() throws IOException, InterruptedException {
    try (Sighting sighting = Look.at(pidFile, pidOnly)) {
      LockedFile file = sighting.file();
      PidFd daemon = sighting.daemon();
      if (daemon == null || file == null) {
        return new StopResult(removeLeftOver(sighting), OptionalLong.empty(), List.of());
      }
      Duration left = end(daemon, file);
      awaitRelease(daemon.pid(), file, left);
      return new StopResult(Outcome.OK, OptionalLong.of(daemon.pid()), List.copyOf(sent));
    }
  }

  /** What a daemon has left that does not run any more. */
  private Outcome removeLeftOver(Sighting sighting) throws IOException {
    LockedFile file = sighting.file();
    if (file == null) {
      return Outcome.ALREADY_DONE;
    }
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
  private Duration end(PidFd daemon, LockedFile file) throws IOException, InterruptedException {
    try (Target target = new Target(daemon, file, policy.wholeSession())) {
      for (int i = 0; i < policy.steps().size(); i++) {
        Step step = policy.steps().get(i);
        Optional<Signal> next =
            i + 1 < policy.steps().size()
                ? Optional.of(policy.steps().get(i + 1).signal())
                : Optional.empty();
        target.send(step.signal());
        sent.add(step.signal());
        long begin = System.nanoTime();
        Duration left = step.patience();
        while (left.isPositive() || left.isZero()) {
          listener.waiting(daemon.pid(), since(start), next, left);
          if (target.awaitEnd(left.compareTo(SECOND) < 0 ? left : SECOND)) {
            return step.patience().minus(since(begin));
          }
          if (left.isZero()) {
            break;
          }
          left = step.patience().minus(since(begin));
        }
      }
    }
    throw new ControlException(
        Reason.NOT_STOPPED,
        "process "
            + daemon.pid()
            + " has not ended after "
            + since(start).toMillis() / 1000.0
            + " s and "
            + sent);
  }

  private static Duration since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos);
  }

  /** Removes the file as its holder, once nobody else holds it, be it at its path or not. */
  private void awaitRelease(long pid, LockedFile file, Duration patience)
      throws IOException, InterruptedException {
    long begin = System.nanoTime();
    long told = 0;
    while (true) {
      try {
        if (file.isAtPath() || !file.isLocked()) {
          remove(file, pid);
          return;
        }
      } catch (LockHeldException held) {
        if (told == 0 && isNextRunning()) {
          return;
        }
      } catch (IOException failure) {
        throw new IOException(
            "process " + pid + " has ended, but its pidfile is left: " + failure.getMessage(),
            failure);
      }
      Duration left = patience.minus(since(begin));
      if (!left.isPositive()) {
        throw new ControlException(
            Reason.NOT_STOPPED,
            "process "
                + pid
                + " has ended, but "
                + pidFile
                + " is still locked"
                + Holders.by(Holders.of(file))
                + (policy.wholeSession()
                    ? ""
                    : "; if that is of its session, stop the whole session next time"));
      }
      if (since(begin).toSeconds() > told) {
        told = since(begin).toSeconds();
        listener.waiting(pid, since(start), Optional.empty(), left);
      }
      TimeUnit.MILLISECONDS.sleep(STEP);
    }
  }

  /**
   * Whether the next daemon was started already, by somebody who does without the guard. That is
   * not known by its id, which may be the same again.
   */
  private boolean isNextRunning() throws IOException {
    try (Sighting sighting = Look.at(pidFile, pidOnly)) {
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
    return Identity.of("#".concat(Long.toString(file.owner())), null).call(lock::remove);
  }
}
