package dev.daimon.readiness;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Pings the service manager as long as a health check passes. The manager ends or restarts a
 * service whose pings stay out.
 *
 * <p>A thread of its own ({@code daimon-watchdog}, which does not keep the JVM alive) calls the
 * check at once, and then twice in each {@link #timeout()}; with a time-out below two milliseconds,
 * each millisecond. If the check returns true, it pings.
 *
 * <p>If the check returns false or throws, it does not ping, and says so as the service's status;
 * when the check passes again, it pings again and restores the program's last status. If the check
 * hangs, nothing is sent at all, and the manager acts when the time is over. With {@code
 * WatchdogSignal=SIGQUIT} in the unit a JVM then prints a thread dump that shows where the check
 * hangs. A ping that cannot be sent is not sent later: the next one follows at its time.
 */
public final class Watchdog implements AutoCloseable {
  /** Whom a watchdog tells. */
  interface Manager {
    /** Says that the service works. */
    void ping() throws IOException;

    /** Says what the watchdog has found. */
    void status(String text) throws IOException;

    /** Says again what the program has last said of itself. */
    void restoreStatus() throws IOException;
  }

  private static final long MICRO = 1000;
  private static final long MIN_INTERVAL_NANOS = 1_000_000;
  private static final long MICROS = 1_000_000;

  private final Manager manager;
  private final long micros;
  private final BooleanSupplier healthCheck;
  private final Thread thread;
  private volatile boolean closed;

  private Watchdog(Manager manager, long micros, BooleanSupplier healthCheck) {
    this.manager = manager;
    this.micros = micros;
    this.healthCheck = healthCheck;
    thread =
        new Thread("daimon-watchdog") {
          @Override
          public void run() {
            watch();
          }
        };
    thread.setDaemon(true);
  }

  static Watchdog start(Manager manager, long micros, BooleanSupplier healthCheck)
      throws IOException {
    try {
      Watchdog watchdog = new Watchdog(manager, micros, healthCheck);
      watchdog.thread.start();
      return watchdog;
    } catch (OutOfMemoryError noThread) {
      throw new IOException("the watchdog has no thread: " + noThread.getMessage(), noThread);
    }
  }

  /** {@return how long the manager waits for the next ping: {@code WATCHDOG_USEC}} */
  public Duration timeout() {
    return Duration.ofSeconds(micros / MICROS, micros % MICROS * MICRO);
  }

  /** Half of the time within which the manager expects a ping, in nanoseconds. */
  static long interval(long micros) {
    // Longer than any JVM lives is long enough.
    return Math.max(Math.min(micros, Long.MAX_VALUE / MICRO) * MICRO / 2, MIN_INTERVAL_NANOS);
  }

  private void watch() {
    long interval = interval(micros);
    boolean healthy = true;
    while (!closed) {
      long start = System.nanoTime();
      String trouble = "";
      try {
        trouble = examine();
        if (closed) {
          return;
        }
        healthy = tell(trouble, healthy);
      } catch (Throwable lost) {
        // An error, such as a lack of memory, too. There is nobody else to tell. The next ping may
        // arrive.
        healthy &= trouble.isEmpty();
      }
      long left = start + interval - System.nanoTime();
      while (left > 0 && !closed) {
        LockSupport.parkNanos(this, left);
        // A check may have interrupted its own thread: a park would return at once for ever.
        boolean _ = Thread.interrupted();
        left = start + interval - System.nanoTime();
      }
    }
  }

  /** Returns what is wrong; empty if the check passes. */
  private String examine() {
    try {
      return healthCheck.getAsBoolean() ? "" : "the health check fails";
    } catch (Throwable failure) {
      // An error of any kind, such as a lack of memory, is a reason for the manager to act.
      return "the health check threw " + failure.getClass().getName() + detail(failure);
    }
  }

  private static String detail(Throwable failure) {
    try {
      String message = failure.getMessage();
      return message == null ? "" : ": " + message;
    } catch (Throwable inIts) {
      return "";
    }
  }

  private boolean tell(String trouble, boolean healthy) throws IOException {
    if (trouble.isEmpty()) {
      manager.ping();
      if (!healthy) {
        manager.restoreStatus();
      }
      return true;
    }
    if (healthy) {
      manager.status("watchdog: no ping, " + trouble);
    }
    return false;
  }

  /**
   * Ends the pings. Does not wait: a ping that is being sent may still arrive. A check that runs is
   * interrupted. A second call does nothing.
   *
   * <p>The manager does not learn of it: if the service goes on for longer than {@link #timeout()},
   * the manager acts as if it hung.
   */
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
