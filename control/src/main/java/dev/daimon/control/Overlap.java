package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.StopPolicy.Step;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfile.MalformedPidFileException;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A restart under the guard in which the new daemon is ready before the old one gets a signal. The
 * old one is awaited by its handle: its lock is the new one's too.
 */
final class Overlap {
  private static final Duration SECOND = Duration.ofSeconds(1);

  private final ControlledDaemon controlled;
  private final StopPolicy policy;
  private final StopListener listener;
  private final @Nullable Guard guard;

  /** The signals that the old daemon has got. */
  private final List<Signal> sent = new ArrayList<>();

  Overlap(
      ControlledDaemon controlled,
      StopPolicy policy,
      StopListener listener,
      @Nullable Guard guard) {
    this.controlled = controlled;
    this.policy = policy;
    this.listener = listener;
    this.guard = guard;
  }

  /** Replaces the daemon; returns false, and does nothing, if none runs. */
  boolean carryOut(OverlapSpec spec) throws IOException, InterruptedException {
    try (ProbeResult probe = controlled.probe()) {
      PidFd old = probe.daemon();
      LockedFile file = probe.file();
      if (old == null || file == null) {
        return false;
      }
      StartRecord last = StartRecord.read(controlled.guardFile(), file.owner()).orElse(null);
      // Finds out before the start whether the session may be stopped.
      try (Readers readers = Readers.open(controlled.guardFile(), file, old.pid());
          StopTarget target = new StopTarget(old, file, policy.wholeSession(), last, readers)) {
        RunningDaemon running = RunningDaemon.share(old, file);
        try {
          replace(spec, running, target, readers);
        } finally {
          close(running);
        }
      }
      return true;
    }
  }

  private void replace(OverlapSpec spec, RunningDaemon running, StopTarget target, Readers readers)
      throws IOException, InterruptedException {
    PidFd next = running.successor(spec.start(running));
    try {
      if (guard != null) {
        guard.record(next.pid(), controlled.pidFile(), spec.readers());
      }
      spec.handedOver();
      stop(target, readers, running.process(), next);
      requireDaemon(running, next);
    } catch (IOException | InterruptedException | RuntimeException | Error failure) {
      if (next.isAlive() || !running.process().isAlive()) {
        if (guard != null) {
          guard.keepRecord();
        }
      } else {
        // The old one is the daemon again, and can be controlled as before.
        running.restore(failure);
        spec.takeBack(failure);
      }
      throw failure;
    } finally {
      Processes.close(next);
    }
  }

  /** Nothing is lost if this fails: these are copies, and both daemons have their own. */
  private static void close(RunningDaemon running) {
    try {
      running.close();
    } catch (PosixException nothingLost) {
      return;
    }
  }

  /**
   * While the old daemon was awaited, the new one may have ended; and at its end the old one may
   * have removed or emptied the pidfile, as many do.
   */
  private void requireDaemon(RunningDaemon running, PidFd next) throws IOException {
    if (!next.isAlive()) {
      throw ended(next, running.process());
    }
    LockedFile file = running.file();
    if (!file.isAtPath() || !names(file, next.pid())) {
      throw new ControlException(
          Reason.UNKNOWN,
          next
              + " is the daemon, and runs, but "
              + file.path()
              + " no longer names it: end that process by its id before the next start");
    }
  }

  private ControlException ended(PidFd next, PidFd old) throws PosixException {
    String fate = "runs";
    if (!old.isAlive()) {
      fate = "has ended, too";
    } else if (!sent.isEmpty()) {
      fate = "has not ended after " + sent;
    }
    return new ControlException(
        Reason.NOT_STARTED,
        next + " was ready, and has ended; the old daemon, " + old + ", " + fate);
  }

  private static boolean names(LockedFile file, long pid) throws PosixException {
    try {
      return PidFile.at(file.path()).read(file.descriptor()) == pid;
    } catch (MalformedPidFileException other) {
      return false;
    }
  }

  private void stop(StopTarget target, Readers readers, PidFd old, PidFd next)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    List<Step> steps = policy.steps();
    for (int i = 0; i < steps.size(); i++) {
      if (!next.isAlive()) {
        // Nobody else serves any more.
        throw ended(next, old);
      }
      Step step = steps.get(i);
      Optional<Signal> following =
          i + 1 < steps.size() ? Optional.of(steps.get(i + 1).signal()) : Optional.empty();
      target.send(step.signal());
      sent.add(step.signal());
      long begin = System.nanoTime();
      Duration left = step.patience();
      while (!left.isNegative()) {
        PidFd alive = target.alive();
        listener.waiting(
            alive == null ? old.pid() : alive.pid(),
            Duration.ofNanos(System.nanoTime() - start),
            following,
            left);
        if (target.awaitEnd(left.compareTo(SECOND) < 0 ? left : SECOND)) {
          left = step.patience().minus(Duration.ofNanos(System.nanoTime() - begin));
          String unread =
              ReadersEnd.await(readers, left, policy, sent.size(), target, start, listener);
          if (unread != null) {
            controlled.listener.failedAfterwards(new IOException(unread));
          }
          listener.stopped(
              new StopResult(Outcome.OK, OptionalLong.of(old.pid()), List.copyOf(sent)));
          return;
        }
        if (left.isZero()) {
          break;
        }
        left = step.patience().minus(Duration.ofNanos(System.nanoTime() - begin));
      }
    }
    if (!next.isAlive()) {
      throw ended(next, old);
    }
    throw new ControlException(
        Reason.NOT_STOPPED,
        old + " has not ended after " + sent + "; " + next + " is the daemon, and runs");
  }
}
