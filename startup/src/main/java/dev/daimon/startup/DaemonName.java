package dev.daimon.startup;

import dev.daimon.posix.VisibleText;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The name of a daemon, from which its files have theirs: {@code web.pid}, {@code web.log}.
 *
 * <p>A name is what a file may be called: not empty, not {@code .} or {@code ..}, without a slash,
 * a {@linkplain VisibleText#isHidden hidden} character or a dash at the beginning, and at most 200
 * bytes long in UTF-8, so that there is room for the names of its files.
 *
 * @param text the name
 */
public record DaemonName(String text) implements Comparable<DaemonName> {
  /** The longest name, in bytes of UTF-8. */
  public static final int MAX_LENGTH = 200;

  /**
   * Checks the name.
   *
   * @throws IllegalArgumentException if it is none; the message says why, and has no hidden
   *     character
   */
  public DaemonName {
    Objects.requireNonNull(text, "text");
    String problem = problem(text);
    if (problem != null) {
      throw new IllegalArgumentException(
          "\"" + VisibleText.line(text) + "\" cannot be a daemon's name: " + problem);
    }
  }

  /** What is wrong with a name; null for nothing. */
  private static @Nullable String problem(String text) {
    if (text.isEmpty()) {
      return "it is empty";
    }
    if (text.equals(".") || text.equals("..")) {
      return "that is a directory";
    }
    if (text.startsWith("-")) {
      return "it begins with a dash";
    }
    if (text.indexOf('/') >= 0) {
      return "it has a slash";
    }
    // The replacement character stands for bytes that are no UTF-8.
    if (!text.equals(VisibleText.line(text)) || text.indexOf('\uFFFD') >= 0) {
      return "it has a character that is not visible";
    }
    return text.getBytes(StandardCharsets.UTF_8).length > MAX_LENGTH
        ? "it is longer than " + MAX_LENGTH + " bytes"
        : null;
  }

  /** Compares the names by their characters. */
  @Override
  public int compareTo(DaemonName other) {
    Objects.requireNonNull(other, "other");
    return text.compareTo(other.text);
  }

  /** {@return the name} */
  @Override
  public String toString() {
    return text;
  }
}
