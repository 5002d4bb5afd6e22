package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;

/** One wait until a daemon has ended and no process holds its lock: {@code awaitStop}. */
final class EndWait {
  private final ControlledDaemon daemon;
  private final Duration time;
  private final Consumer<Duration> listener;
  private final long start = System.nanoTime();

  /** The last time that the listener was told, in seconds. */
  private long told = -1;

  EndWait(ControlledDaemon daemon, Duration time, Consumer<Duration> listener) {
    this.daemon = daemon;
    this.time = time;
    this.listener = listener;
  }

  /** Whether it has ended within the time. */
  boolean await() throws IOException, InterruptedException {
    boolean ended = false;
    try (LockWait release = LockWait.forOne()) {
      while (true) {
        try (ProbeResult probe = daemon.probe()) {
          PidFd process = probe.process();
          if (probe.state() == State.RUNNING && process != null) {
            if (ended) {
              // This is the next daemon.
              return true;
            }
            while (!process.awaitExit(step())) {
              if (isOver()) {
                return false;
              }
            }
            ended = true;
            continue;
          }
          LockedFile file = probe.file();
          if (!probe.locked() || file == null) {
            if (probe.state() == State.UNKNOWN && !ended) {
              throw new ControlException(Reason.UNKNOWN, probe.reason());
            }
            return true;
          }
          if (isOver()) {
            return false;
          }
          release.await(file, step());
        }
      }
    }
  }

  private Duration waited() {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private boolean isOver() {
    return time.compareTo(waited()) <= 0;
  }

  /** Tells the listener if a second has passed; returns how long to wait next. */
  private Duration step() {
    Duration waited = waited();
    if (waited.toSeconds() > told) {
      told = waited.toSeconds();
      listener.accept(waited);
    }
    Duration left = time.minus(waited);
    return StopSteps.atMostASecond(left);
  }
}
