package dev.daimon.daemon;

import dev.daimon.daemon.config.Settings;
import dev.daimon.daemon.streams.EarlyOutput;
import dev.daimon.forking.Detached;
import dev.daimon.forking.ExitStatus;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Pause;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.readiness.LauncherEnd;
import dev.daimon.readiness.Message;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A daemon that the launcher has started, and that is not ready yet. The start is decided once:
 * either the launcher confirms the daemon, or it stops the daemon and takes everything back; also
 * if this JVM ends meanwhile.
 */
final class PendingDaemon {
  /** How often the status line is updated and the daemon is checked, in ns. */
  private static final long SECOND = 1_000_000_000;

  /** How long to wait between the end of the daemon's connection and its own end, in ns. */
  private static final long MOMENT = 1_000_000;

  /** How long a daemon may take to end by itself, and again after {@code SIGTERM}. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  /** Replaces longer time-outs; a century still fits into nanoseconds. */
  private static final Duration FOREVER = Duration.ofDays(36_500);

  /** Stands for the exit code of a daemon that has not reported one. */
  private static final int AS_IT_ENDED = 0;

  private static final String INTERRUPTED = "interrupted, and the daemon was stopped";

  private final Settings settings;
  private final DaemonFiles files;
  private final EarlyOutput early;
  private final LauncherEnd connection;
  private final Detached process;
  private final StatusLine line;

  /** Null if no service manager waits for this process. */
  private final @Nullable ServiceReport service;

  private final boolean exits;
  private String status = "";

  /** How the daemon has ended by itself, if this process knows; guarded by this. */
  private Optional<ExitStatus> end = Optional.empty();

  /** Whether the start is decided; guarded by this. */
  private boolean decided;

  /**
   * A daemon that was started.
   *
   * @param exits whether this JVM exits as soon as it knows the result
   * @param managed whether a service manager waits for this process
   */
  PendingDaemon(
      Settings settings,
      boolean exits,
      boolean managed,
      DaemonFiles files,
      EarlyOutput early,
      LauncherEnd connection,
      Detached process) {
    this.settings = settings;
    this.exits = exits;
    this.files = files;
    this.early = early;
    this.connection = connection;
    this.process = process;
    line = new StatusLine(settings.displayName(), exits);
    service = managed ? new ServiceReport(line) : null;
  }

  /** Writes the pidfile, waits for the daemon's report, and confirms or stops the daemon. */
  LaunchedDaemon await() throws PosixException {
    try {
      files.writePid(process.pid());
      if (exits) {
        prepareExit();
      }
      return result();
    } catch (PosixException | RuntimeException | Error failure) {
      boolean _ = stop(failure);
      throw failure;
    } finally {
      line.clear();
    }
  }

  /**
   * Loads the logger that {@link System#exit} uses. That takes a third of the start time of a JVM,
   * and this process has nothing else to do until the daemon's first report.
   */
  private static void prepareExit() {
    try {
      boolean _ = System.getLogger("java.lang.Runtime").isLoggable(System.Logger.Level.DEBUG);
    } catch (Throwable broken) {
      // The program's own logger may fail in any way. System.exit reports that, and exits.
      return;
    }
  }

  /** Stops the daemon because this JVM ends: by Ctrl-C, a signal, or an exit in another thread. */
  void interrupted() {
    if (stop(new StartException(Reason.SYSTEM, INTERRUPTED)) && exits) {
      line.clear();
      StatusLine.error(settings.displayName(), INTERRUPTED);
    }
  }

