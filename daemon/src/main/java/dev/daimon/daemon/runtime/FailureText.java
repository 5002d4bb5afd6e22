package dev.daimon.daemon.runtime;

import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;

/** Describes a failure by the messages of the exception and its causes. */
public final class FailureText {
  /** The maximal number of causes: more are a cycle, or nobody reads them. */
  public static final int MAX_CAUSES = 8;

  /** The maximal number of characters of a cause. */
  private static final int MAX_PART = 1000;

  /** The maximal number of stack frames of a cause. */
  private static final int MAX_FRAMES = 5;

  private FailureText() {}

  /** Returns one text, such as {@code no server: java.io.IOException: no port}. */
  public static String of(Throwable failure) {
    StringBuilder text = new StringBuilder();
    for (Throwable cause : causes(failure)) {
      String part = words(cause);
      if (!isTold(text, cause, part)) {
        text.append(text.isEmpty() ? "" : ": ").append(part);
      }
    }
    return text.toString();
  }

  /** Whether the text ends with the cause already: many exceptions repeat its message. */
  private static boolean isTold(StringBuilder text, Throwable cause, String part) {
    String name = cause.getClass().getName().concat(": ");
    String message = part.startsWith(name) ? part.substring(name.length()) : part;
    return text.indexOf(part) >= 0
        || text.toString().equals(message)
        || (!message.isEmpty() && text.toString().endsWith(": ".concat(message)));
  }

  /** Returns the innermost stack frames of each cause, one line each. */
  public static String trace(Throwable failure) {
    StringBuilder text = new StringBuilder();
    List<Throwable> causes = causes(failure);
    for (Throwable cause : causes) {
      if (!text.isEmpty()) {
        text.append("\n  caused by ").append(words(cause));
      }
      StackTraceElement[] frames = cause.getStackTrace();
      int told = Math.min(frames.length, MAX_FRAMES);
      for (int i = 0; i < told; i++) {
        text.append("\n    at ").append(frames[i]);
      }
      if (told < frames.length) {
        text.append("\n    ... ").append(frames.length - told).append(" more");
      }
    }
    return text.toString();
  }

  /** Returns the failure and its causes, without the exceptions that reflection wraps around it. */
  private static List<Throwable> causes(Throwable failure) {
    List<Throwable> causes = new ArrayList<>();
    Throwable cause = unwrapped(failure);
    while (cause != null && causes.size() < MAX_CAUSES) {
      causes.add(cause);
      cause = cause.getCause();
    }
    return causes;
  }

  /** Returns the exception that reflection has wrapped, or the failure itself. */
  public static Throwable unwrapped(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof InvocationTargetException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** Returns the failure of a start for which java has no memory, or no further thread. */
  public static StartException scarce(OutOfMemoryError lack) {
    StartException failure =
        new StartException(
            Reason.SYSTEM, "java has failed: ".concat(String.valueOf(lack.getMessage())));
    for (Throwable left : lack.getSuppressed()) {
      failure.addSuppressed(left);
    }
    return failure;
  }

  private static String words(Throwable cause) {
    String words;
    try {
      words =
          (cause instanceof StartException ? String.valueOf(cause.getMessage()) : cause.toString())
              .strip();
    } catch (RuntimeException broken) {
      words = cause.getClass().getName();
    }
    return words.length() > MAX_PART ? words.substring(0, MAX_PART) + "…" : words;
  }
}
