package dev.daimon.daemon;

import dev.daimon.daemon.DaemonizeException.Reason;
import dev.daimon.daemon.files.DaemonFiles;
import dev.daimon.forking.Detached;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.readiness.LauncherEnd;
import dev.daimon.readiness.Message;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;

/**
 * A daemon that was started and is not ready yet, as its launcher sees it. It ends once: with the
 * daemon confirmed, or stopped and all of it taken back; also if this JVM is ended meanwhile.
 */
final class Start {
  /** How often the terminal is told the time, and the daemon is looked at, in ns. */
  private static final long SECOND = 1_000_000_000;

  /** How long a daemon may take to end, before it is asked to, and again before it is killed. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  private final DaemonConfig config;
  private final DaemonFiles files;
  private final EarlyOutput early;
  private final LauncherEnd connection;
  private final Detached process;
  private final StatusLine line;
  private String status = "";

  /** Guarded by this. */
  private boolean over;

  Start(
      DaemonConfig config,
      DaemonFiles files,
      EarlyOutput early,
      LauncherEnd connection,
      Detached process) {
    this.config = config;
    this.files = files;
    this.early = early;
    this.connection = connection;
    this.process = process;
    line = new StatusLine(ProgramName.of(config));
  }

  /** Waits for the daemon's verdict, and carries it out. */
  LaunchedDaemon await(boolean exits) throws PosixException {
    try {
      files.writePid(process.pid());
      if (exits) {
        prepareExit();
      }
      LaunchedDaemon daemon = verdict();
      line.clear();
      return daemon;
    } catch (PosixException | RuntimeException | Error failure) {
      line.clear();
      boolean _ = stop(false, failure);
      throw failure;
    }
  }

  /**
   * Finds the logger that {@link System#exit} asks first: that takes a third of a JVM's start, and
   * there is nothing else to do until the daemon says its first word.
   */
  private static void prepareExit() {
    try {
      boolean _ = System.getLogger("java.lang.Runtime").isLoggable(System.Logger.Level.DEBUG);
    } catch (RuntimeException | ServiceConfigurationError broken) {
      // System.exit will tell of it, and exit.
      return;
    }
  }

  /** This JVM is being ended: by Ctrl-C, a signal, or an exit in another thread. */
  void interrupted() {
    line.clear();
    boolean _ = stop(false, new DaemonizeException(Reason.SYSTEM, "interrupted"));
  }

  private LaunchedDaemon verdict() throws PosixException {
    long deadline = System.nanoTime() + config.readyTimeout.toNanos();
    while (true) {
      line.show();
      long left = deadline - System.nanoTime();
      // Also when the time is up: this process may have been stopped while the daemon was not.
      Message message = receive(Duration.ofNanos(Math.clamp(left, 0, SECOND))).orElse(null);
      if (message == null && left <= 0) {
        String text = "not ready after " + text(config.readyTimeout) + ", and stopped";
        return failed(
            Reason.TIMEOUT.exitCode(), status.isEmpty() ? text : text + ": " + status, false);
      }
      if (message instanceof Message.Status(String text)) {
        status = text;
        line.text(text);
      } else if (message instanceof Message.Failed(int exitCode, String text)) {
        return failed(exitCode, text, true);
      } else if (message instanceof Message.Ended
          || (message instanceof Message.Ready && !confirm())) {
        return failed(Reason.DAEMON_FAILED.exitCode(), lastWords(), true);
      } else if (message instanceof Message.Ready) {
        return new LaunchedDaemon(process.pid(), 0, status);
      }
    }
  }

  /** The next message, if one comes in time; the end also if others have the daemon's end open. */
  private Optional<Message> receive(Duration time) throws PosixException {
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
    } catch (DaemonizeException late) {
      // The daemon is up, and has the same files open: what this process closes changes nothing.
      return true;
    }
    return true;
  }

  private LaunchedDaemon failed(int exitCode, String message, boolean ending) {
    DaemonizeException failure = new DaemonizeException(Reason.DAEMON_FAILED, exitCode, message);
    boolean first = stop(ending, failure);
    return new LaunchedDaemon(
        process.pid(), exitCode, first ? message : "interrupted, and the daemon was stopped");
  }

  private String lastWords() {
    StringBuilder text = new StringBuilder("the daemon ended before it was ready");
    List<String> lines = early.lastLines();
    if (!lines.isEmpty()) {
      text.append(". Its last words:");
      for (String errorLine : lines) {
        text.append("\n  ").append(errorLine);
      }
    }
    return text.toString();
  }

  /**
   * Ends the daemon and all of its process group, and takes back what was done to files. Whoever
   * comes second waits until that is done.
   *
   * @param ending whether it is ending by itself, and gets time for that
   * @return whether this was the first
   */
  private synchronized boolean stop(boolean ending, Throwable reason) {
    if (over) {
      return false;
    }
    over = true;
    try {
      if (!ending || !hasEnded()) {
        process.signalGroup(Signal.TERM);
        boolean _ = hasEnded();
      }
      // Whatever is left of its group, in any case.
      process.signalGroup(Signal.KILL);
      boolean _ = hasEnded();
    } catch (PosixException failure) {
      reason.addSuppressed(failure);
    }
    files.undo(reason);
    return true;
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
