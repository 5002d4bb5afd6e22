package dev.daimon.cli;

import dev.daimon.control.DaemonControl;
import dev.daimon.control.StopPolicy;
import dev.daimon.control.StopPolicy.Step;
import dev.daimon.posix.Signal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the options of the commands that control a daemon mean. */
final class ControlOptions {
  private ControlOptions() {}

  /** The control of the daemon whose pidfile the options name. */
  static DaemonControl control(CommandLine line) {
    Path pidFile = line.pidFile();
    if (pidFile == null) {
      throw line.usage("a name or --pidfile is missing");
    }
    useDefinition(line);
    Path guard = line.path(CommandOption.GUARD);
    if (guard != null && guard.normalize().equals(pidFile.normalize())) {
      throw line.usage("--pidfile and --guard are the same file, " + guard);
    }
    return control(pidFile, guard, line.has(CommandOption.PID_ONLY));
  }

  /**
   * The control of the daemon that has this pidfile.
   *
   * @param guard the value of {@code --guard}; null if there is none
   * @param pidOnly whether {@code --pid-only} was given
   */
  static DaemonControl control(Path pidFile, @Nullable Path guard, boolean pidOnly) {
    DaemonControl control = DaemonControl.of(pidFile);
    control = guard == null ? control : control.guard(guard);
    return pidOnly ? control.pidOnly() : control;
  }

  /**
   * Takes options that were not typed from the definition of the daemon that is named, or from what
   * it was started with.
   */
  private static void useDefinition(CommandLine line) {
    RequestedDaemon daemon = line.daemon();
    Definition definition = daemon == null ? null : daemon.definitionOrRecord();
    if (definition != null) {
      line.use(definition);
    }
  }

  /** How to stop: the default policy, changed by the options. */
  static StopPolicy policy(CommandLine line) {
    List<Step> steps = new ArrayList<>(StopPolicy.DEFAULT.steps());
    String signal = line.value(CommandOption.FIRST_SIGNAL);
    Duration timeout = line.time(CommandOption.TIMEOUT);
    steps.set(
        0,
        new Step(
            signal == null ? steps.getFirst().signal() : signal(line, signal),
            timeout == null ? steps.getFirst().patience() : timeout));
    List<String> escalation = line.values(CommandOption.THEN);
    if (!escalation.isEmpty()) {
      steps.subList(1, steps.size()).clear();
    }
    if (!escalation.equals(List.of("none"))) {
      for (String step : escalation) {
        steps.add(step(line, step));
      }
    }
    return new StopPolicy(steps, line.has(CommandOption.SESSION));
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

  /** The signal of this name or number. */
  static Signal signal(CommandLine line, String text) {
    try {
      return Signal.parse(text);
    } catch (IllegalArgumentException unknown) {
      throw line.usage("no such signal: \"" + Text.readable(text) + "\"");
    }
  }
}
