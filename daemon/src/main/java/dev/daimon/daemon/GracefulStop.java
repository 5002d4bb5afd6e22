package dev.daimon.daemon;

import dev.daimon.posix.Signal;
import dev.daimon.signals.SignalHandler;
import dev.daimon.startup.StartException.Reason;
import java.time.Duration;

/**
 * The end of this process when it is asked for by a signal: a drain, and an exit when that is over,
 * or its time.
 *
 * <p>On threads of its own, so that logs are still opened again meanwhile.
 */
final class GracefulStop implements SignalHandler {
  /** What a shell says of a process that {@code SIGTERM} has ended. */
  private static final int OVERDUE = 128 + Signal.TERM.number();

  /** How long shutdown hooks may take before the JVM is halted, in ms. */
  private static final long HOOK_MILLIS = 5000;

  /** Beyond that, nanoseconds have no room in a number. */
  private static final Duration FOREVER = Duration.ofDays(365);

  private static final int UNDECIDED = -1;

  private final Duration deadline;
  private final SignalHandler drain;
  private final LockCleanUp cleanUp;

  /** Guarded by this, as the next one. */
  private boolean begun;

  private int exitCode = UNDECIDED;

  GracefulStop(Duration deadline, SignalHandler drain, LockCleanUp cleanUp) {
    this.deadline = deadline.compareTo(FOREVER) > 0 ? FOREVER : deadline;
    this.drain = drain;
    this.cleanUp = cleanUp;
  }

  @Override
  public synchronized void handle(Signal signal) {
    if (!begun) {
      begun = true;
      long start = System.nanoTime();
      Thread stop = new Thread(() -> drain(signal), "daimon-stop");
      // Unlike this one: main may end while it is at work.
      stop.setDaemon(false);
      stop.start();
      Thread watch = new Thread(() -> watch(start), "daimon-deadline");
      watch.setDaemon(true);
      watch.start();
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
      // It returns only with the JVM.
      new Thread(() -> System.exit(decided(OVERDUE)), "daimon-exit").start();
      Thread.sleep(HOOK_MILLIS);
    } catch (InterruptedException hurry) {
      // By whoever knows every thread.
      Thread.currentThread().interrupt();
    }
    try {
      cleanUp.beforeHalt();
    } finally {
      Runtime.getRuntime().halt(decided(OVERDUE));
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

  /** The first one decides. */
  private synchronized int decided(int code) {
    if (exitCode == UNDECIDED) {
      exitCode = code;
      notifyAll();
    }
    return exitCode;
  }
}
