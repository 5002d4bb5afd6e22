package dev.daimon.daemon;

import dev.daimon.forking.Detached;
import dev.daimon.forking.ExitStatus;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.readiness.LauncherEnd;
import dev.daimon.readiness.Message;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * A daemon that was started and is not ready yet, as its launcher sees it. It ends once: with the
 * daemon confirmed, or stopped and all of it taken back; also if this JVM is ended meanwhile.
 */
final class PendingDaemon {
  /** How often the terminal is told the time, and the daemon is looked at, in ns. */
  private static final long SECOND = 1_000_000_000;

  /** Between the end of a process's connections and its own, in ns. */
  private static final long MOMENT = 1_000_000;

  /** How long a daemon may take to end, before it is asked to, and again before it is killed. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  /** Longer than anybody waits; a century still fits into nanoseconds. */
  private static final Duration FOREVER = Duration.ofDays(36_500);

  /** Stands for the exit code of a daemon that has not said one. */
  private static final int AS_IT_ENDED = 0;

  private static final String INTERRUPTED = "interrupted, and the daemon was stopped";

  private final DaemonConfig config;
  private final DaemonFiles files;
  private final EarlyOutput early;
  private final LauncherEnd connection;
  private final Detached process;
  private final StatusLine line;
  private final boolean exits;
  private String status = "";

  /** How the daemon has ended by itself, if this process was told; guarded by this. */
  private Optional<ExitStatus> end = Optional.empty();

  /** Guarded by this. */
  private boolean over;

  /**
   * A daemon that runs.
   *
   * @param exits whether this JVM exits when the verdict is there
   */
  PendingDaemon(
      DaemonConfig config,
      boolean exits,
      DaemonFiles files,
      EarlyOutput early,
      LauncherEnd connection,
      Detached process) {
    this.config = config;
    this.exits = exits;
    this.files = files;
    this.early = early;
    this.connection = connection;
    this.process = process;
    line = new StatusLine(ProgramName.of(config), exits);
  }

  /** Waits for the daemon's verdict, and carries it out. */
  LaunchedDaemon await() throws PosixException {
    try {
      files.writePid(process.pid());
      if (exits) {
        prepareExit();
      }
      return verdict();
    } catch (PosixException | RuntimeException | Error failure) {
      boolean _ = stop(failure);
      throw failure;
    } finally {
      line.clear();
    }
  }

  /**
   * Finds the logger that {@link System#exit} asks first: that takes a third of a JVM's start, and
   * there is nothing else to do until the daemon says its first word.
   */
  private static void prepareExit() {
    try {
      boolean _ = System.getLogger("java.lang.Runtime").isLoggable(System.Logger.Level.DEBUG);
    } catch (Throwable broken) {
      // A program's own logger may fail in any way. System.exit will tell of it, and exit.
      return;
    }
  }

  /** This JVM is being ended: by Ctrl-C, a signal, or an exit in another thread. */
  void interrupted() {
    if (stop(new StartException(Reason.SYSTEM, INTERRUPTED)) && exits) {
      line.clear();
      StatusLine.error(ProgramName.of(config), INTERRUPTED);
    }
  }

  private LaunchedDaemon verdict() throws PosixException {
    Duration timeout = config.readyTimeout.compareTo(FOREVER) > 0 ? FOREVER : config.readyTimeout;
    long deadline = System.nanoTime() + timeout.toNanos();
    boolean late = false;
    while (true) {
      line.show();
      long left = deadline - System.nanoTime();
      Message message = receive(Duration.ofNanos(Math.clamp(left, 0, SECOND))).orElse(null);
      if (left <= 0 && (message == null || (late && left < -SECOND))) {
        String text = "not ready after " + text(timeout) + ", and stopped";
        return failed(
            Reason.TIMEOUT.exitCode(), status.isEmpty() ? text : text + ": " + status, false);
      }
      if (left <= 0 && !late) {
        // What was said in time counts, if this process was stopped meanwhile; a second for that.
        late = true;
        deadline = System.nanoTime();
      }
      if (message instanceof Message.Status(String text)) {
        status = text;
        line.text(text);
      } else if (message instanceof Message.Failed(int exitCode, String text)) {
        return failed(exitCode, text, true);
      } else if (message instanceof Message.Ended
          || (message instanceof Message.Ready && !confirm())) {
        return failed(AS_IT_ENDED, "", true);
      } else if (message instanceof Message.Ready) {
        return new LaunchedDaemon(process.pid(), 0, status);
      }
    }
  }

