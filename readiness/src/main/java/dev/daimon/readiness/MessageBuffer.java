package dev.daimon.readiness;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What has arrived of the next messages: a pipe keeps bytes in order, and knows no messages. */
final class MessageBuffer {
  private final byte[] bytes = new byte[MessageCodec.HEAD + MessageCodec.MAX_TEXT];
  private int count;

  /** How many more bytes may arrive before {@link #next()} is asked again; never 0 after it. */
  int space() {
    return bytes.length - count;
  }

  /** The first bytes of an array have arrived. */
  void add(byte[] arrived, int length) {
    System.arraycopy(arrived, 0, bytes, count, length);
    count += length;
  }

  /** Takes out the first message; null if not all of it has arrived. */
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
    return new PosixException("read", "a message that no daemon sends", Errno.EINVAL);
  }
}
