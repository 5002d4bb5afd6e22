package dev.daimon.daemon;

import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.readiness.DaemonEnd;
import dev.daimon.signals.Kill;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;

/**
 * What the daemon tells its launcher, until one of them has the last word: the daemon is ready and
 * the launcher has confirmed it, the daemon has failed, or the launcher is gone.
 */
final class ReadinessReport {
  /** How long an exit may take before it is cut short, in ms. */
  private static final long EXIT_MILLIS = 5000;

  private enum State {
    STARTING,
    READY,
    FAILED,
    ABANDONED
  }

  private final DaemonEnd connection;

  /** Whether what this daemon prints about a failure reaches nobody but its launcher. */
  private final boolean traced;

  /** Guarded by this. */
  private State state = State.STARTING;

  /**
   * What is told on a connection.
   *
   * @param traced whether a failure is told with its stack trace: it is printed to nowhere else
   */
  ReadinessReport(DaemonEnd connection, boolean traced) {
    this.connection = connection;
    this.traced = traced;
  }

  /** Begins to listen to the launcher, and to exceptions that the calling thread dies of. */
  void begin(Daemon daemon) {
    Thread main = Thread.currentThread();
    // The thread's own handler, or what does the usual: this one only hears it first.
    Thread.UncaughtExceptionHandler usual = main.getUncaughtExceptionHandler();
    main.setUncaughtExceptionHandler(
        new Thread.UncaughtExceptionHandler() {
          @Override
          public void uncaughtException(Thread thread, Throwable failure) {
            failed(failure);
            usual.uncaughtException(thread, failure);
          }
        });
    Thread listener =
        new Thread("daimon-launcher") {
          @Override
          public void run() {
            listen(daemon);
          }
        };
    listener.setDaemon(true);
    listener.start();
  }

  private void listen(Daemon daemon) {
    boolean confirmed = connection.awaitLauncher();
    if (confirmed && decided(State.READY) == State.READY) {
      return;
    }
    // Nobody waits any more: whatever this program is doing, it was not started.
    Thread kill =
        new Thread("daimon-kill") {
          @Override
          public void run() {
            killLater(daemon);
          }
        };
    kill.setDaemon(true);
    kill.start();
    signalGroup(Signal.TERM);
    // Only now: the main thread may end this JVM when it hears of it.
    State _ = decided(State.ABANDONED);
    System.exit(Reason.DAEMON_FAILED.exitCode());
  }

  /** Ends the waiting, unless that is over; how it has ended. */
  private synchronized State decided(State end) {
    if (state == State.STARTING) {
      state = end;
    }
    if (state == State.READY) {
      close();
    }
    notifyAll();
    return state;
  }

  /** To this process as well, and to all that it has started. */
  private static void signalGroup(Signal signal) {
    try {
      Kill.sendGroup(ThisProcess.group(), signal);
    } catch (PosixException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private void close() {
    try {
      connection.close();
    } catch (IOException alreadyClosed) {
      // By whom, is not this daemon's business: everything was said.
      return;
    }
  }

  /** For a shutdown hook that never ends. */
  private static void killLater(Daemon daemon) {
    try {
      Thread.sleep(EXIT_MILLIS);
      daemon.cleanup();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      signalGroup(Signal.KILL);
    }
  }

  /** Says what the daemon does; to nobody, once it is over. */
  synchronized void status(String text) {
    if (state == State.STARTING) {
      connection.status(text);
    }
  }

  private synchronized boolean isStarting() {
    return state == State.STARTING;
  }

  /** Says that the daemon is ready. */
  void ready() {
    if (isStarting()) {
      // Not under the lock: a launcher that is stopped may let this wait.
      tellReady();
    }
  }

  /** Waits until the launcher has confirmed that the daemon is ready. */
  void awaitLauncher() {
    State end = awaitDecision();
    if (end != State.READY) {
      throw new StartException(
          Reason.DAEMON_FAILED,
          end == State.FAILED
              ? "the daemon has told its launcher that it failed"
              : "the launcher is gone, so the daemon ends");
    }
  }

  private synchronized State awaitDecision() {
    boolean interrupted = false;
    while (state == State.STARTING) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return state;
  }

  private void tellReady() {
    try {
      connection.ready();
    } catch (IOException gone) {
      // The listener finds out by itself, and lets this thread go on when it has cleaned up.
      return;
    }
  }

  /** Says that the daemon gives up for this failure. */
  void failed(Throwable failure) {
    // Words that were chosen for the launcher say it all.
    boolean chosen =
        FailureText.unwrapped(failure) instanceof StartException words && words.getCause() == null;
    String text = FailureText.of(failure);
    failed(exitCode(failure), traced && !chosen ? text + FailureText.trace(failure) : text);
  }

  /** Says that the daemon gives up; the first reason counts. */
  void failed(int exitCode, String text) {
    synchronized (this) {
      if (state != State.STARTING) {
        return;
      }
      state = State.FAILED;
      notifyAll();
    }
    try {
      connection.failed(exitCode, text);
    } catch (IOException gone) {
      // Then nobody is there to be told.
      return;
    }
  }

  static int exitCode(Throwable failure) {
    return FailureText.unwrapped(failure) instanceof StartException daemonize
        ? daemonize.exitCode()
        : Reason.DAEMON_FAILED.exitCode();
  }
}
