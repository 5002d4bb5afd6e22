package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.StopPolicy.Step;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfile.MalformedPidFileException;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.startup.StartException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
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
    PidFd next = start(spec, running);
    try {
      if (guard != null) {
        guard.record(next.pid(), controlled.pidFile(), spec.readers());
      }
      spec.handedOver();
      target.spare(notLeft(next));
      stop(target, readers, running, next);
      requireDaemon(running, next);
    } catch (IOException | InterruptedException | RuntimeException | Error failure) {
      if (!next.isAlive() && running.process().isAlive()) {
        takeBack(spec, running, failure);
      } else if (guard != null) {
        guard.keepRecord();
      }
      throw failure;
    } finally {
      Processes.close(next);
    }
  }

  /**
   * The processes that have the lock of both: the new daemon, and this one. If the old daemon
   * restarts itself, also those between the two, which have inherited it.
   */
  private static Set<Long> notLeft(PidFd next) {
    Set<Long> processes = new HashSet<>(List.of(next.pid()));
    Optional<ProcessHandle> process = Optional.of(ProcessHandle.current());
    while (process.isPresent()) {
      processes.add(process.get().pid());
      process = process.get().parent();
    }
    return processes;
  }

  private static PidFd start(OverlapSpec spec, RunningDaemon running)
      throws IOException, InterruptedException {
    try {
      return running.successor(spec.start(running));
    } catch (StartException failure) {
      if (running.process().isAlive()) {
        throw failure;
      }
      StartException both =
          new StartException(
              failure.reason(),
              failure.exitCode(),
              failure.getMessage() + "; the old daemon has ended, too");
      both.addSuppressed(failure);
      throw both;
    }
  }

  /** The old one is the daemon again, and can be controlled as before. */
  private void takeBack(OverlapSpec spec, RunningDaemon running, Throwable failure)
      throws IOException {
    running.restore(failure);
    if (guard != null) {
      guard.restoreRecord(failure);
    }
    spec.takeBack(failure);
    if (!running.file().isAtPath()) {
      throw new ControlException(
          Reason.NOT_STARTED,
          failure.getMessage()
              + ", but "
              + running.file().path()
              + " no longer leads to it: end that process by its id before the next start");
    }
  }

  private void close(RunningDaemon running) {
    try {
      running.close();
    } catch (PosixException failure) {
      controlled.failedAfterwards(controlled.pidFile().toString(), failure);
    }
  }

  /**
   * While the old daemon was awaited, the new one may have ended; and at its end the old one may
   * have removed or emptied the pidfile, as many do.
   */
  private void requireDaemon(RunningDaemon running, PidFd next) throws IOException {
    if (!next.isAlive()) {
      throw ended(next, running);
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

  private ControlException ended(PidFd next, RunningDaemon old) throws PosixException {
    return new ControlException(Reason.NOT_STARTED, old.outlived(next.toString(), sent));
  }

  /**
   * Whether children of the old daemon are left when it has ended, and have its lock, which is the
   * new one's, too. For a second they may end by themselves.
   */
  private static boolean isLeft(StopTarget target, Duration rest, boolean first)
      throws IOException, InterruptedException {
    if (first) {
      Duration half = rest.dividedBy(2);
      target.awaitHolders(half.compareTo(SECOND) < 0 ? half : SECOND);
    }
    return target.findHolders();
  }

  private static boolean names(LockedFile file, long pid) throws PosixException {
    try {
      return PidFile.at(file.path()).read(file.descriptor()) == pid;
    } catch (MalformedPidFileException other) {
      return false;
    }
  }

  private void stop(StopTarget target, Readers readers, RunningDaemon old, PidFd next)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    boolean waited = false;
    List<Step> steps = policy.steps();
    for (int i = 0; i < steps.size(); i++) {
      requireEither(next, old);
      Step step = steps.get(i);
      Optional<Signal> following =
          i + 1 < steps.size() ? Optional.of(steps.get(i + 1).signal()) : Optional.empty();
      target.send(step.signal());
      sent.add(step.signal());
      long begin = System.nanoTime();
      Duration left = step.patience();
      while (!left.isNegative()) {
        PidFd alive = target.alive();
        listener.waiting(alive == null ? old.pid() : alive.pid(), since(start), following, left);
        boolean ended = target.awaitEnd(left.compareTo(SECOND) < 0 ? left : SECOND);
        requireEither(next, old);
        if (ended && !isLeft(target, step.patience().minus(since(begin)), !waited)) {
          stopped(target, readers, old, start, step.patience().minus(since(begin)));
          return;
        }
        waited |= ended;
        if (left.isZero()) {
          break;
        }
        left = step.patience().minus(since(begin));
      }
    }
    PidFd alive = target.alive();
    throw new ControlException(
        Reason.NOT_STOPPED,
        (alive == null ? old.process() : alive)
            + " has not ended after "
            + sent
            + "; "
            + next
            + (next.isAlive() ? " is the daemon, and runs" : " was ready, and has ended"));
  }

  /** If the new one has ended, nobody else serves any more: the old one gets no further signal. */
  private void requireEither(PidFd next, RunningDaemon old)
      throws ControlException, PosixException {
    if (!next.isAlive() && old.process().isAlive()) {
      throw ended(next, old);
    }
  }

  private void stopped(
      StopTarget target, Readers readers, RunningDaemon old, long start, Duration patience)
      throws IOException, InterruptedException {
    String unread =
        ReadersEnd.await(readers, patience, policy, sent.size(), target, start, listener);
    if (unread != null) {
      controlled.listener.failedAfterwards(new IOException(unread));
    }
    listener.stopped(new StopResult(Outcome.OK, OptionalLong.of(old.pid()), List.copyOf(sent)));
  }

  private static Duration since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos);
  }
}
