package dev.daimon.cli;

import dev.daimon.posix.VisibleText;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The quoting of definitions: splits a line into words, and writes words so that they are split
 * again into the same ones. Both have one character for each byte, as {@link Text} has.
 *
 * <p>Blanks and tabs separate words. In single quotes every character stands for itself. In double
 * quotes and outside of quotes a backslash begins one of a few escapes. Nothing else means
 * anything: no variable, no pattern, no tilde.
 */
final class Words {
  private static final String ESCAPES = "\"\\ntre";
  private static final String ESCAPED = "\"\\\n\t\r\u001b";

  private final String line;
  private int next;

  private Words(String line) {
    this.line = line;
  }

  /**
   * Splits a line into words.
   *
   * @throws IllegalArgumentException if a quote is not closed, or an escape is unknown; the message
   *     names the column, counted from 1 in bytes
   */
  static List<String> split(String line) {
    Words words = new Words(line);
    List<String> result = new ArrayList<>();
    words.skipBlanks();
    while (words.next < line.length()) {
      result.add(words.word());
      words.skipBlanks();
    }
    return result;
  }

  private void skipBlanks() {
    while (next < line.length() && isBlank(line.charAt(next))) {
      next++;
    }
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }

  private String word() {
    StringBuilder word = new StringBuilder();
    int start = 0;
    char quote = 0;
    while (next < line.length() && (quote != 0 || !isBlank(line.charAt(next)))) {
      char c = line.charAt(next++);
      if (isControl(c)) {
        throw wrong(next, "a control character; in a word it is written \\x" + hex(c));
      }
      if (c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
        start = next;
      } else if (c == '\\' && quote != '\'') {
        word.append(escaped(quote));
      } else {
        word.append(c);
      }
    }
    if (quote != 0) {
      throw wrong(start, "the quote " + quote + " is not closed");
    }
    return word.toString();
  }

  /** A tab separates words, and may stand in quotes. */
  private static boolean isControl(char c) {
    return (c < ' ' && c != '\t') || c == 0x7f;
  }

  /** Reads what follows a backslash. */
  private char escaped(char quote) {
    int start = next;
    char c = next < line.length() ? line.charAt(next++) : 0;
    if (c == ' ' && quote == 0) {
      return c;
    }
    if (c == 'x') {
      int high = digit();
      int low = digit();
      if (high >= 0 && low >= 0 && high + low > 0) {
        return (char) (high << 4 | low);
      }
      throw wrong(start, "\\x wants two hexadecimal digits, and not 00");
    }
    int escape = c == 0 ? -1 : ESCAPES.indexOf(c);
    if (escape < 0) {
      throw wrong(start, "unknown escape; a backslash itself is written \\\\");
    }
    return ESCAPED.charAt(escape);
  }

  private int digit() {
    char c = next < line.length() ? line.charAt(next++) : 0;
    return c < 0x80 ? Character.digit(c, 16) : -1;
  }

  private static IllegalArgumentException wrong(int column, String message) {
    return new IllegalArgumentException("column " + column + ": " + message);
  }

  /** Returns a line that is split into these words, which have no NUL. */
  static String join(List<String> words) {
    StringBuilder line = new StringBuilder();
    for (String word : words) {
      line.append(line.isEmpty() ? "" : " ").append(quote(word));
    }
    return line.toString();
  }

  /** Returns the word in quotes, or as it is if it needs none; a word that begins a line may. */
  static String quote(String word) {
    boolean bare = !word.isEmpty() && word.charAt(0) != '#';
    for (int i = 0; i < word.length(); i++) {
      char c = word.charAt(i);
      bare &= c > ' ' && c < 0x7f && c != '\'' && c != '"' && c != '\\';
    }
    if (bare) {
      return word;
    }
    String text = Text.readable(word);
    if (isLiteral(word, text)) {
      return "'" + word + "'";
    }
    StringBuilder quoted = new StringBuilder("\"");
    if (Text.ofBytes(utf8(text)).equals(word)) {
      int point;
      for (int i = 0; i < text.length(); i += Character.charCount(point)) {
        point = text.codePointAt(i);
        append(quoted, Text.ofBytes(utf8(Character.toString(point))), VisibleText.isHidden(point));
      }
    } else {
      append(quoted, word, /* hidden= */ true);
    }
    return quoted.append('"').toString();
  }

  /** Whether single quotes are enough: every character is visible, and none is such a quote. */
  private static boolean isLiteral(String word, String text) {
    return word.indexOf('\'') < 0
        && text.equals(VisibleText.line(text))
        && Text.ofBytes(utf8(text)).equals(word);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Appends the bytes of one character, or bytes of which those beyond ASCII are not visible. */
  private static void append(StringBuilder quoted, String bytes, boolean hidden) {
    for (int i = 0; i < bytes.length(); i++) {
      char c = bytes.charAt(i);
      int escape = ESCAPED.indexOf(c);
      if (escape >= 0) {
        quoted.append('\\').append(ESCAPES.charAt(escape));
      } else if (hidden && (c < ' ' || c >= 0x7f)) {
        quoted.append("\\x").append(hex(c));
      } else {
        quoted.append(c);
      }
    }
  }

  private static String hex(char c) {
    return "" + Character.forDigit(c >> 4 & 15, 16) + Character.forDigit(c & 15, 16);
  }
}
