package dev.daimon.cli;

import dev.daimon.posix.NativePath;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Command-line words as strings with one character for each byte, so that any bytes can be split,
 * compared and passed on unchanged; and what paths and messages make of them.
 */
final class Text {
  private Text() {}

  static String ofBytes(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** The word decoded as UTF-8, for messages. */
  static String readable(String text) {
    return new String(bytes(text), StandardCharsets.UTF_8);
  }

  /** The bytes of a message, in UTF-8, with one character for each. */
  static String ofReadable(String message) {
    return ofBytes(message.getBytes(StandardCharsets.UTF_8));
  }

  static Path path(String text) {
    return NativePath.of(bytes(text));
  }
}
