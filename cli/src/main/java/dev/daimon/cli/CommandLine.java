package dev.daimon.cli;

import dev.daimon.daemon.DaemonizeException;
import dev.daimon.daemon.DaemonizeException.Reason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.jspecify.annotations.Nullable;

/** The options of {@code start} and {@code run}, and the request that they make. */
final class CommandLine {
  private static final String SEE_HELP = "; see daimon help ";

  private final String command;
  private final org.apache.commons.cli.CommandLine parsed;

  private CommandLine(String command, org.apache.commons.cli.CommandLine parsed) {
    this.command = command;
    this.parsed = parsed;
  }

  static Options options() {
    Options options = new Options();
    value(options, "p", "pidfile");
    value(options, "l", "lock");
    flag(options, null, "no-lock");
    value(options, "c", "chdir");
    value(options, "m", "umask");
    value(options, "o", "stdout");
    value(options, "e", "stderr");
    flag(options, "a", "append");
    value(options, "u", "user");
    value(options, "g", "group");
    flag(options, "f", "foreground");
    flag(options, null, "no-close-fds");
    value(options, null, "keep-fd");
    value(options, "E", "env");
    value(options, "n", "name");
    flag(options, "v", "verbose");
    flag(options, null, "dry-run");
    flag(options, "h", "help");
    return options;
  }

  private static void value(Options options, @Nullable String letter, String name) {
    options.addOption(new Option(letter, name, true, null));
  }

  private static void flag(Options options, @Nullable String letter, String name) {
    options.addOption(new Option(letter, name, false, null));
  }

  /**
   * Reads the words after the command's name.
   *
   * @param command {@code start} or {@code run}
   * @param words one character for each byte
   */
  static CommandLine parse(String command, List<String> words) {
    DefaultParser parser =
        DefaultParser.builder()
            .setAllowPartialMatching(false)
            .setStripLeadingAndTrailingQuotes(false)
            .get();
    Options options = options();
    List<String> joined = joined(options, words);
    org.apache.commons.cli.CommandLine parsed;
    try {
      parsed = parser.parse(options, joined.toArray(new String[0]), true);
    } catch (ParseException problem) {
      String message = Text.readable(String.valueOf(problem.getMessage()));
      throw new DaemonizeException(Reason.CONFIGURATION, message + SEE_HELP + command);
    }
    int program = joined.size() - parsed.getArgList().size();
    boolean separated = program > 0 && joined.get(program - 1).equals("--");
    // Of "-vX" the parser takes the v for an option, and X for the program.
    if (!separated && program < joined.size() && joined.get(program).startsWith("-")) {
      throw new DaemonizeException(
          Reason.CONFIGURATION,
          "unknown option " + Text.readable(joined.get(program)) + SEE_HELP + command);
    }
    return new CommandLine(command, parsed);
  }

  /**
   * The words with each option's value joined to it, "--name=VALUE": the parser would not take a
   * value that looks like an option, and "-n -bash" is a login shell's name.
   */
  private static List<String> joined(Options options, List<String> words) {
    List<String> joined = new ArrayList<>(words.size());
    int next = 0;
    while (next < words.size()) {
      String word = words.get(next++);
      boolean mayBeOption = word.startsWith("-") && word.length() > 1 && !word.equals("--");
      Option option = mayBeOption ? awaitingValue(options, word) : null;
      if (option != null && next < words.size()) {
        if (!word.startsWith("--") && word.length() > 2) {
          joined.add(word.substring(0, word.length() - 1));
        }
        joined.add("--" + option.getLongOpt() + "=" + words.get(next++));
      } else {
        joined.add(word);
      }
      if (!mayBeOption) {
        joined.addAll(words.subList(next, words.size()));
        break;
      }
    }
    return joined;
  }

  /** The option that takes the next word as its value: "--name", "-n", or the last of "-vn". */
  private static @Nullable Option awaitingValue(Options options, String word) {
    if (word.startsWith("--")) {
      String name = word.substring(2);
      return options.hasLongOption(name) && options.getOption(name).hasArg()
          ? options.getOption(name)
          : null;
    }
    for (int i = 1; i < word.length(); i++) {
      String letter = word.substring(i, i + 1);
      if (!options.hasShortOption(letter)) {
        return null;
      }
      if (options.getOption(letter).hasArg()) {
        return i == word.length() - 1 ? options.getOption(letter) : null;
      }
    }
    return null;
  }

  boolean asksForHelp() {
    return parsed.hasOption("help");
  }

