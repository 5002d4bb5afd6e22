package dev.daimon.readiness;

import java.nio.charset.StandardCharsets;

/** Encodes messages as bytes: a letter, an exit code, the length of a text, and the text. */
final class MessageCodec {
  /** The length of the part before the text, in bytes. */
  static final int HEAD = 4;

  /** The longest text that is sent, in bytes of UTF-8; a longer one is cut off. */
  static final int MAX_TEXT = 8192;

  /** The launcher's answer when it has named the daemon in the handshake. */
  static final byte NAMED = 'N';

  /** The launcher's answer when the daemon counts as started. */
  static final byte CONFIRMED = 'C';

  private MessageCodec() {}

  /** Returns the bytes of a message. */
  static byte[] encode(char letter, int exitCode, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    int length = utf8.length;
    if (length > MAX_TEXT) {
      length = MAX_TEXT;
      // Not in the middle of a character.
      while ((utf8[length] & 0xc0) == 0x80) {
        length--;
      }
    }
    byte[] bytes = new byte[HEAD + length];
    bytes[0] = (byte) letter;
    bytes[1] = (byte) exitCode;
    bytes[2] = (byte) (length >> 8);
    bytes[3] = (byte) length;
    System.arraycopy(utf8, 0, bytes, HEAD, length);
    return bytes;
  }
}
