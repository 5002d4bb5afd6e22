package dev.daimon.cli;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.jspecify.annotations.Nullable;

/** Tells which words of a command line are options of a command, and which are their values. */
final class OptionWords {
  private final Options options = new Options();

  OptionWords(Command command) {
    for (CommandOption option : CommandOption.of(command)) {
      options.addOption(
          new Option(
              option.letter(), option.word(), option.argument() != null, /* description= */ null));
    }
  }

  /** The options, as the parser wants them. */
  Options options() {
    return options;
  }

  /** Whether a word looks like an option. */
  static boolean mayBeOption(String word) {
    return word.startsWith("-") && word.length() > 1 && !word.equals("--");
  }

  /** Whether a word that looks like an option is one of the command's, or some of one letter. */
  boolean isKnown(String word) {
    if (word.startsWith("--")) {
      int equals = word.indexOf('=');
      return options.hasLongOption(equals < 0 ? word : word.substring(0, equals));
    }
    for (int i = 1; i < word.length(); i++) {
      String letter = word.substring(i, i + 1);
      if (!options.hasShortOption(letter)) {
        return false;
      }
      if (options.getOption(letter).hasArg()) {
        return true;
      }
    }
    return true;
  }

  /**
   * The words with each option's value joined to it, "--name=VALUE": the parser would not take a
   * value that looks like an option, and "-n -bash" is a login shell's name.
   */
  List<String> joined(List<String> words, boolean takesProgram) {
    List<String> joined = new ArrayList<>(words.size());
    int next = 0;
    while (next < words.size()) {
      String word = words.get(next++);
      boolean mayBeOption = mayBeOption(word);
      Option option = mayBeOption ? awaitingValue(word) : null;
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
  @Nullable Option awaitingValue(String word) {
    Option option = withValue(word);
    return option != null && (word.startsWith("--") ? word.indexOf('=') < 0 : isLast(option, word))
        ? option
        : null;
  }

  private static boolean isLast(Option option, String word) {
    return word.indexOf(option.getOpt()) == word.length() - 1;
  }

  /** The option with a value, which is the next word, or a part of this one; null if none is. */
  @Nullable Option withValue(String word) {
    if (word.startsWith("--")) {
      int equals = word.indexOf('=');
      String name = word.substring(2, equals < 0 ? word.length() : equals);
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
        return options.getOption(letter);
      }
    }
    return null;
  }
}
