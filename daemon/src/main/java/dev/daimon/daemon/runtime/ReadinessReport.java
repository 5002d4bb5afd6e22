package dev.daimon.daemon.runtime;

import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.readiness.DaemonEnd;
import dev.daimon.signals.Kill;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * Reports the daemon's state to its launcher until the start is decided: the daemon is ready and
 * the launcher has confirmed it, the daemon has failed, or the launcher is gone.
 */
public final class ReadinessReport {
  /** How long shutdown hooks may take before this process is killed, in ms. */
  private static final long EXIT_MILLIS = 5000;

  private enum State {
    STARTING,
    READY,
    FAILED,
    ABANDONED
  }

  private final DaemonEnd connection;

  /** Whether a failure is reported with its stack trace. */
  private final boolean traced;

  /** Guarded by this. */
  private State state = State.STARTING;

  /**
   * Reports on a connection.
   *
   * @param traced whether a failure is reported with its stack trace, since that is printed nowhere
   *     else
   */
  public ReadinessReport(DaemonEnd connection, boolean traced) {
    this.connection = connection;
    this.traced = traced;
  }

  /**
   * Begins to listen to the launcher, and reports exceptions that end the calling thread.
   *
   * @param cleanUp removes the pidfile if the launcher gives up
   */
  public void begin(LockCleanUp cleanUp) {
    Thread main = Thread.currentThread();
    // The new handler reports the failure, and then calls the previous one or the default.
    Thread.UncaughtExceptionHandler usual = main.getUncaughtExceptionHandler();
    main.setUncaughtExceptionHandler(
        new Thread.UncaughtExceptionHandler() {
          @Override
          public void uncaughtException(Thread thread, Throwable failure) {
            try {
              failed(failure);
            } finally {
              usual.uncaughtException(thread, failure);
            }
          }
        });
    Thread listener =
        new Thread("daimon-launcher") {
          @Override
          public void run() {
            listen(cleanUp);
          }
        };
    listener.setDaemon(true);
    listener.start();
  }

  private void listen(LockCleanUp cleanUp) {
    boolean ready = false;
    boolean killed = false;
    try {
      ready = connection.awaitLauncher() && decide(State.READY) == State.READY;
      if (!ready) {
        // The launcher has given up and reports a failure, so this daemon must not go on.
        killed = beginKill(cleanUp);
        signalGroup(Signal.TERM);
      }
    } finally {
      // Also without the memory for one of these steps.
      if (!ready) {
        end(killed, cleanUp);
      }
    }
  }

  /**
   * Ends this process.
   *
   * @param killed whether another thread kills it later
   */
  private void end(boolean killed, LockCleanUp cleanUp) {
    // After the signal, because the main thread may end this JVM as soon as it knows.
    State _ = decide(State.ABANDONED);
    if (killed) {
      System.exit(Reason.DAEMON_FAILED.exitCode());
    } else {
      killLater(cleanUp);
    }
  }

  /** Kills on another thread, because System.exit does not return; returns whether there is one. */
  private static boolean beginKill(LockCleanUp cleanUp) {
    try {
      Thread kill =
          new Thread("daimon-kill") {
            @Override
            public void run() {
              killLater(cleanUp);
            }
          };
      kill.setDaemon(true);
      kill.start();
      return true;
    } catch (OutOfMemoryError noThread) {
      return false;
    }
  }

  /** Decides the start, unless it is decided already; returns the decision. */
  private synchronized State decide(State end) {
    if (state == State.STARTING) {
      state = end;
    }
    notifyAll();
    if (state == State.READY) {
      close();
    }
    return state;
  }

  /** Sends a signal to this process and to all others of its process group. */
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
      // It was closed before; everything was reported.
      return;
    }
  }

  /** Kills the process group, in case a shutdown hook never ends; at least this process. */
  private static void killLater(LockCleanUp cleanUp) {
    try {
      Thread.sleep(EXIT_MILLIS);
      cleanUp.now();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      try {
        signalGroup(Signal.KILL);
      } finally {
        // No code of Reason, which may not be loaded yet, and for which there may be no memory.
        Runtime.getRuntime().halt(1);
      }
    }
  }

  /** Reports what the daemon is doing; does nothing once the start is decided. */
  public synchronized void status(String text) {
    if (state == State.STARTING) {
      connection.status(text);
    }
  }

  private synchronized boolean isStarting() {
    return state == State.STARTING;
  }

  /**
   * Reports that the daemon is ready.
   *
   * @throws StartException if that cannot be written, although the launcher waits for it
   */
  public void ready() {
    if (isStarting()) {
      // Without the lock, because this waits for a launcher that is stopped.
      tellReady();
    }
  }

  /** Waits until the launcher has confirmed that the daemon is ready. */
  public void awaitLauncher() {
    State end = awaitDecision(Long.MAX_VALUE);
    if (end != State.READY) {
      throw new StartException(
          Reason.DAEMON_FAILED,
          end == State.FAILED
              ? "the daemon has told its launcher that it failed"
              : "the launcher is gone, so the daemon ends");
    }
  }

  /** Waits for the decision, at most for this time; returns what it is by then. */
  private synchronized State awaitDecision(long nanos) {
    long end = System.nanoTime() + nanos;
    boolean interrupted = false;
    for (long left = nanos; state == State.STARTING && left > 0; left = end - System.nanoTime()) {
      try {
        TimeUnit.NANOSECONDS.timedWait(this, left);
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
    } catch (IOException failure) {
      // If the launcher is gone, the listener finds that out, cleans up, and decides.
      if (awaitDecision(TimeUnit.MILLISECONDS.toNanos(EXIT_MILLIS)) == State.STARTING) {
        StartException lost = new StartException(Reason.SYSTEM, failure);
        failed(lost);
        throw lost;
      }
    }
  }

  /** Reports that the daemon gives up because of a failure. */
  public void failed(Throwable failure) {
    // A message that was written for the launcher needs no stack trace.
    boolean chosen =
        FailureText.unwrapped(failure) instanceof StartException own && own.getCause() == null;
    String text = FailureText.of(failure);
    failed(exitCode(failure), traced && !chosen ? text + FailureText.trace(failure) : text);
  }

  /** Reports that the daemon gives up; the first report counts. */
  public void failed(int exitCode, String text) {
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
      // The launcher is gone.
      return;
    }
  }

  /** Returns the exit code for a failure of the daemon. */
  public static int exitCode(Throwable failure) {
    return FailureText.unwrapped(failure) instanceof StartException daemonize
        ? daemonize.exitCode()
        : Reason.DAEMON_FAILED.exitCode();
  }
}
