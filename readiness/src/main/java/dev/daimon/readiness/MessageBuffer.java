package dev.daimon.readiness;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The bytes of the next messages that have arrived: a pipe keeps the order, but no boundaries. */
final class MessageBuffer {
  private final byte[] bytes = new byte[MessageCodec.HEAD + MessageCodec.MAX_TEXT];
  private int count;

  /** How many more bytes fit before {@link #next()} is called again; never 0 after that call. */
  int space() {
    return bytes.length - count;
  }

  /** Adds bytes that have arrived: the first ones of an array. */
  void add(byte[] arrived, int length) {
    System.arraycopy(arrived, 0, bytes, count, length);
    count += length;
  }

  /** Removes and returns the first message; null if not all of it has arrived. */
  @Nullable Message next() throws PosixException {
    if (count < MessageCodec.HEAD) {
      return null;
    }
    int length = MessageCodec.HEAD + (((bytes[2] & 0xff) << 8) | (bytes[3] & 0xff));
    if (length > bytes.length) {
      throw notAMessage();
    }
    if (count < length) {
      return null;
    }
    byte[] first = Arrays.copyOf(bytes, length);
    count -= length;
    System.arraycopy(bytes, length, bytes, 0, count);
    return decode(first);
  }

  private static Message decode(byte[] message) throws PosixException {
    int length = message.length - MessageCodec.HEAD;
    String text = new String(message, MessageCodec.HEAD, length, StandardCharsets.UTF_8);
    return switch (message[0]) {
      case 'S' -> new Message.Status(text);
      case 'R' -> new Message.Ready();
      case 'F' -> new Message.Failed(Math.max(1, message[1] & 0xff), text);
      default -> throw notAMessage();
    };
  }

  private static PosixException notAMessage() {
    return new PosixException("read", "an invalid message", Errno.EINVAL);
  }
}
