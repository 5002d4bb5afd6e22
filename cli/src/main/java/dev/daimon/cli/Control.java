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
import java.time.Duration;

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

  private static Control of(Command command, CommandLine line) {
    try {
      return new Control(line);
    } catch (StartException failure) {
      // With a name, nothing but its definition can be wrong here.
      if (command == Command.STATUS && line.daemon() != null) {
        throw new StartException(Reason.CANNOT_TELL, String.valueOf(failure.getMessage()));
      }
      throw failure;
    }
  }

  /** Runs a command, and returns its exit code. */
  static int run(Command command, CommandLine line) {
    Control control = of(command, line);
    control.checkWords(command == Command.SIGNAL ? 1 : 0);
    try {
      return control.isLost(command) ? Reason.CANNOT_TELL.exitCode() : control.run(command);
    } catch (IOException failure) {
      throw PathOptions.named(ControlFailure.of(failure), line);
    } catch (InterruptedException impossible) {
      throw new IllegalStateException("nobody interrupts this thread", impossible);
    }
  }

  /** Tells, if the daemon has a name, whether it runs though its pidfile is gone. */
  private boolean isLost(Command command) {
    RequestedDaemon daemon = line.daemon();
    String lost = daemon == null ? null : daemon.lost();
    if (lost == null) {
      return false;
    }
    if (command == Command.STATUS && line.has(CommandOption.JSON)) {
      terminal.result(StatusText.json(DaemonStatus.unknown(control.pidFile(), lost)));
    } else {
      terminal.error(lost);
    }
    return true;
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
        command == Command.RELOAD ? Signal.HUP : ControlOptions.signal(line, line.words().get(0)));
  }

  private void checkWords(int count) {
    if (line.words().size() < count) {
      throw line.usage("no signal was given");
    }
    if (line.words().size() > count) {
      throw line.usage("unexpected word: \"" + Text.readable(line.words().get(count)) + "\"");
    }
  }

  /** Whatever prevents an answer, the exit code is 4 (unknown). */
  private int status() {
    DaemonStatus status;
    try {
      status = control.status();
    } catch (IOException failure) {
      String reason = String.valueOf(failure.getMessage());
      if (line.has(CommandOption.JSON)) {
        terminal.result(StatusText.json(DaemonStatus.unknown(control.pidFile(), reason)));
      } else {
        terminal.error(reason);
      }
      return Reason.CANNOT_TELL.exitCode();
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
    if (lost == null) {
      return 0;
    }
    terminal.error(lost);
    return Reason.CANNOT_TELL.exitCode();
  }

  private int signal(Signal signal) throws IOException {
    Outcome outcome = control.signal(signal);
    if (outcome == Outcome.OK) {
      return 0;
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
    if (first.state() == State.DEAD || first.state() == State.NOT_RUNNING) {
      terminal.error(first.reason());
    }
    try {
      boolean ended =
          control.awaitStop(
              timeout == null ? FOREVER : timeout,
              waited ->
                  terminal.progress(
                      "waiting for " + control.pidFile() + ": " + waited.toSeconds() + " s"));
      if (ended) {
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
