package dev.daimon.cli;

import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.UnrecognizedOptionException;
import org.jspecify.annotations.Nullable;

/** The options and words of one command, parsed, and the values that they have. */
final class CommandLine {
  private static final String SEE_HELP = "; see daimon help ";

  private final Command command;
  private final org.apache.commons.cli.CommandLine parsed;

  /** The words after the options, without a name. */
  private final List<String> words;

  /** The daemon that is named; null for none. */
  private final @Nullable RequestedDaemon daemon;

  private final boolean isUndefined;

  /** A definition, with the typed options in place of its own; null if none is used. */
  private @Nullable Definition definition;

  private CommandLine(
      Command command,
      org.apache.commons.cli.CommandLine parsed,
      List<String> words,
      @Nullable RequestedDaemon daemon,
      boolean isUndefined) {
    this.command = command;
    this.parsed = parsed;
    this.words = words;
    this.daemon = daemon;
    this.isUndefined = isUndefined;
  }

  /**
   * Parses the words after the command's name.
   *
   * @param command the command
   * @param words the words, with one character for each byte
   */
  static CommandLine parse(Command command, List<String> words) {
    DefaultParser parser =
        DefaultParser.builder()
            .setAllowPartialMatching(false)
            .setStripLeadingAndTrailingQuotes(false)
            .get();
    OptionWords optionWords = new OptionWords(command);
    Options options = optionWords.options();
    boolean takesProgram = command.takesProgram();
    NameGrammar.Named named = takesProgram ? NameGrammar.find(command, optionWords, words) : null;
    List<String> joined = optionWords.joined(named == null ? words : named.words(), takesProgram);
    org.apache.commons.cli.CommandLine parsed;
    try {
      parsed = parser.parse(options, joined.toArray(new String[0]), takesProgram);
    } catch (ParseException problem) {
      throw new StartException(
          Reason.CONFIGURATION, explained(problem, options, joined) + SEE_HELP + command);
    }
    if (named == null) {
      return ofControl(command, parsed);
    }
    int program = joined.size() - parsed.getArgList().size();
    boolean separated = program > 0 && joined.get(program - 1).equals("--");
    // From "-vX" the parser takes the option -v and, if there is no option -X, the program "-X".
    if (!separated && program < joined.size() && joined.get(program).startsWith("-")) {
      throw new StartException(
          Reason.CONFIGURATION, unknown(options, joined.get(program)) + SEE_HELP + command);
    }
    return new CommandLine(
        command, parsed, parsed.getArgList(), named.daemon(), named.isUndefined());
  }

  /** A command that takes no program: its first word is a name, if it has no pidfile. */
  private static CommandLine ofControl(Command command, org.apache.commons.cli.CommandLine parsed) {
    List<String> words = parsed.getArgList();
    if (words.isEmpty()
        || !command.takesName()
        || parsed.hasOption(CommandOption.PIDFILE.word())
        || parsed.hasOption(CommandOption.HELP.word())) {
      return new CommandLine(command, parsed, words, null, false);
    }
    RequestedDaemon daemon = RequestedDaemon.of(words.get(0));
    return new CommandLine(command, parsed, words.subList(1, words.size()), daemon, false);
  }

  /** What is wrong with the options; names the wrong one as it was typed. */
  private static String explained(ParseException problem, Options options, List<String> words) {
    if (problem instanceof MissingArgumentException missing) {
      // As it was typed, where it is the last word: nearly always, since the others are joined.
      String letter = missing.getOption().getOpt();
      String last = words.getLast();
      boolean byLetter =
          letter != null && last.endsWith(letter) && last.startsWith("-") && !last.startsWith("--");
      return (byLetter ? "-" + letter : "--" + missing.getOption().getLongOpt()) + " needs a value";
    }
    return unknown(
        options, problem instanceof UnrecognizedOptionException no ? no.getOption() : "");
  }

  private static String unknown(Options options, String word) {
    int equals = word.indexOf('=');
    if (word.startsWith("--") && equals > 0 && options.hasLongOption(word.substring(0, equals))) {
      return Text.readable(word.substring(0, equals)) + " takes no value";
    }
    return "unknown option " + Text.readable(word);
  }

  /** The daemon that is named; null for none. */
  @Nullable RequestedDaemon daemon() {
    return daemon;
  }

  /** Whether the program would be a name if a daemon of that name were defined. */
  boolean isUndefined() {
    return isUndefined;
  }

  /**
   * Takes the options that were not typed from a definition, those that the command has.
   *
   * @param base the definition
   */
  void use(Definition base) {
    definition = base.with(typed());
  }

  /** The options and the program, typed or from the definition that is used. */
  Definition effective() {
    return definition == null ? typed() : definition;
  }

