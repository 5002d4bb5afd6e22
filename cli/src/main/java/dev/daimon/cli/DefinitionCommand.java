package dev.daimon.cli;

import dev.daimon.control.DaemonRegistry;
import dev.daimon.control.DaemonStatus;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.VisibleText;
import dev.daimon.startup.DaemonName;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.util.List;
import java.util.Objects;

/** The commands about definitions: {@code show} and {@code check}. They change nothing. */
final class DefinitionCommand {
  private static final String DEFAULT = "the name's default";

  private final Terminal terminal = new Terminal(false);

  /** Runs one of the commands, and returns its exit code. */
  int run(Command command, CommandLine line) {
    if (!line.words().isEmpty()) {
      throw line.usage("unexpected word: \"" + Text.readable(line.words().get(0)) + "\"");
    }
    RequestedDaemon daemon = line.daemon();
    if (command == Command.CHECK) {
      return daemon == null ? checkAll() : check(daemon);
    }
    if (daemon == null) {
      throw line.usage("a name is missing");
    }
    show(daemon);
    return 0;
  }

  /** Prints a definition that can be read again, with comments. */
  private void show(RequestedDaemon daemon) {
    Definition definition = daemon.definition();
    StartedFile started = definition == null ? daemon.started() : daemon.believed();
    Definition shown = started != null && definition == null ? started.definition() : definition;
    if (shown == null) {
      throw undefined(daemon);
    }
    boolean another = started != null && daemon.isOfAnother(started);
    if (definition == null && another) {
      throw new StartException(Reason.CONFIGURATION, daemon.notByName(", and is not defined"));
    }
    StringBuilder text = new StringBuilder();
    state(text, daemon);
    if (another) {
      comment(text, daemon.notByName(""));
    }
    if (definition != null && started != null) {
      differences(text, definition, started);
    }
    comment(text, DEFAULT + ": pidfile " + DefinitionFile.name(daemon.pidFile()));
    for (Definition.Line line : shown.lines()) {
      comment(text, String.valueOf(line.place()));
      text.append(Definition.text(line)).append('\n');
    }
    if (!shown.has(CommandOption.STDOUT.word()) && !shown.isSelf()) {
      comment(text, DEFAULT + ", but for run");
      String log = Text.ofBytes(NativePath.bytes(daemon.log()));
      text.append(CommandOption.STDOUT.word()).append(' ').append(Words.quote(log)).append('\n');
    }
    comment(text, String.valueOf(shown.programPlace()));
    text.append(shown.programText()).append('\n');
    terminal.result(Text.readable(text.toString()));
  }

  private static StartException undefined(RequestedDaemon daemon) {
    return daemon.undefined(
        "write one, type daimon start " + daemon + " --save -- and the program");
  }

  private static void state(StringBuilder text, RequestedDaemon daemon) {
    String lost = daemon.lost();
    if (lost != null) {
      comment(text, lost);
      return;
    }
    try {
      CommandLine line = CommandLine.parse(Command.STATUS, List.of(daemon.word()));
      DaemonStatus status = ControlOptions.control(line).status();
      comment(text, daemon + ": " + status.reason());
    } catch (IOException unknown) {
      comment(text, daemon + ": " + unknown.getMessage());
    }
  }

  /** The options with which the daemon was started, and that it does not have now. */
  private static void differences(StringBuilder text, Definition definition, StartedFile started) {
    if (!RequestedDaemon.isRunning(started)) {
      return;
    }
    Definition then = started.definition();
    for (String word : definition.differencesOfStart(then)) {
      boolean had = false;
      for (Definition.Line line : then.lines()) {
        if (line.option().word().equals(word)) {
          had = true;
          comment(text, "started with: " + Text.readable(Definition.text(line)));
        }
      }
      if (word.equals(Definition.PROGRAM)) {
        comment(text, "started with: " + Text.readable(then.programText()));
      } else if (!had) {
        comment(text, "started without: " + word);
      }
    }
  }

  /** Appends a comment of one line, in the bytes of its text. */
  private static void comment(StringBuilder text, String words) {
    text.append("# ").append(Text.ofReadable(VisibleText.line(words))).append('\n');
  }

  /** Judges every definition; returns the worst exit code. */
  private int checkAll() {
    DaemonRegistry registry = DaemonRegistry.ofCaller();
    List<DaemonName> names;
    try {
      names = registry.defined();
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
    if (names.isEmpty()) {
      terminal.error(
          "no daemon is defined in " + DefinitionFile.name(registry.directories().definitions()));
    }
    int worst = 0;
    for (DaemonName name : names) {
      worst = Math.max(worst, check(new RequestedDaemon(registry.find(name))));
    }
    return worst;
  }

  /** Judges one definition as a start does; prints the result, and returns the exit code. */
  private int check(RequestedDaemon named) {
    try {
      // As a restart, so that it does not matter whether the daemon runs.
      CommandLine line = CommandLine.parse(Command.RESTART, List.of(named.word()));
      RequestedDaemon daemon = Objects.requireNonNull(line.daemon());
      Definition definition = daemon.definition();
      if (definition == null) {
        throw undefined(daemon);
      }
      judge(line, definition);
    } catch (StartException failure) {
      String message = String.valueOf(failure.getMessage());
      String place = DefinitionFile.name(named.definitionFile());
      terminal.error(message.contains(place) ? message : place + ": " + message);
      return failure.exitCode();
    }
    try {
      terminal.result(named + ": ok\n");
      return 0;
    } catch (StartException lost) {
      // What is wrong in the others is told all the same.
      terminal.error(String.valueOf(lost.getMessage()));
      return lost.exitCode();
    }
  }

  private static void judge(CommandLine line, Definition definition) {
    boolean locked = !definition.has(CommandOption.NO_LOCK.word());
    Request request = StartOptions.request(locked ? Command.RESTART : Command.START, line);
    request.stop = ControlOptions.policy(line);
    new StartCommand(request).judge();
  }
}