  /** The next message, if one comes in time; the end also if others have the daemon's end open. */
  private Optional<Message> receive(Duration time) throws PosixException {
    boolean _ = process.reap();
    boolean alive = process.isAlive();
    Optional<Message> message = connection.receive(alive ? time : Duration.ZERO);
    return message.isEmpty() && !alive ? Optional.of(new Message.Ended()) : message;
  }

  /** The daemon counts as started from here on; not if it is gone, or this JVM is being ended. */
  private synchronized boolean confirm() {
    if (over) {
      return false;
    }
    files.requireInPlace();
    try {
      connection.confirm();
    } catch (PosixException gone) {
      return false;
    }
    over = true;
    try {
      files.release();
    } catch (StartException late) {
      // The daemon is up, and has the same files open: what this process closes changes nothing.
      line.clear();
      line.warn(late);
    }
    return true;
  }

  /**
   * Stops what is left of a daemon that is not going to be ready.
   *
   * @param message why; empty if it has not said so, but may have printed it
   * @param ending whether it is ending by itself
   */
  private synchronized LaunchedDaemon failed(int exitCode, String message, boolean ending) {
    if (over) {
      // It was told where the daemon was stopped.
      return new LaunchedDaemon(process.pid(), exitCode, exits ? "" : INTERRUPTED);
    }
    StartException failure = new StartException(Reason.DAEMON_FAILED, message);
    end(ending, failure);
    // Complete only now that it has ended, and gone with the files.
    StringBuilder text = new StringBuilder(message.isEmpty() ? howItEnded() : message);
    text.append(message.isEmpty() || !ending ? early.lastWords() : early.pointer());
    files.undo(failure);
    for (Throwable left : failure.getSuppressed()) {
      text.append("\nnot taken back: ").append(left.getMessage());
    }
    int code = exitCode == AS_IT_ENDED ? ownExitCode() : exitCode;
    return new LaunchedDaemon(process.pid(), code, text.toString());
  }

  private String howItEnded() {
    return "the daemon "
        + end.map(status ->
                status.exitCode().isPresent()
                    ? "exited with " + status.exitCode().getAsInt()
                    : "was killed by " + status.signal().orElseThrow())
            .orElse("ended")
        + " before it was ready";
  }

  /** That of {@link System#exit} in the daemon, but a failure in any case. */
  private int ownExitCode() {
    int code = end.isPresent() ? end.get().exitCode().orElse(0) : 0;
    return code == 0 ? Reason.DAEMON_FAILED.exitCode() : code;
  }

  /**
   * Ends the daemon, and takes back what was done to files. Whoever comes second waits until that
   * is done.
   *
   * @return whether this was the first
   */
  private synchronized boolean stop(Throwable reason) {
    if (over) {
      return false;
    }
    end(false, reason);
    files.undo(reason);
    return true;
  }

  /**
   * Ends the daemon and all of its process group.
   *
   * @param ending whether it is ending by itself, and gets time for that
   */
  private synchronized void end(boolean ending, Throwable reason) {
    over = true;
    try {
      if (ending && hasEnded()) {
        reap();
        // Before any signal of this process's.
        end = process.exitStatus();
      } else {
        process.signalGroup(Signal.TERM);
        boolean _ = hasEnded();
      }
      // Whatever is left of its group, in any case.
      process.signalGroup(Signal.KILL);
      boolean _ = hasEnded();
      reap();
    } catch (PosixException failure) {
      reason.addSuppressed(failure);
    }
  }

  /** Where the daemon has become this process's child: it is a zombie in a moment. */
  private void reap() {
    long deadline = System.nanoTime() + GRACE.toNanos();
    while (!process.reap() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(MOMENT);
    }
  }

  /** Whether the daemon's end comes in time; what it says meanwhile is too late. */
  private boolean hasEnded() throws PosixException {
    long deadline = System.nanoTime() + GRACE.toNanos();
    while (true) {
      long left = deadline - System.nanoTime();
      Message message = receive(Duration.ofNanos(Math.clamp(left, 0, SECOND))).orElse(null);
      if (message instanceof Message.Ended) {
        return true;
      }
      if (left <= 0) {
        return false;
      }
    }
  }

  private static String text(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? duration.toSeconds() + " s"
        : duration.toMillis() + " ms";
  }
}
