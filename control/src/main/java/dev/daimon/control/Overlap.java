package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfile.MalformedPidFileException;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.PosixException;
import dev.daimon.startup.StartException;
import java.io.IOException;
import java.time.Duration;
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
  private final ControlledDaemon controlled;
  private final StopPolicy policy;
  private final StopListener listener;
  private final @Nullable Guard guard;

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
      OldDaemonEnd end = new OldDaemonEnd(target, running, next);
      end.carryOut(readers);
      if (!next.isAlive()) {
        throw end.withoutSuccessor();
      }
      requireNamed(running.file(), next);
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

  /** At its end the old daemon may have removed or emptied the pidfile, as many do. */
  private static void requireNamed(LockedFile file, PidFd next) throws IOException {
    if (!file.isAtPath() || !names(file, next.pid())) {
      throw new ControlException(
          Reason.UNKNOWN,
          next
              + " is the daemon, and runs, but "
              + file.path()
              + " no longer names it: end that process by its id before the next start");
    }
  }

  private static boolean names(LockedFile file, long pid) throws PosixException {
    try {
      return PidFile.at(file.path()).read(file.descriptor()) == pid;
    } catch (MalformedPidFileException other) {
      return false;
    }
  }

  /** The stop of the old daemon, for as long as the new one runs. */
  private final class OldDaemonEnd implements StopSteps.Course {
    private final StopTarget target;
    private final RunningDaemon old;
    private final PidFd next;
    private final StopSteps steps = new StopSteps(policy, listener);

    /** Whether the children that the old daemon has left had their time to end by themselves. */
    private boolean waited;

    OldDaemonEnd(StopTarget target, RunningDaemon old, PidFd next) {
      this.target = target;
      this.old = old;
      this.next = next;
    }

    void carryOut(Readers readers) throws IOException, InterruptedException {
      Duration left = steps.carryOut(target, old.pid(), this);
      if (left == null) {
        PidFd alive = target.alive();
        throw new ControlException(
            Reason.NOT_STOPPED,
            (alive == null ? old.process() : alive)
                + steps.notEnded()
                + "; "
                + next
                + (next.isAlive() ? " is the daemon, and runs" : " was ready, and has ended"));
      }
      String unread = steps.awaitReaders(readers, left, target);
      if (unread != null) {
        controlled.listener.failedAfterwards(new IOException(unread));
      }
      listener.stopped(new StopResult(Outcome.OK, OptionalLong.of(old.pid()), steps.sent()));
    }

    /**
     * If the new one has ended, nobody else serves any more: the old one gets no further signal.
     */
    @Override
    public void check() throws IOException {
      if (!next.isAlive() && old.process().isAlive()) {
        throw withoutSuccessor();
      }
    }

    /** Children of the old daemon may be left, and have its lock, which is the new one's, too. */
    @Override
    public boolean isOver(boolean ended, Duration rest) throws IOException, InterruptedException {
      if (!ended) {
        return false;
      }
      if (!waited) {
        waited = true;
        target.awaitHolders(StopSteps.childrensTime(rest));
      }
      return !target.findHolders();
    }

    ControlException withoutSuccessor() throws PosixException {
      String fate = steps.sent().isEmpty() ? " runs" : steps.notEnded();
      return new ControlException(Reason.NOT_STARTED, old.outlived(next.toString(), fate));
    }
  }
}
