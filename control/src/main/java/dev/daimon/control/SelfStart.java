package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.forking.Child;
import dev.daimon.forking.Program;
import dev.daimon.pidfd.ExitInfo;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** A program that daemonizes itself: {@link StartSpec#self}. */
record SelfStart(Supplier<Program> program, Duration patience) implements StartSpec {
  /** Nothing tells of a lock that is taken, so it is looked for after pauses that grow; in ms. */
  private static final long SHORTEST = 5;

  private static final long LONGEST = 200;

  private static final String ENDED = " has ended with exit code 0, ";

  /** How long a daemon that has written its pidfile may take to lock it; in ns. */
  private static final long LATE_LOCK = 1_000_000_000;

  @Override
  public void start(DaemonControl control) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(patience);
    Child launcher = program.get().spawn();
    try (PidFd process = PidFd.open(launcher.pid())) {
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
            launcher
                + " did not end within "
                + seconds()
                + ", and was killed; it was to start a"
                + " daemon and end");
      }
      if (end.get().exitCode().orElse(-1) != 0) {
        throw new ControlException(Reason.NOT_STARTED, launcher + " has failed: " + how(end.get()));
      }
    }
    awaitDaemon(control, launcher, deadline);
  }

  private void awaitDaemon(DaemonControl control, Child launcher, long deadline)
      throws IOException, InterruptedException {
    long pause = SHORTEST;
    long unlocked = 0;
    long since = 0;
    while (true) {
      long now = System.nanoTime();
      try (ProbeResult sighting = control.look()) {
        if (sighting.state() == State.RUNNING) {
          return;
        }
        if (isUnlocked(sighting) && sighting.pid() == unlocked) {
          if (now - since >= LATE_LOCK) {
            throw new ControlException(
                Reason.NOT_STARTED, launcher + ENDED + "and " + lockless(sighting, control));
          }
        } else {
          unlocked = isUnlocked(sighting) ? sighting.pid() : 0;
          since = now;
        }
        if (now - deadline >= 0) {
          throw new ControlException(
              Reason.NOT_STARTED,
              launcher
                  + ENDED
                  + "but after "
                  + seconds()
                  + " no daemon can be shown to run: "
                  + sighting.detail());
        }
      }
      TimeUnit.MILLISECONDS.sleep(pause);
      pause = Math.min(2 * pause, LONGEST);
    }
  }

  /** Whether the pidfile names a process that runs, and that has locked nothing. */
  private static boolean isUnlocked(ProbeResult sighting) {
    return sighting.state() == State.UNKNOWN && !sighting.locked() && sighting.info() != null;
  }

  private static String lockless(ProbeResult sighting, DaemonControl control) {
    ProcessInfo info = sighting.info();
    return new Holder(sighting.pid(), info == null ? "" : info.name())
        + " runs and is named by "
        + control.pidFile()
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

  /** Nobody else would wait for it. */
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
