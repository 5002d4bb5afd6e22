package dev.daimon.readiness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.testing.NearlyValid;
import dev.daimon.testing.Torture;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a daemon writes to its launcher, in whatever pieces it arrives. */
@Tag("torture")
class MessageInputTest {
  private static final int HEAD = 4;
  private static final int MAX_TEXT = 8192;

  private final Random random = Torture.random();

  @Test
  void bytesAreTheMessagesThatTheFormatSays() throws Exception {
    byte[] several =
        joined(
            MessageCodec.encode('S', 0, "loads"),
            MessageCodec.encode('S', 0, "für\nalle"),
            MessageCodec.encode('R', 0, ""));
    NearlyValid.of(
            MessageCodec.encode('R', 0, ""),
            MessageCodec.encode('F', 71, "no port"),
            MessageCodec.encode('S', 0, "x".repeat(MAX_TEXT)),
            several)
        .check(bytes -> {
          List<Object> expected = expected(bytes);
          assertThat(received(bytes)).isEqualTo(expected);
          return !expected.contains("invalid");
        });
  }

  private static byte[] joined(byte[]... parts) {
    byte[] joined = {};
    for (byte[] part : parts) {
      joined = Arrays.copyOf(joined, joined.length + part.length);
      System.arraycopy(part, 0, joined, joined.length - part.length, part.length);
    }
    return joined;
  }

  /** The messages, read as the launcher does it. */
  private List<Object> received(byte[] bytes) {
    List<Object> messages = new ArrayList<>();
    MessageBuffer buffer = new MessageBuffer();
    try {
      int from = 0;
      while (from < bytes.length) {
        assertThat(buffer.space()).isPositive();
        int count = Math.min(1 + random.nextInt(buffer.space()), bytes.length - from);
        buffer.add(Arrays.copyOfRange(bytes, from, from + count), count);
        from += count;
        Message message;
        while ((message = buffer.next()) != null) {
          messages.add(message);
        }
      }
    } catch (PosixException invalid) {
      assertThat(invalid.errno()).isEqualTo(Errno.EINVAL);
      messages.add("invalid");
    }
    return messages;
  }

  /** The format, written once more: a letter, an exit code, two bytes of length, the text. */
  private static List<Object> expected(byte[] bytes) {
    List<Object> messages = new ArrayList<>();
    int at = 0;
    while (at + HEAD <= bytes.length) {
      int length = Byte.toUnsignedInt(bytes[at + 2]) * 256 + Byte.toUnsignedInt(bytes[at + 3]);
      if (length > MAX_TEXT) {
        messages.add("invalid");
        return messages;
      }
      if (at + HEAD + length > bytes.length) {
        return messages;
      }
      String text = new String(bytes, at + HEAD, length, UTF_8);
      int exitCode = Byte.toUnsignedInt(bytes[at + 1]);
      switch (bytes[at]) {
        case 'S' -> messages.add(new Message.Status(text));
        case 'R' -> messages.add(new Message.Ready());
        case 'F' -> messages.add(new Message.Failed(exitCode == 0 ? 1 : exitCode, text));
        default -> {
          messages.add("invalid");
          return messages;
        }
      }
      at += HEAD + length;
    }
    return messages;
  }

  @Test
  void theNameOfASocketIsVisibleAsciiWithoutAColon() throws Exception {
    NearlyValid.of("web", "a b=c", "x".repeat(255), "!~", "f\u00c3\u00bcr")
        .check(input -> {
          String name = new String(input, UTF_8);
          boolean valid = name.matches("[ -9;-~]{1,255}");
          try {
            assertThat(ListenAddress.tcp(80, name).name()).isEqualTo(name);
            assertThat(valid).isTrue();
          } catch (IllegalArgumentException refused) {
            assertThat(valid).isFalse();
          }
          return valid;
        });
  }
}
