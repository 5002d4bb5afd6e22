package dev.daimon.daemon;

import static java.util.Objects.requireNonNull;

import dev.daimon.daemon.runtime.FailureText;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativeAccessException;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.readiness.ServiceNotifier;
import dev.daimon.readiness.Watchdog;
import dev.daimon.signals.SignalHandler;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Tells the service manager that has set {@code NOTIFY_SOCKET} how this daemon is, in the messages
 * of {@code sd_notify}. Without that variable there is no object of this class, and nothing that it
 * needs is loaded.
 *
 * <p>No failure to tell it is a failure of the daemon: the first one is a warning, the others are
 * silent.
 */
final class ServiceReport {
  private enum State {
    STARTING,
    READY,
    RELOADING,
    STOPPING
  }

  private enum Text {
    READY,
    RELOADING,
    STOPPING
  }

  private final StatusLine line;
  private final ServiceNotifier notifier = ServiceNotifier.fromEnvironment();
  private final Thread hook =
      new Thread("daimon-stopping") {
        @Override
        public void run() {
          stopping();
        }
      };

  private final AtomicBoolean warned = new AtomicBoolean();

  /** Whether the manager has heard that the daemon is ready. */
  private volatile boolean heard;

  /** The program's last status. */
  private volatile String status = "";

  /** Whether the manager shows the failure of a reload in place of the status. */
  private volatile boolean showsFailure;

  /** Guarded by this, as is the watchdog, while a message waits for the manager, too. */
  private State state = State.STARTING;

  private @Nullable Watchdog watchdog;

  /** What the watchdog asks, which may change while it runs. */
  private volatile @Nullable BooleanSupplier healthCheck;

  /**
   * A report to a service manager.
   *
   * @param line prints the warning
   */
  ServiceReport(StatusLine line) {
    this.line = line;
  }

  /**
   * Begins in a process that the manager has started: its end is told, and so is an exception that
   * ends the calling thread.
   */
  void begin() {
    Thread main = Thread.currentThread();
    Thread.UncaughtExceptionHandler usual = main.getUncaughtExceptionHandler();
    main.setUncaughtExceptionHandler(
        new Thread.UncaughtExceptionHandler() {
          @Override
          public void uncaughtException(Thread thread, Throwable failure) {
            try {
              failed(FailureText.of(failure), failure);
            } finally {
              usual.uncaughtException(thread, failure);
            }
          }
        });
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Begins in a daemon that its launcher has told the manager of, and that is ready.
   *
   * @param told the status that the launcher has told last; empty for none
   */
  synchronized void beginReady(@Nullable BooleanSupplier check, String told) {
    heard = true;
    status = told;
    notifier.assumeStatus(told);
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      stopping();
      return;
    }
    state = State.READY;
    healthCheck = check;
    watch();
  }

  /** Tells what the daemon is doing; never waits, and a manager that does not read misses it. */
  void status(String text) {
    status = text;
    showsFailure = false;
    tellStatus(text);
  }

  /** Tells that the daemon is ready; a second call does nothing. */
  synchronized void ready() {
    if (state == State.STARTING) {
      state = State.READY;
      tell(Text.READY);
      watch();
    }
  }

  /**
   * Tells, in the launcher, that another process is the service from now on, and that it is ready.
   */
  synchronized void readyAs(long pid) {
    try {
      boolean _ = notifier.readyAs(pid);
    } catch (IOException failure) {
      warn(failure);
    }
  }

  /** Runs a reload between the messages of its begin and its end. */
  void reload(Signal signal, SignalHandler handler) throws Exception {
    // Before the daemon is ready, READY=1 would say that it is; a daemon that stops is not ready.
    boolean told = begins();
    try {
      handler.handle(signal);
    } catch (Throwable failure) {
      ended(told, "reload failed: " + FailureText.of(failure));
      throw failure;
    }
    ended(told, null);
  }

  private synchronized boolean begins() {
    if (state != State.READY) {
      return false;
    }
    state = State.RELOADING;
    tell(Text.RELOADING);
    return true;
  }

