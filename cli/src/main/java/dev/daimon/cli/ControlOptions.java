package dev.daimon.cli;

import dev.daimon.control.DaemonControl;
import dev.daimon.control.StopPolicy;
import dev.daimon.control.StopPolicy.Step;
import dev.daimon.posix.Signal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.Options;

/** The options of the commands that control a daemon, and what they mean. */
final class ControlOptions {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(30);

  private ControlOptions() {}

  static void addTo(Options options, String command) {
    if (!command.equals("status") && !command.equals("wait")) {
      CommandLine.value(options, null, "guard");
    }
    CommandLine.flag(options, null, "pid-only");
    switch (command) {
      case "status" -> CommandLine.flag(options, null, "json");
      case "wait" -> CommandLine.value(options, null, "timeout");
      case "stop" -> addStop(options);
      case "start" -> addSelf(options);
      case "restart" -> {
        addStop(options);
        addSelf(options);
      }
      default -> {}
    }
  }

  private static void addStop(Options options) {
    CommandLine.value(options, null, "signal");
    CommandLine.value(options, null, "timeout");
    CommandLine.value(options, null, "then");
    CommandLine.flag(options, null, "session");
  }

  private static void addSelf(Options options) {
    CommandLine.flag(options, null, "self");
    CommandLine.value(options, null, "start-timeout");
  }

  /** The control of the daemon that the options name. */
  static DaemonControl control(CommandLine line) {
    Path pidFile = line.path("pidfile");
    if (pidFile == null) {
      throw line.usage("--pidfile is missing");
    }
    DaemonControl control = DaemonControl.of(pidFile);
    Path guard = line.path("guard");
    if (guard != null) {
      if (guard.normalize().equals(pidFile.normalize())) {
        throw line.usage("--pidfile and --guard are the same file, " + guard);
      }
      control = control.guard(guard);
    }
    return line.has("pid-only") ? control.pidOnly() : control;
  }

  /** How to stop: TERM, 30 seconds later KILL, unless told otherwise. */
  static StopPolicy policy(CommandLine line) {
    List<Step> steps = new ArrayList<>(StopPolicy.DEFAULT.steps());
    String signal = line.value("signal");
    Duration timeout = line.time("timeout");
    steps.set(
        0,
        new Step(
            signal == null ? steps.getFirst().signal() : signal(line, signal),
            timeout == null ? steps.getFirst().patience() : timeout));
    List<String> escalation = line.values("then");
    if (!escalation.isEmpty()) {
      steps.subList(1, steps.size()).clear();
    }
    if (!escalation.equals(List.of("none"))) {
      for (String step : escalation) {
        steps.add(step(line, step));
      }
    }
    return new StopPolicy(steps, line.has("session"));
  }

  private static Step step(CommandLine line, String text) {
    int colon = text.indexOf(':');
    Duration patience =
        colon < 0 ? Step.AFTER_KILL : CommandLine.duration(text.substring(colon + 1));
    if (patience == null) {
      throw line.usage(
          "--then wants a signal and a time, such as KILL:5s, or none, not \""
              + Text.readable(text)
              + "\"");
    }
    return new Step(signal(line, colon < 0 ? text : text.substring(0, colon)), patience);
  }

  static Signal signal(CommandLine line, String text) {
    try {
      return Signal.parse(text);
    } catch (IllegalArgumentException unknown) {
      throw line.usage("no such signal: \"" + Text.readable(text) + "\"");
    }
  }

  /** How long a program that daemonizes itself may take. */
  static Duration startTimeout(CommandLine line) {
    Duration timeout = line.time("start-timeout");
    if (timeout != null && !line.has("self")) {
      throw line.usage("--start-timeout is for --self");
    }
    return timeout == null ? START_TIMEOUT : timeout;
  }
}
