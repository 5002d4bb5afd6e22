package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.forking.Child;
import dev.daimon.forking.Program;
import dev.daimon.pidfd.ExitInfo;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Starts a program that daemonizes itself: {@code StartSpec.self}. */
record SelfStart(Supplier<Program> program, Duration patience) {
  /**
   * The first pause before the daemon is probed again, in ms; it grows each time. The kernel does
   * not report when a lock is taken.
   */
  private static final long SHORTEST = 5;

  private static final long LONGEST = 200;

  private static final String ENDED = " has ended with exit code 0, ";

  /** How long a daemon that has written its pidfile may take to lock it, in ns. */
  private static final long LATE_LOCK = 1_000_000_000;

  void start(ControlledDaemon controlled) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(patience);
    Child child = program.get().spawn();
    try (PidFd process = PidFd.open(child.pid())) {
      Optional<ExitInfo> end;
      try {
        end = process.waitFor(Duration.ofNanos(deadline - System.nanoTime()));
      } catch (InterruptedException interrupted) {
        kill(process);
        throw interrupted;
      }
      if (end.isEmpty()) {
        kill(process);
        throw new ControlException(
            Reason.NOT_STARTED,
            child
                + " did not end within "
                + seconds()
                + ", and was killed; it was to start a"
                + " daemon and end");
      }
      if (end.get().exitCode().orElse(-1) != 0) {
        throw new ControlException(Reason.NOT_STARTED, child + " has failed: " + how(end.get()));
      }
    }
    awaitDaemon(controlled, child, deadline);
  }

  private void awaitDaemon(ControlledDaemon controlled, Child child, long deadline)
      throws IOException, InterruptedException {
    long pause = SHORTEST;
    long unlocked = 0;
    long since = 0;
    while (true) {
      long now = System.nanoTime();
      try (ProbeResult probe = controlled.probe()) {
        if (probe.state() == State.RUNNING) {
          controlled.started(probe.pid());
          return;
        }
        if (isUnlocked(probe) && probe.pid() == unlocked) {
          if (now - since >= LATE_LOCK) {
            throw new ControlException(
                Reason.NOT_STARTED, child + ENDED + "and " + withoutLock(probe, controlled));
          }
        } else {
          unlocked = isUnlocked(probe) ? probe.pid() : 0;
          since = now;
        }
        if (now - deadline >= 0) {
          throw new ControlException(
              Reason.NOT_STARTED,
              child
                  + ENDED
                  + "but after "
                  + seconds()
                  + " no daemon can be shown to run: "
                  + probe.detail());
        }
      }
      TimeUnit.MILLISECONDS.sleep(pause);
      pause = Math.min(2 * pause, LONGEST);
    }
  }

  /** Whether the pidfile names a process that runs, and that has locked nothing. */
  private static boolean isUnlocked(ProbeResult probe) {
    return probe.state() == State.UNKNOWN && !probe.locked() && probe.info() != null;
  }

  private static String withoutLock(ProbeResult probe, ControlledDaemon controlled) {
    if (controlled.pidOnly) {
      return probe.detail();
    }
    return Processes.words(probe.pid(), probe.info())
        + " runs and is named by "
        + controlled.pidFile()
        + ", but has not locked it: control it with --pid-only, and start it with --self --pid-only";
  }

  private static String how(ExitInfo end) {
    return end.signal().isPresent()
        ? end.signal().get().name()
        : "exit code " + end.exitCode().orElseThrow();
  }

  private String seconds() {
    long millis = patience.toMillis();
    return millis % 1000 == 0 ? millis / 1000 + " s" : millis / 1000.0 + " s";
  }

  /** Kills the program, and takes its exit status, since no other code would. */
  private static void kill(PidFd process) throws IOException {
    process.send(Signal.KILL);
    boolean interrupted = Thread.interrupted();
    try {
      process.waitFor();
    } catch (InterruptedException again) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
