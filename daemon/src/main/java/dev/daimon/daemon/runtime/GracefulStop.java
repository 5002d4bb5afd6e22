package dev.daimon.daemon.runtime;

import dev.daimon.posix.Signal;
import dev.daimon.signals.SignalHandler;
import dev.daimon.startup.ExitCode;
import dev.daimon.startup.StartException.Reason;
import java.time.Duration;

/**
 * Ends this process on a signal: runs the drain, and exits when the drain has ended or at the
 * deadline.
 *
 * <p>It uses its own threads, so that other signals are still handled meanwhile. If there is no
 * thread for the drain, nothing has begun, and a later signal tries again.
 */
public final class GracefulStop implements SignalHandler {
  /** The exit code of a process that {@code SIGTERM} has ended. */
  private static final int OVERDUE = ExitCode.of(Signal.TERM);

  /** How long shutdown hooks may take after the deadline before the JVM is halted, in ms. */
  private static final long HOOK_MILLIS = 5000;

  /** Replaces longer deadlines, whose nanoseconds could overflow. */
  private static final Duration FOREVER = Duration.ofDays(365);

  private static final int UNDECIDED = -1;

  private final Duration deadline;
  private final SignalHandler drain;
  private final LockCleanUp cleanUp;

  /** Used by the one thread that handles signals. */
  private boolean begun;

  /** Guarded by this. */
  private int exitCode = UNDECIDED;

  /** Prepares a stop; the clean-up runs if the JVM has to be halted. */
  public GracefulStop(Duration deadline, SignalHandler drain, LockCleanUp cleanUp) {
    this.deadline = deadline.compareTo(FOREVER) > 0 ? FOREVER : deadline;
    this.drain = drain;
    this.cleanUp = cleanUp;
  }

  @Override
  public void handle(Signal signal) {
    if (begun) {
      return;
    }
    long start = System.nanoTime();
    Thread stop = new Thread(() -> drain(signal), "daimon-stop");
    // The JVM must not end with main while the drain runs.
    stop.setDaemon(false);
    stop.start();
    begun = true;
    Thread watch = new Thread(() -> watch(start), "daimon-deadline");
    watch.setDaemon(true);
    try {
      watch.start();
    } catch (OutOfMemoryError noThread) {
      // The deadline matters more than other signals. An interrupt that is left over is no hurry.
      boolean _ = Thread.interrupted();
      watch(start);
    }
  }

  private void drain(Signal signal) {
    int code = Reason.DAEMON_FAILED.exitCode();
    try {
      drain.handle(signal);
      code = 0;
    } catch (Throwable failure) {
      Thread own = Thread.currentThread();
      own.getUncaughtExceptionHandler().uncaughtException(own, failure);
    } finally {
      System.exit(decided(code));
    }
  }

  private void watch(long start) {
    try {
      awaitDrained(start);
      beginExit();
      Thread.sleep(HOOK_MILLIS);
    } catch (InterruptedException hurry) {
      // Another part of the program interrupts all threads: halt at once.
      Thread.currentThread().interrupt();
    }
    try {
      cleanUp.beforeHalt();
    } finally {
      Runtime.getRuntime().halt(decided(OVERDUE));
    }
  }

  /** Exits on another thread, because System.exit does not return. */
  private void beginExit() {
    try {
      new Thread(() -> System.exit(decided(OVERDUE)), "daimon-exit").start();
    } catch (OutOfMemoryError noThread) {
      // The halt follows all the same.
      return;
    }
  }

  private synchronized void awaitDrained(long start) throws InterruptedException {
    while (exitCode == UNDECIDED) {
      long left = deadline.toNanos() - (System.nanoTime() - start);
      if (left <= 0) {
        return;
      }
      // In ms, rounded up.
      wait((left + 999_999) / 1_000_000);
    }
  }

  /** Returns the exit code; the first call decides it. */
  private synchronized int decided(int code) {
    if (exitCode == UNDECIDED) {
      exitCode = code;
      notifyAll();
    }
    return exitCode;
  }
}
