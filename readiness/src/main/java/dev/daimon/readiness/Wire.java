package dev.daimon.readiness;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.nio.charset.StandardCharsets;

/** Messages as bytes. */
final class Wire {
  /** The longest text that is sent, in bytes of UTF-8; a longer one is cut off. */
  static final int MAX_TEXT = 8192;

  private Wire() {}

  /** The bytes of a message: its letter, an exit code, and a text. */
  static byte[] encode(char letter, int exitCode, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    int length = utf8.length;
    if (length > MAX_TEXT) {
      length = MAX_TEXT;
      // Not in the midst of a character.
      while ((utf8[length] & 0xc0) == 0x80) {
        length--;
      }
    }
    byte[] bytes = new byte[2 + length];
    bytes[0] = (byte) letter;
    bytes[1] = (byte) exitCode;
    System.arraycopy(utf8, 0, bytes, 2, length);
    return bytes;
  }

  /** The message of the first bytes of a buffer; of none, the end. */
  static Message decode(byte[] bytes, int length) throws PosixException {
    if (length == 0) {
      return new Message.Ended();
    }
    if (length >= 2) {
      String text = new String(bytes, 2, length - 2, StandardCharsets.UTF_8);
      if (bytes[0] == 'S') {
        return new Message.Status(text);
      }
      if (bytes[0] == 'R') {
        return new Message.Ready();
      }
      if (bytes[0] == 'F') {
        return new Message.Failed(Math.max(1, bytes[1] & 0xff), text);
      }
    }
    throw new PosixException("recv", "a message that no daemon sends", Errno.EINVAL);
  }
}
