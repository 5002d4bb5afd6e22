package dev.daimon.daemon;

import dev.daimon.startup.StartException;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;

/** A failure in words: what has failed, and why, cause by cause. */
final class FailureText {
  /** How many causes are told; more are a circle, or nobody reads them. */
  private static final int MAX_CAUSES = 8;

  /** How many characters of a cause are told. */
  private static final int MAX_PART = 1000;

  /** How many stack frames of each cause are told. */
  private static final int MAX_FRAMES = 5;

  private FailureText() {}

  /** {@return one text: {@code what failed: why: why that}} */
  static String of(Throwable failure) {
    StringBuilder text = new StringBuilder();
    for (Throwable cause : causes(failure)) {
      String part = words(cause);
      if (!isTold(text, cause, part)) {
        text.append(text.isEmpty() ? "" : ": ").append(part);
      }
    }
    return text.toString();
  }

  /** Many exceptions take over the words of their cause. */
  private static boolean isTold(StringBuilder text, Throwable cause, String part) {
    String message = cause.getMessage();
    return text.indexOf(part) >= 0
        || (message != null && !message.isBlank() && text.toString().endsWith(message.strip()));
  }

  /** {@return where each cause comes from, a line for each stack frame, the nearest ones} */
  static String trace(Throwable failure) {
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

  /** The failure first; without what launchers of programs wrap around it. */
  private static List<Throwable> causes(Throwable failure) {
    List<Throwable> causes = new ArrayList<>();
    Throwable cause = unwrapped(failure);
    while (cause != null && causes.size() < MAX_CAUSES) {
      causes.add(cause);
      cause = cause.getCause();
    }
    return causes;
  }

  /** {@return what was thrown at first, where a launcher of programs has wrapped it} */
  static Throwable unwrapped(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof InvocationTargetException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  private static String words(Throwable cause) {
    String words =
        (cause instanceof StartException ? String.valueOf(cause.getMessage()) : cause.toString())
            .strip();
    return words.length() > MAX_PART ? words.substring(0, MAX_PART) + "…" : words;
  }
}
