package dev.daimon.cli;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A program that reads the output of the one to be started, from a pipe: what {@code --stdout} or
 * {@code --stderr} asks for by {@code '|COMMAND'}, {@code syslog} or {@code journal}.
 *
 * @param stream the stream that it reads: {@code stdout}, perhaps with the other, or {@code stderr}
 * @param words the program and its arguments, with one character for each byte; not empty
 * @param text the program as messages, the plan and the record of the start name it
 * @param socket a socket that has to be there for it; null for none
 */
record OutputCommand(String stream, List<String> words, String text, @Nullable Path socket) {
  /**
   * The words behind the {@code |} of an option's value; none for another value, or a wrong one.
   */
  static List<String> words(String value) {
    if (!value.startsWith("|")) {
      return List.of();
    }
    try {
      return Words.split(value.substring(1));
    } catch (IllegalArgumentException wrong) {
      return List.of();
    }
  }

  /** The value of an option that asks for the program of these words. */
  static String value(List<String> words) {
    return "|".concat(Words.join(words));
  }

  /** The option that asks for it, as messages name it. */
  String option() {
    return "--".concat(stream);
  }
}