  /** What was typed, as a definition; without a program if none was typed. */
  private Definition typed() {
    List<Definition.Line> lines = new ArrayList<>();
    for (CommandOption option : CommandOption.of(command)) {
      CommandOption definable = CommandOption.definable(option.word());
      if (definable == null || !option.isDefinable() || !parsed.hasOption(option.word())) {
        continue;
      }
      String[] values = parsed.getOptionValues(option.word());
      if (values == null) {
        lines.add(new Definition.Line(definable, null, null));
      } else if (option.isRepeatable()) {
        for (String value : values) {
          lines.add(new Definition.Line(definable, value, null));
        }
      } else {
        lines.add(new Definition.Line(definable, values[values.length - 1], null));
      }
    }
    return Definition.typed(lines, command.takesProgram() ? words : List.of());
  }

  /** Whether the command takes a program, and starts it. */
  boolean takesProgram() {
    return command.takesProgram();
  }

  /** Whether the command takes this option. */
  boolean takes(CommandOption option) {
    return CommandOption.isDefinable(option.word(), command);
  }

  /** Whether the option was typed. */
  boolean isTyped(CommandOption option) {
    return parsed.hasOption(option.word());
  }

  /** Whether the option was typed, or is in the definition that is used. */
  boolean has(CommandOption option) {
    return parsed.hasOption(option.word())
        || (definition != null
            && CommandOption.isDefinable(option.word(), command)
            && definition.has(option.word()));
  }

  /** The words after the options: the program, or what stands behind the name. */
  List<String> words() {
    return words;
  }

  /** The option's value, the last one if it is given several times; null if it is not given. */
  @Nullable String value(CommandOption option) {
    List<String> values = values(option);
    return values.isEmpty() ? null : values.get(values.size() - 1);
  }

  /** The daemon's pidfile: that of its name, or that of the option; null if there is neither. */
  @Nullable Path pidFile() {
    Path typed = path(CommandOption.PIDFILE);
    if (daemon == null) {
      return typed;
    }
    if (typed != null) {
      throw usage(
          "the name "
              + daemon
              + " and --pidfile exclude each other"
              + (command.takesProgram()
                  ? "; to start the program " + daemon + ", type -- before it"
                  : ""));
    }
    return daemon.pidFile();
  }

  /** The option's value as a path; null if it is not given. */
  @Nullable Path path(CommandOption option) {
    String value = value(option);
    if (value == null) {
      return null;
    }
    if (value.endsWith("/") && option != CommandOption.CHDIR && option != CommandOption.CHROOT) {
      throw usage(option + " wants a file, not \"" + Text.readable(value) + "\"");
    }
    if (!value.startsWith("/")) {
      throw usage(option + " wants an absolute path, not \"" + Text.readable(value) + "\"");
    }
    return Text.path(value);
  }

  /**
   * A number of decimal digits alone, without a sign.
   *
   * @param most how many digits it may have, up to 9
   * @return the number; -1 for anything else
   */
  static int digits(String text, int most) {
    boolean digits = !text.isEmpty() && text.length() <= most;
    for (int i = 0; i < text.length(); i++) {
      digits &= text.charAt(i) >= '0' && text.charAt(i) <= '9';
    }
    return digits ? Integer.parseInt(text) : -1;
  }

  /** A time such as 10s, 500ms, 2m or 1h, a number alone in seconds; null for anything else. */
  static @Nullable Duration duration(String text) {
    int digits = 0;
    while (digits < text.length() && Character.digit(text.charAt(digits), 10) >= 0) {
      digits++;
    }
    if (digits == 0 || digits > 9) {
      return null;
    }
    long number = Long.parseLong(text, 0, digits, 10);
    return switch (text.substring(digits)) {
      case "ms" -> Duration.ofMillis(number);
      case "", "s" -> Duration.ofSeconds(number);
      case "m" -> Duration.ofMinutes(number);
      case "h" -> Duration.ofHours(number);
      default -> null;
    };
  }

  /** The option's value as a time; null if it is not given. */
  @Nullable Duration time(CommandOption option) {
    String value = value(option);
    if (value == null) {
      return null;
    }
    Duration time = duration(value);
    if (time == null) {
      throw usage(
          option + " wants a time such as 10s, 500ms or 2m, not \"" + Text.readable(value) + "\"");
    }
    return time;
  }

  /** The values of an option that may be given several times. */
  List<String> values(CommandOption option) {
    String[] values = parsed.getOptionValues(option.word());
    if (values != null) {
      return Arrays.asList(values);
    }
    return definition != null && CommandOption.isDefinable(option.word(), command)
        ? definition.values(option.word())
        : List.of();
  }

  /**
   * A usage error: with the line of the definition that it is about, or with the name of the
   * command's help.
   */
  StartException usage(String message) {
    String place = definition == null ? null : definition.place(message);
    return new StartException(
        Reason.CONFIGURATION,
        place == null ? message + SEE_HELP + command : place + ": " + message);
  }
}