  private LaunchedDaemon result() throws PosixException {
    Duration timeout =
        settings.readyTimeout.compareTo(FOREVER) > 0 ? FOREVER : settings.readyTimeout;
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
        // This process may have been stopped meanwhile: reports that came in time are still read,
        // for at most a second.
        late = true;
        deadline = System.nanoTime();
      }
      if (message instanceof Message.Status(String text)) {
        status = text;
        line.text(text);
        if (service != null) {
          service.status(text);
        }
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

  /** Returns the next message that comes in time; its end also if others hold its connection. */
  private Optional<Message> receive(Duration time) throws PosixException {
    boolean alive = isRunning();
    Optional<Message> message = connection.receive(alive ? time : Duration.ZERO);
    return message.isEmpty() && !alive ? Optional.of(new Message.Ended()) : message;
  }

  /** Whether it runs: a child of its own may keep its end of the connection open without it. */
  private boolean isRunning() {
    boolean _ = process.reap();
    return process.isAlive();
  }

  /** Decides that the daemon is started; false if it has ended, or this JVM is ending. */
  private synchronized boolean confirm() throws PosixException {
    if (decided) {
      return false;
    }
    if (!isInPlace() || !isRunning()) {
      return false;
    }
    if (service != null) {
      // Before the daemon is confirmed, and by this process: the manager believes no other one yet.
      // If the daemon or this process ends now, the manager sees that its main process has failed.
      service.readyAs(process.pid());
    }
    try {
      connection.confirm();
    } catch (PosixException gone) {
      return false;
    }
    decided = true;
    if (exits) {
      // Something else may end this JVM before the exit that follows; if it has begun to, it waits
      // for this decision.
      boolean _ = ThisProcess.fixExitCode(0);
    }
    try {
      files.release();
    } catch (StartException late) {
      // The daemon runs, and has the same files open: this process can only warn.
      line.clear();
      line.warn(late);
    }
    return true;
  }

  /**
   * Makes sure that nobody has taken away the locked files.
   *
   * @return false if the daemon has, which removes them at its end
   */
  private boolean isInPlace() throws PosixException {
    try {
      files.requireInPlace();
      return true;
    } catch (StartException gone) {
      if (hasEnded(SECOND)) {
        return false;
      }
      throw gone;
    }
  }

  /**
   * Stops a daemon that has failed, and takes everything back.
   *
   * @param message why; empty if the daemon has not reported it, but may have printed it
   * @param ending whether the daemon is ending by itself
   */
  private synchronized LaunchedDaemon failed(int exitCode, String message, boolean ending) {
    if (decided) {
      // Where this JVM exits, the thread that has stopped the daemon has reported it.
      return new LaunchedDaemon(process.pid(), Reason.SYSTEM.exitCode(), exits ? "" : INTERRUPTED);
    }
    StartException failure = new StartException(Reason.DAEMON_FAILED, message);
    end(ending, failure);
    // After the daemon's end, when all output is there, and before the log may be removed.
    StringBuilder text = new StringBuilder(message.isEmpty() ? howItEnded() : message);
    text.append(message.isEmpty() || !ending ? early.lastLines() : early.pointer());
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

  /** Returns the exit code of the daemon, and one of a failure if it has exited with 0. */
  private int ownExitCode() {
    int code = end.isPresent() ? end.get().exitCode().orElse(0) : 0;
    return code == 0 ? Reason.DAEMON_FAILED.exitCode() : code;
  }

  /**
   * Ends the daemon, and takes back what was done to files. A second call waits for the first.
   *
   * @return whether this was the first
   */
  private synchronized boolean stop(Throwable reason) {
    if (decided) {
      return false;
    }
    end(false, reason);
    files.undo(reason);
    return true;
  }

  /**
   * Ends the daemon and its process group.
   *
   * @param ending whether it is ending by itself, and gets time for that
   */
  private synchronized void end(boolean ending, Throwable reason) {
    decided = true;
    try {
      if (ending && hasEnded()) {
        reap();
        // Before this process sends a signal.
        end = process.exitStatus();
      } else {
        process.signalGroup(Signal.TERM);
        boolean _ = hasEnded();
      }
      // Others of its group may be left.
      process.signalGroup(Signal.KILL);
      boolean _ = hasEnded();
      reap();
    } catch (PosixException failure) {
      reason.addSuppressed(failure);
    }
  }

  /** Reaps the daemon, where it has become this process' child. */
  private void reap() {
    long deadline = System.nanoTime() + GRACE.toNanos();
    while (!process.reap() && System.nanoTime() < deadline) {
      Pause.nanos(MOMENT);
    }
  }

  /** Whether the daemon ends in time; its reports are ignored. */
  private boolean hasEnded() throws PosixException {
    return hasEnded(GRACE.toNanos());
  }

  private boolean hasEnded(long nanos) throws PosixException {
    long deadline = System.nanoTime() + nanos;
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
