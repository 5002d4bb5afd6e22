package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
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

/** A program that daemonizes itself: {@link StartSpec#self}. */
record SelfStart(Supplier<Program> program, Duration patience) implements StartSpec {
  /** Nothing tells of a lock that is taken, so it is looked for again and again; in ms. */
  private static final long STEP = 10;

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
    while (true) {
      DaemonStatus status = control.status();
      if (status.state() == DaemonStatus.State.RUNNING) {
        return;
      }
      if (System.nanoTime() - deadline >= 0) {
        throw new ControlException(
            Reason.NOT_STARTED,
            launcher
                + " has ended with exit code 0, but after "
                + seconds()
                + " it is "
                + status.reason());
      }
      TimeUnit.MILLISECONDS.sleep(STEP);
    }
  }

  private static String how(ExitInfo end) {
    return end.signal().isPresent()
        ? end.signal().get().name()
        : "exit code " + end.exitCode().orElseThrow();
  }

  private String seconds() {
    return patience.toMillis() / 1000.0 + " s";
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
