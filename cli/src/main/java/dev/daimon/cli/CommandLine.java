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
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.UnrecognizedOptionException;
import org.jspecify.annotations.Nullable;

/** The options and words of one command, parsed, and the values that they have. */
final class CommandLine {
  private static final String SEE_HELP = "; see daimon help ";

  private final Command command;
  private final org.apache.commons.cli.CommandLine parsed;

  private CommandLine(Command command, org.apache.commons.cli.CommandLine parsed) {
    this.command = command;
    this.parsed = parsed;
  }

  /** The options of a command, as the parser wants them. */
  private static Options options(Command command) {
    Options options = new Options();
    for (CommandOption option : CommandOption.of(command)) {
      options.addOption(
          new Option(
              option.letter(), option.word(), option.argument() != null, /* description= */ null));
    }
    return options;
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
    Options options = options(command);
    boolean takesProgram = command.takesProgram();
    List<String> joined = joined(options, words, takesProgram);
    org.apache.commons.cli.CommandLine parsed;
    try {
      parsed = parser.parse(options, joined.toArray(new String[0]), takesProgram);
    } catch (ParseException problem) {
      throw new StartException(
          Reason.CONFIGURATION, explained(problem, options, joined) + SEE_HELP + command);
    }
    if (!takesProgram) {
      return new CommandLine(command, parsed);
    }
    int program = joined.size() - parsed.getArgList().size();
    boolean separated = program > 0 && joined.get(program - 1).equals("--");
    // From "-vX" the parser takes the option -v and, if there is no option -X, the program "-X".
    if (!separated && program < joined.size() && joined.get(program).startsWith("-")) {
      throw new StartException(
          Reason.CONFIGURATION, unknown(options, joined.get(program)) + SEE_HELP + command);
    }
    return new CommandLine(command, parsed);
  }

  /** What is wrong with the options; names the wrong one as it was typed. */
  private static String explained(ParseException problem, Options options, List<String> words) {
    if (problem instanceof MissingArgumentException) {
      // Every other option was joined with the word that follows it.
      String last = words.getLast();
      return (last.startsWith("--") ? last : "-" + last.charAt(last.length() - 1))
          + " needs a value";
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

  /**
   * The words with each option's value joined to it, "--name=VALUE": the parser would not take a
   * value that looks like an option, and "-n -bash" is a login shell's name.
   */
  private static List<String> joined(Options options, List<String> words, boolean takesProgram) {
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
      if (!mayBeOption && (takesProgram || word.equals("--"))) {
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

  boolean has(CommandOption option) {
    return parsed.hasOption(option.word());
  }

  /** The words after the options. */
  List<String> words() {
    return parsed.getArgList();
  }

  /** The option's value, the last one if it is given several times; null if it is not given. */
  @Nullable String value(CommandOption option) {
    String[] values = parsed.getOptionValues(option.word());
    return values == null ? null : values[values.length - 1];
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
    return values == null ? List.of() : Arrays.asList(values);
  }

  /** A usage error, which names the command's help. */
  StartException usage(String message) {
    return new StartException(Reason.CONFIGURATION, message + SEE_HELP + command);
  }
}
