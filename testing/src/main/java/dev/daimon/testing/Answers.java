package dev.daimon.testing;

import java.io.IOException;
import java.util.concurrent.Callable;

/** What a child JVM asks and prints, a line each: the answer, or the message of the failure. */
public final class Answers {
  private Answers() {}

  /** Prints the answer behind its name. */
  public static void print(String name, Callable<?> question) throws Exception {
    System.out.println(name + ": " + of(question));
  }

  /** Returns the answer as a text. */
  public static String of(Callable<?> question) throws Exception {
    try {
      return String.valueOf(question.call());
    } catch (IOException failure) {
      return String.valueOf(failure.getMessage());
    }
  }
}