  Request request() {
    Request request = new Request();
    request.command = program();
    request.foreground = command.equals("run") || parsed.hasOption("foreground");
    request.pidFile = path("pidfile");
    request.lockFile = path("lock");
    request.lock = !parsed.hasOption("no-lock");
    Path directory = path("chdir");
    request.directory = directory == null ? request.directory : directory;
    request.umask = umask(request.umask);
    request.standardOutput = path("stdout");
    Path standardError = path("stderr");
    request.standardError =
        standardError == null ? beside(request.standardOutput, value("stdout")) : standardError;
    request.append = parsed.hasOption("append");
    request.user = value("user");
    request.group = value("group");
    request.closeDescriptors = !parsed.hasOption("no-close-fds");
    request.keptDescriptors = keptDescriptors();
    request.variables = variables();
    request.programName = value("name");
    request.verbose = parsed.hasOption("verbose");
    request.dryRun = parsed.hasOption("dry-run");
    if (!request.lock && request.lockFile != null) {
      throw usage("--no-lock and --lock exclude each other");
    }
    checkOverlaps(request);
    return request;
  }

  private List<String> program() {
    List<String> program = parsed.getArgList();
    if (program.isEmpty()) {
      throw usage("no program was given");
    }
    if (program.get(0).isEmpty()) {
      throw usage("the program's name is empty");
    }
    return program;
  }

  /** The last value wins, as everywhere. */
  private @Nullable String value(String option) {
    String[] values = parsed.getOptionValues(option);
    return values == null ? null : values[values.length - 1];
  }

  private @Nullable Path path(String option) {
    String value = value(option);
    if (value == null) {
      return null;
    }
    if (value.endsWith("/") && !option.equals("chdir")) {
      throw usage("--" + option + " wants a file, not \"" + Text.readable(value) + "\"");
    }
    if (!value.startsWith("/")) {
      throw usage("--" + option + " wants an absolute path, not \"" + Text.readable(value) + "\"");
    }
    return Text.path(value);
  }

  /** Where standard error goes if only standard output was given. */
  private static @Nullable Path beside(@Nullable Path standardOutput, @Nullable String name) {
    if (standardOutput == null || name == null) {
      return null;
    }
    if (name.endsWith(".stdout")) {
      return Text.path(name.substring(0, name.length() - ".stdout".length()) + ".stderr");
    }
    if (name.endsWith(".out")) {
      return Text.path(name.substring(0, name.length() - ".out".length()) + ".err");
    }
    return standardOutput;
  }

  private int umask(int unset) {
    String value = value("umask");
    if (value == null) {
      return unset;
    }
    boolean octal = !value.isEmpty() && value.length() <= 4;
    for (int i = 0; i < value.length(); i++) {
      octal &= value.charAt(i) >= '0' && value.charAt(i) <= '7';
    }
    int mask = octal ? Integer.parseInt(value, 8) : -1;
    if (mask < 0 || mask > 0777) {
      throw usage(
          "--umask wants an octal mode from 0 to 777, not \"" + Text.readable(value) + "\"");
    }
    return mask;
  }

  private List<Integer> keptDescriptors() {
    List<Integer> numbers = new ArrayList<>();
    for (String value : values("keep-fd")) {
      int number = -1;
      try {
        number = value.startsWith("+") ? -1 : Integer.parseInt(value);
      } catch (NumberFormatException noNumber) {
        number = -1;
      }
      if (number < 3) {
        throw usage(
            "--keep-fd wants a descriptor's number from 3 up, not \""
                + Text.readable(value)
                + "\"");
      }
      numbers.add(number);
    }
    return numbers;
  }

  private List<String> variables() {
    List<String> variables = new ArrayList<>();
    for (String value : values("env")) {
      if (value.isEmpty() || value.startsWith("=")) {
        throw usage("--env wants NAME=VALUE or NAME, not \"" + Text.readable(value) + "\"");
      }
      variables.add(value.indexOf('=') < 0 ? value + "=" : value);
    }
    return variables;
  }

  private List<String> values(String option) {
    String[] values = parsed.getOptionValues(option);
    return values == null ? List.of() : Arrays.asList(values);
  }

  /** Two purposes for one file would destroy one of them; the two outputs may share theirs. */
  private void checkOverlaps(Request request) {
    refuseSame("pidfile", request.pidFile, "lock", request.lockFile);
    refuseSame("pidfile", request.pidFile, "stdout", request.standardOutput);
    refuseSame("pidfile", request.pidFile, "stderr", request.standardError);
    refuseSame("lock", request.lockFile, "stdout", request.standardOutput);
    refuseSame("lock", request.lockFile, "stderr", request.standardError);
  }

  private void refuseSame(String one, @Nullable Path path, String other, @Nullable Path otherPath) {
    if (path != null && otherPath != null && path.normalize().equals(otherPath.normalize())) {
      throw usage("--" + one + " and --" + other + " are the same file, " + path);
    }
  }

  private DaemonizeException usage(String message) {
    return new DaemonizeException(Reason.CONFIGURATION, message + SEE_HELP + command);
  }
}
