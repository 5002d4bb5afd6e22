package dev.daimon.cli;

import dev.daimon.control.ControlFailure;
import dev.daimon.control.DaemonControl;
import dev.daimon.control.DaemonStatus;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.Outcome;
import dev.daimon.control.StopResult;
import dev.daimon.posix.Signal;
import dev.daimon.startup.ExitCode;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The commands that control a daemon: all but those that start one. */
final class Control {
  /** Longer than anybody waits; a century in nanoseconds still fits into a {@code long}. */
  static final Duration FOREVER = Duration.ofDays(36_500);

  private final CommandLine line;
  private final DaemonControl control;
  private final Terminal terminal = new Terminal(false);

  private Control(CommandLine line) {
    this.line = line;
    control = ControlOptions.control(line).listener(new ActionWords(terminal));
  }

  /** Runs a command, and returns its exit code. */
  static int run(Command command, CommandLine line) {
    ControlOptions.check(line);
    Control control;
    try {
      control = new Control(line);
    } catch (StartException failure) {
      // What was typed is right, so with a name nothing but its definition can be wrong here.
      if (command == Command.STATUS && line.daemon() != null) {
        return unknown(line, String.valueOf(failure.getMessage()));
      }
      throw failure;
    }
    control.checkWords(command == Command.SIGNAL ? 1 : 0);
    try {
      return control.run(command);
    } catch (IOException failure) {
      StartException told = PathOptions.named(ControlFailure.of(failure), line);
      boolean ask = told.reason() == Reason.CANNOT_TELL || told.reason() == Reason.FILE;
      String lost = ask ? control.lost() : null;
      if (lost == null) {
        throw told;
      }
      return cannotTell(lost);
    } catch (InterruptedException impossible) {
      throw new IllegalStateException("nobody interrupts this thread", impossible);
    }
  }

  /**
   * Whether a daemon with a name runs that was not found by its pidfile, in words; null if not. To
   * be asked after that: the record of a daemon that is found is not read.
   */
  private @Nullable String lost() {
    RequestedDaemon daemon = line.daemon();
    return daemon == null ? null : daemon.lost();
  }

  /** Says why there is no answer; returns the exit code for that. */
  private static int cannotTell(String reason) {
    new Terminal(false).error(reason);
    return Reason.CANNOT_TELL.exitCode();
  }

  // Not a switch: for one on an enum javac makes a class, which takes time to load.
  private int run(Command command) throws IOException, InterruptedException {
    if (command == Command.STATUS) {
      return status();
    }
    if (command == Command.STOP) {
      return stop();
    }
    if (command == Command.WAIT) {
      return await();
    }
    return signal(
        command == Command.RELOAD
            ? Signal.HUP
            : ControlOptions.signal(line, "", line.words().get(0)));
  }

  private static boolean isSignal(String word) {
    try {
      Signal _ = Signal.parse(word);
      return true;
    } catch (IllegalArgumentException name) {
      return false;
    }
  }

  private void checkWords(int count) {
    if (line.words().size() < count) {
      throw line.usage("no signal was given");
    }
    if (line.words().size() > count) {
      throw line.usage(
          "unexpected word: \""
              + Text.readable(line.words().get(count))
              + (line.has(CommandOption.PIDFILE) && !(count == 1 && isSignal(line.words().get(0)))
                  ? "\"; a name and --pidfile exclude each other"
                  : "\""));
    }
  }

  /**
   * Whatever prevents an answer, the exit code is 4 (unknown); one that cannot be printed is 71.
   */
  private int status() {
    DaemonStatus status;
    try {
      status = control.status();
    } catch (IOException failure) {
      String lost = lost();
      return unknown(line, lost == null ? String.valueOf(failure.getMessage()) : lost);
    }
    String lost = status.state() == State.RUNNING ? null : lost();
    if (lost != null) {
      return unknown(line, lost);
    }
    terminal.result(
        line.has(CommandOption.JSON) ? StatusText.json(status) : StatusText.line(status));
    RequestedDaemon daemon = status.state() == State.RUNNING ? line.daemon() : null;
    String changed = daemon == null ? null : daemon.changed();
    if (changed != null) {
      terminal.error(changed);
    }
    return exitCode(status.state());
  }

  /** Says why the state is unknown, in the form that was asked for; returns the exit code. */
  private static int unknown(CommandLine line, String reason) {
    if (!line.has(CommandOption.JSON)) {
      return cannotTell(reason);
    }
    Path pidFile = Objects.requireNonNull(line.pidFile());
    new Terminal(false).result(StatusText.json(DaemonStatus.unknown(pidFile, reason)));
    return Reason.CANNOT_TELL.exitCode();
  }

  // Not a switch, as above.
  private static int exitCode(State state) {
    if (state == State.RUNNING) {
      return 0;
    }
    if (state == State.DEAD) {
      return ExitCode.DEAD;
    }
    return state == State.NOT_RUNNING ? ExitCode.NOT_RUNNING : Reason.CANNOT_TELL.exitCode();
  }

  private int stop() throws IOException, InterruptedException {
    StopProgress progress = new StopProgress(terminal, line.daemon());
    try {
      StopResult _ = control.stop(ControlOptions.policy(line), progress);
    } finally {
      terminal.clear();
    }
    String lost = progress.lost();
    return lost == null ? 0 : cannotTell(lost);
  }

  private int signal(Signal signal) throws IOException {
    Outcome outcome = control.signal(signal);
    if (outcome == Outcome.OK) {
      return 0;
    }
    String lost = lost();
    if (lost != null) {
      return cannotTell(lost);
    }
    terminal.error(
        "not running, so nobody got "
            + signal
            + (outcome == Outcome.STALE ? ": " + control.pidFile() + " was left behind" : ""));
    return ExitCode.NOT_RUNNING;
  }

  /** Waits until the daemon has ended. */
  private int await() throws IOException, InterruptedException {
    Duration timeout = line.time(CommandOption.WAIT_TIMEOUT);
    DaemonStatus first = control.status();
    boolean ran = first.state() != State.DEAD && first.state() != State.NOT_RUNNING;
    try {
      boolean ended =
          control.awaitStop(
              timeout == null ? FOREVER : timeout,
              waited -> {
                Caller.endWithParent();
                terminal.progress(
                    "waiting for " + control.pidFile() + ": " + waited.toSeconds() + " s");
              });
      if (ended) {
        terminal.clear();
        // Also of one that ran: its pidfile may have been taken away meanwhile.
        String lost = lost();
        if (lost != null) {
          return cannotTell(lost);
        }
        if (!ran) {
          terminal.error(first.reason());
        }
        return 0;
      }
    } finally {
      terminal.clear();
    }
    terminal.error(
        "timed out after "
            + line.value(CommandOption.WAIT_TIMEOUT)
            + ": "
            + control.status().reason());
    return Reason.TIMEOUT.exitCode();
  }
}
