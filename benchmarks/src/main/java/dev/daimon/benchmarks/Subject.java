package dev.daimon.benchmarks;

import java.util.ArrayList;
import java.util.List;

/**
 * A subject of a comparison: a method of JMH, or a program that prints its nanoseconds.
 *
 * @param name the name in the report
 * @param kind {@code median} or {@code mean} of JMH, or {@code run}
 * @param words the method and its parameters, or the command
 */
record Subject(String name, String kind, List<String> words) {
  /** In a command, the placeholder for the milliseconds to measure. */
  static final String TIME = "TIME";

  static Subject jmh(String name, String method, String... parameters) {
    return new Subject(name, "median", joined(method, parameters));
  }

  /** With the mean, for an operation that is mostly fast, and slow when it has to wait. */
  static Subject mean(String name, String method, String... parameters) {
    return new Subject(name, "mean", joined(method, parameters));
  }

  static Subject run(String name, String program, String... arguments) {
    return new Subject(name, "run", joined(program, arguments));
  }

  private static List<String> joined(String first, String[] rest) {
    List<String> words = new ArrayList<>(List.of(rest));
    words.addFirst(first);
    return words;
  }

  /** Returns the subject as one word of a command line. */
  String word() {
    return name + "\t" + kind + "\t" + String.join("\t", words);
  }
}
