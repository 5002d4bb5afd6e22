package dev.daimon.cli;

import dev.daimon.posix.NativePath;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Command-line words as strings with one character for each byte, so that every byte sequence can
 * be split, compared and passed on unchanged; and their way to paths and to the user's eyes.
 */
final class Text {
  private Text() {}

  static String ofBytes(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** The word as it is meant to be read. */
  static String readable(String text) {
    return new String(bytes(text), StandardCharsets.UTF_8);
  }

  static Path path(String text) {
    return NativePath.of(bytes(text));
  }

  /** One line, whatever a file name or a process says: what is {@link #isHidden} becomes "?". */
  static String line(String message) {
    StringBuilder line = new StringBuilder(message.length());
    int point;
    for (int i = 0; i < message.length(); i += Character.charCount(point)) {
      point = message.codePointAt(i);
      if (isHidden(point)) {
        line.append('?');
      } else {
        line.appendCodePoint(point);
      }
    }
    return line.toString();
  }

  /**
   * Whether a character does something to the text around it instead of being one to read: control
   * characters, line and paragraph separators, those that turn the direction of the text around or
   * join and part others, and halves of a pair.
   */
  static boolean isHidden(int point) {
    if (point < 0x7f) {
      return point < ' ';
    }
    int type = Character.getType(point);
    return type == Character.CONTROL
        || type == Character.FORMAT
        || type == Character.LINE_SEPARATOR
        || type == Character.PARAGRAPH_SEPARATOR
        || type == Character.SURROGATE;
  }
}