  private synchronized void ended(boolean told, @Nullable String failure) {
    if (!told || state != State.RELOADING) {
      return;
    }
    state = State.READY;
    if (failure != null) {
      tellStatus(failure);
    } else if (showsFailure) {
      tellStatus(status);
    }
    showsFailure = failure != null;
    // Also after a failure: the daemon goes on with what it had, and the manager waits for this.
    tell(Text.READY);
  }

  /** Tells that the daemon begins to stop, once, and ends the watchdog. */
  void stopping() {
    Watchdog ended;
    synchronized (this) {
      if (state == State.STOPPING) {
        return;
      }
      state = State.STOPPING;
      tell(Text.STOPPING);
      ended = watchdog;
      watchdog = null;
    }
    if (ended != null) {
      ended.close();
    }
  }

  /**
   * Tells it on a thread of its own, since a manager that does not read must not hold up a stop.
   * Without a thread the manager hears of it at the end of the JVM, if there is one then.
   */
  void beginStopping() {
    try {
      Thread thread =
          new Thread("daimon-stopping") {
            @Override
            public void run() {
              stopping();
            }
          };
      thread.setDaemon(true);
      thread.start();
    } catch (OutOfMemoryError noThread) {
      warnOfLateStop(noThread);
    }
  }

  private void warnOfLateStop(OutOfMemoryError noThread) {
    try {
      warn(new IOException("the service manager hears late of the stop: " + noThread.getMessage()));
    } catch (Error noMemory) {
      // Also one of a class that could not be loaded. The stop matters more.
      return;
    }
  }

  /** Sets the health check of the watchdog, which runs from ready on. */
  synchronized void watchdog(BooleanSupplier check) {
    healthCheck = check;
    watch();
  }

  private void watch() {
    if (watchdog != null
        || healthCheck == null
        || (state != State.READY && state != State.RELOADING)) {
      return;
    }
    try {
      watchdog =
          notifier
              .watchdog(
                  new BooleanSupplier() {
                    @Override
                    public boolean getAsBoolean() {
                      return requireNonNull(healthCheck).getAsBoolean();
                    }
                  })
              .orElse(null);
    } catch (IOException failure) {
      warn(failure);
    }
  }

  /** Ends the reports: the process goes on, and is no daemon any more. */
  void close() {
    stopping();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      // The hook runs, and finds nothing left to tell.
    }
    try {
      notifier.close();
    } catch (IOException failure) {
      warn(failure);
    }
  }

  private void tell(Text text) {
    try {
      boolean sent =
          switch (text) {
            case READY -> notifier.ready();
            case RELOADING -> notifier.reloading();
            case STOPPING -> notifier.stopping();
          };
      if (sent && text == Text.READY) {
        heard = true;
      }
    } catch (IOException failure) {
      warn(failure);
    }
  }

  private void tellStatus(String text) {
    try {
      boolean _ = notifier.status(text);
    } catch (IOException failure) {
      warn(failure);
    }
  }

  private static boolean isGone(Errno errno) {
    return errno.equals(Errno.ECONNREFUSED) || errno.equals(Errno.ENOENT);
  }

  private void warn(IOException failure) {
    // Some managers wait for READY=1 alone, as daimon start does, and close their socket then.
    boolean over = heard && failure instanceof PosixException posix && isGone(posix.errno());
    if (!over && warned.compareAndSet(false, true)) {
      line.clear();
      line.warn(failure);
    }
  }

  /**
   * Tells the manager why this process ends: the first line of the reason, and the number of the
   * error if the system has given one. The reason is on standard error too, so nothing is said of a
   * failure to tell it here.
   */
  static void failed(String text, @Nullable Throwable failure) {
    int end = text.indexOf('\n');
    try (ServiceNotifier notifier = ServiceNotifier.fromEnvironment()) {
      boolean _ = notifier.status(end < 0 ? text : text.substring(0, end));
      Errno errno = errno(failure);
      if (errno != null) {
        boolean _ = notifier.errno(errno);
      }
    } catch (IOException | NativeAccessException unreachable) {
      return;
    }
  }

  private static @Nullable Errno errno(@Nullable Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < FailureText.MAX_CAUSES; depth++) {
      if (cause instanceof PosixException posix) {
        return posix.errno();
      }
      cause = cause.getCause();
    }
    return null;
  }
}
