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

  /**
   * The exit code of a drain that has failed; known before there may be no memory to ask for it.
   */
  private static final int FAILED = Reason.DAEMON_FAILED.exitCode();

  /** How long shutdown hooks may take after the deadline before the JVM is halted, in ms. */
  private static final long HOOK_MILLIS = 5000;

  /** Replaces longer deadlines, whose nanoseconds could overflow. */
  private static final Duration FOREVER = Duration.ofDays(365);

  private static final int UNDECIDED = -1;

  private final Duration deadline;
  private final SignalHandler drain;
  private final LockCleanUp cleanUp;

  // Made before they are needed, when there may be no memory for them.
  private final Thread stop = new Thread(this::drain, "daimon-stop");
  private final Thread watch = new Thread(this::watch, "daimon-deadline");
  private final Thread exit = new Thread(() -> System.exit(decided(OVERDUE)), "daimon-exit");

  /** Used by the one thread that handles signals. */
  private boolean begun;

  /** The signal, and when it has arrived; set before the threads are started. */
  private Signal signal = Signal.TERM;

  private long start;

  /** Guarded by this. */
  private int exitCode = UNDECIDED;

  /** Prepares a stop; the clean-up runs if the JVM has to be halted. */
  public GracefulStop(Duration deadline, SignalHandler drain, LockCleanUp cleanUp) {
    this.deadline = deadline.compareTo(FOREVER) > 0 ? FOREVER : deadline;
    this.drain = drain;
    this.cleanUp = cleanUp;
    // The JVM must not end with main while the drain runs.
    stop.setDaemon(false);
    watch.setDaemon(true);
  }

  @Override
  public void handle(Signal received) {
    if (begun) {
      return;
    }
    signal = received;
    start = System.nanoTime();
    stop.start();
    begun = true;
    try {
      watch.start();
    } catch (OutOfMemoryError noThread) {
      // The deadline matters more than other signals. An interrupt that is left over is no hurry.
      boolean _ = Thread.interrupted();
      watch();
    }
  }

  private void drain() {
    int code = FAILED;
    try {
      drain.handle(signal);
      code = 0;
    } catch (Throwable failure) {
      Thread own = Thread.currentThread();
      own.getUncaughtExceptionHandler().uncaughtException(own, failure);
    } finally {
      exit(code);
    }
  }

  /** Exits; without memory for that at once: if this thread ended, that might be an exit with 0. */
  private void exit(int code) {
    try {
      System.exit(decided(code));
    } finally {
      halt();
    }
  }

  private void watch() {
    try {
      awaitDrained();
      beginExit();
      Thread.sleep(HOOK_MILLIS);
    } catch (InterruptedException hurry) {
      // Another part of the program interrupts all threads: halt at once.
      Thread.currentThread().interrupt();
    } finally {
      // Also after an error, such as a lack of memory.
      halt();
    }
  }

  private void halt() {
    try {
      cleanUp.beforeHalt();
    } finally {
      Runtime.getRuntime().halt(decided(OVERDUE));
    }
  }

  /** Exits on another thread, because System.exit does not return. */
  private void beginExit() {
    try {
      exit.start();
    } catch (OutOfMemoryError noThread) {
      // The halt follows all the same.
      return;
    }
  }

  private synchronized void awaitDrained() throws InterruptedException {
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
