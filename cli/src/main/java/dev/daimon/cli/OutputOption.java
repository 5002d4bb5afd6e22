package dev.daimon.cli;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The values of {@code --stdout} and {@code --stderr} that are no files. */
final class OutputOption {
  private static final String SYSLOG = "syslog";
  private static final String JOURNAL = "journal";

  /** What the C library's syslog and {@code logger} name; {@code kern} is for the kernel alone. */
  private static final List<String> FACILITIES =
      List.of(
          "auth",
          "authpriv",
          "cron",
          "daemon",
          "ftp",
          "lpr",
          "mail",
          "news",
          "syslog",
          "user",
          "uucp",
          "local0",
          "local1",
          "local2",
          "local3",
          "local4",
          "local5",
          "local6",
          "local7");

  private static final List<String> LEVELS =
      List.of("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug");

  private final CommandLine line;
  private final Request request;

  private OutputOption(CommandLine line, Request request) {
    this.line = line;
    this.request = request;
  }

  /** Whether a value names a program and no file. */
  static boolean isCommand(@Nullable String value) {
    return value != null
        && (value.startsWith("|")
            || value.equals(SYSLOG)
            || value.startsWith(SYSLOG + ":")
            || value.equals(JOURNAL));
  }

  /** Reads both options, of which one at least names a program. */
  static void read(CommandLine line, Request request) {
    new OutputOption(line, request).read();
  }

  private void read() {
    String output = line.value(CommandOption.STDOUT);
    String error = line.value(CommandOption.STDERR);
    if (isCommand(output)) {
      request.outputCommand = command(CommandOption.STDOUT, String.valueOf(output), "info");
    }
    if (error == null) {
      // The same program, unless the level is left to Daimon.
      request.errorCommand = command(CommandOption.STDERR, String.valueOf(output), "err");
    } else if (isCommand(error)) {
      request.errorCommand = command(CommandOption.STDERR, error, "err");
    } else {
      request.standardError = line.path(CommandOption.STDERR);
    }
    OutputCommand first = request.outputCommand;
    OutputCommand second = request.errorCommand;
    if (first != null && second != null && first.words().equals(second.words())) {
      request.errorCommand = first;
    }
  }

  private OutputCommand command(CommandOption option, String value, String level) {
    if (value.startsWith("|")) {
      return new OutputCommand(option.word(), words(option, value), Text.readable(value), null);
    }
    List<String> words;
    Path socket;
    if (value.equals(JOURNAL)) {
      words = List.of("systemd-cat", "-t", tag(), "-p", level);
      socket = Path.of("/run/systemd/journal/stdout");
    } else {
      words = List.of("logger", "-t", tag(), "-p", priority(option, value, level));
      socket = Path.of("/dev/log");
    }
    return new OutputCommand(
        option.word(), words, Text.readable(OutputCommand.value(words)), socket);
  }

  private List<String> words(CommandOption option, String value) {
    List<String> words;
    try {
      words = Words.split(value.substring(1));
    } catch (IllegalArgumentException wrong) {
      throw line.usage(option + " \"" + Text.readable(value) + "\": " + wrong.getMessage());
    }
    if (words.isEmpty() || words.get(0).isEmpty()) {
      throw line.usage(option + " wants a program after |, such as '|logger -t web'");
    }
    return words;
  }

  /** By what the entries of the log are known: the daemon's name, else the program's base name. */
  private String tag() {
    RequestedDaemon daemon = line.daemon();
    if (daemon != null) {
      return Text.ofBytes(daemon.toString().getBytes(StandardCharsets.UTF_8));
    }
    String program = request.command.get(0);
    return program.substring(program.lastIndexOf('/') + 1);
  }

  /** Reads {@code syslog}, {@code syslog:FACILITY} or {@code syslog:FACILITY.LEVEL}. */
  private String priority(CommandOption option, String value, String level) {
    if (value.equals(SYSLOG)) {
      return "daemon." + level;
    }
    String priority = value.substring(SYSLOG.length() + 1);
    int dot = priority.indexOf('.');
    String facility = dot < 0 ? priority : priority.substring(0, dot);
    String named = dot < 0 ? level : priority.substring(dot + 1);
    require(FACILITIES, facility, option + " wants a facility after syslog:, one of ");
    require(LEVELS, named, option + " wants a level after syslog:" + facility + ".: ");
    return facility + "." + named;
  }

  private void require(List<String> known, String name, String message) {
    if (!known.contains(name)) {
      throw line.usage(
          message + String.join(", ", known) + "; not \"" + Text.readable(name) + "\"");
    }
  }
}
