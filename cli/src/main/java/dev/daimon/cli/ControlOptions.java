package dev.daimon.cli;

import dev.daimon.control.DaemonControl;
import dev.daimon.control.StopPolicy;
import dev.daimon.control.StopPolicy.Step;
import dev.daimon.posix.Signal;
import dev.daimon.startup.FilePurposes;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What the options of the commands that control a daemon mean. */
final class ControlOptions {
  private ControlOptions() {}

  /** The control of the daemon whose pidfile the options name. */
  static DaemonControl control(CommandLine line) {
    Path pidFile = line.pidFile();
    if (pidFile == null) {
      throw line.usage("a name or --pidfile is missing");
    }
    RequestedDaemon daemon = line.daemon();
    if (daemon != null) {
      useDefinition(line, daemon);
    }
    Path guard = line.path(CommandOption.GUARD);
    if (guard != null) {
      FilePurposes purposes = new FilePurposes();
      purposes.add("--pidfile", pidFile, /* output= */ false);
      if (purposes.add("--guard", guard, /* output= */ false) != null) {
        throw line.usage("--guard and --pidfile are the same file, " + pidFile);
      }
    }
    return RequestedDaemon.control(pidFile, guard, line.has(CommandOption.PID_ONLY));
  }

  /**
   * Takes options that were not typed from the daemon's definition, or from what it was started
   * with. A command that takes a program, such as a restart of another one, takes those of them
   * that say how to stop.
   */
  static void useDefinition(CommandLine line, RequestedDaemon daemon) {
    // What is typed wrong is wrong whatever the daemon's options are.
    check(line);
    Use use = new Use(line);
    Definition definition = daemon.definitionOrRecord(use);
    if (definition != null) {
      use.apply(definition);
    }
  }

  /**
   * Gives a definition's options to a command line. No lambda, for which the caches of the command
   * would need a class of their own.
   */
  private record Use(CommandLine line) implements Consumer<Definition> {
    void apply(Definition definition) {
      line.use(line.takesProgram() ? definition.ofStop() : definition);
    }

    /** Also judges them. */
    @Override
    public void accept(Definition definition) {
      apply(definition);
      check(line);
    }
  }

  /** Refuses wrong values of the options by which a daemon is controlled. */
  static void check(CommandLine line) {
    Path _ = line.path(CommandOption.GUARD);
    if (line.takes(CommandOption.THEN)) {
      StopPolicy _ = policy(line);
    }
  }

  /**
   * Refuses a definition by which the daemon could not be stopped: a start takes no notice of the
   * options that say how.
   */
  static void checkStop(RequestedDaemon daemon, Definition definition) {
    CommandLine stop = CommandLine.parse(Command.STOP, List.of(daemon.word()));
    stop.use(definition);
    check(stop);
  }

  /** How to stop: the default policy, changed by the options. */
  static StopPolicy policy(CommandLine line) {
    List<Step> steps = new ArrayList<>(StopPolicy.DEFAULT.steps());
    String signal = line.value(CommandOption.FIRST_SIGNAL);
    Duration timeout = line.time(CommandOption.TIMEOUT);
    steps.set(
        0,
        new Step(
            signal == null
                ? steps.getFirst().signal()
                : signal(line, CommandOption.FIRST_SIGNAL + ": ", signal),
            timeout == null ? steps.getFirst().patience() : timeout));
    List<String> escalation = line.values(CommandOption.THEN);
    if (!escalation.isEmpty()) {
      steps.subList(1, steps.size()).clear();
    }
    if (!escalation.equals(List.of("none"))) {
      for (String step : escalation) {
        if (step.equals("none")) {
          throw line.usage("--then none and other steps exclude each other");
        }
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
    String signal = colon < 0 ? text : text.substring(0, colon);
    return new Step(signal(line, CommandOption.THEN + ": ", signal), patience);
  }

  /**
   * The signal of this name or number.
   *
   * @param option begins the message if there is none
   */
  static Signal signal(CommandLine line, String option, String text) {
    try {
      return Signal.parse(text);
    } catch (IllegalArgumentException unknown) {
      throw line.usage(option + "no such signal: \"" + Text.readable(text) + "\"");
    }
  }
}
