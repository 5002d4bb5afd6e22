package dev.daimon.cli;

import dev.daimon.control.DaemonStatus;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.VisibleText;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The commands about definitions: {@code show} and {@code check}. They change nothing. */
final class DefinitionCommand {
  private static final String SUFFIX = ".conf";
  private static final String DEFAULT = "the name's default";

  private final Terminal terminal = new Terminal(false);

  /** Runs one of the commands, and returns its exit code. */
  int run(Command command, CommandLine line) {
    if (!line.words().isEmpty()) {
      throw line.usage("unexpected word: \"" + Text.readable(line.words().get(0)) + "\"");
    }
    RequestedDaemon daemon = line.daemon();
    if (command == Command.CHECK) {
      return daemon == null ? checkAll() : check(daemon.name().text(), daemon.definitionFile());
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
    StartedFile started = daemon.started();
    Definition shown = started != null && definition == null ? started.definition() : definition;
    if (shown == null) {
      throw undefined(daemon);
    }
    StringBuilder text = new StringBuilder();
    state(text, daemon);
    if (definition != null && started != null) {
      differences(text, definition, started);
    }
    comment(text, DEFAULT + ": pidfile " + DefinitionFile.name(daemon.pidFile()));
    for (Definition.Line line : shown.lines()) {
      comment(text, String.valueOf(line.place()));
      text.append(Definition.text(line)).append('\n');
    }
    if (!shown.has(CommandOption.STDOUT.word()) && !isSelf(shown)) {
      comment(text, DEFAULT + ", but for run");
      String log = Text.ofBytes(NativePath.bytes(daemon.log()));
      text.append(CommandOption.STDOUT.word()).append(' ').append(Words.quote(log)).append('\n');
    }
    comment(text, String.valueOf(shown.programPlace()));
    text.append(shown.programText()).append('\n');
    terminal.result(Text.readable(text.toString()));
  }

  private static boolean isSelf(Definition definition) {
    return definition.has(CommandOption.SELF.word())
        || definition.values(CommandOption.READY.word()).contains("exit");
  }

  private static StartException undefined(RequestedDaemon daemon) {
    return new StartException(
        Reason.CONFIGURATION,
        daemon
            + " is not defined: there is no "
            + DefinitionFile.name(daemon.definitionFile())
            + "; to write one, type daimon start "
            + daemon
            + " --save -- and the program");
  }

  private static void state(StringBuilder text, RequestedDaemon daemon) {
    String lost = daemon.lost();
    if (lost != null) {
      comment(text, lost);
      return;
    }
    try {
      CommandLine line = CommandLine.parse(Command.STATUS, List.of(word(daemon)));
      DaemonStatus status = ControlOptions.control(line).status();
      comment(text, daemon + ": " + status.reason());
    } catch (IOException unknown) {
      comment(text, daemon + ": " + unknown.getMessage());
    }
  }

  /** The name as it is typed, with one character for each byte. */
  private static String word(RequestedDaemon daemon) {
    return Text.ofReadable(daemon.name().text());
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
    Path directory = DaemonDirectories.ofCaller().definitions();
    List<String> files = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        String file = Text.ofBytes(NativePath.bytes(entry));
        if (file.endsWith(SUFFIX)) {
          files.add(file);
        }
      }
    } catch (NoSuchFileException none) {
      terminal.error("nothing is defined: there is no " + DefinitionFile.name(directory));
      return 0;
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
    Collections.sort(files);
    int worst = 0;
    for (String file : files) {
      String name = file.substring(file.lastIndexOf('/') + 1, file.length() - SUFFIX.length());
      worst = Math.max(worst, check(name, Text.path(file)));
    }
    return worst;
  }

  /** Judges one definition as a start does; prints the result, and returns the exit code. */
  private int check(String name, Path file) {
    try {
      // As a restart, so that it does not matter whether the daemon runs.
      CommandLine line = CommandLine.parse(Command.RESTART, List.of(name));
      RequestedDaemon daemon = line.daemon();
      Definition definition = daemon == null ? null : daemon.definition();
      if (daemon == null) {
        throw new StartException(Reason.CONFIGURATION, "that is no daemon's name");
      }
      if (definition == null) {
        throw undefined(daemon);
      }
      judge(line, definition);
      terminal.result(daemon + ": ok\n");
      return 0;
    } catch (StartException failure) {
      String message = String.valueOf(failure.getMessage());
      String place = DefinitionFile.name(file);
      terminal.error(message.contains(place) ? message : place + ": " + message);
      return failure.exitCode();
    }
  }

  private static void judge(CommandLine line, Definition definition) {
    boolean locked = !definition.has(CommandOption.NO_LOCK.word());
    Request request = StartOptions.request(locked ? Command.RESTART : Command.START, line);
    request.stop = ControlOptions.policy(line);
    new StartCommand(request).judge();
  }
}
