package dev.daimon.benchmarks;

import java.util.ArrayList;
import java.util.List;

/**
 * What is measured beside others: a method of JMH's, or a program that prints its nanoseconds.
 *
 * @param name how the report calls it
 * @param kind {@code median} or {@code mean} of JMH, or {@code run}
 * @param words the method and its parameters, or the command
 */
record Subject(String name, String kind, List<String> words) {
  /** In a command: for how many milliseconds it is to measure. */
  static final String TIME = "TIME";

  static Subject jmh(String name, String method, String... parameters) {
    return new Subject(name, "median", joined(method, parameters));
  }

  /** With the mean, for what is quick most of the time, and slow when it meets somebody. */
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

  /** As one word of a command line. */
  String word() {
    return name + "\t" + kind + "\t" + String.join("\t", words);
  }
}
