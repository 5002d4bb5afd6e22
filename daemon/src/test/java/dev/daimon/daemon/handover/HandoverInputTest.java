package dev.daimon.daemon.handover;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.daimon.posix.Descriptor;
import dev.daimon.startup.PendingChown;
import dev.daimon.testing.NearlyValid;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a launcher hands over, as bytes. The descriptors that are made of it are never closed. */
class HandoverInputTest {
  private static byte[] encoded(@Nullable Descriptor pidFile, Map<String, Descriptor> kept) {
    return new Handover(
            Path.of("/srv/web"),
            List.of("pidFile=/run/web.pid", "user=für"),
            pidFile,
            /* lockFile= */ null,
            Descriptor.adopt(2_147_483_647),
            /* standardError= */ null,
            kept,
            List.of(new PendingChown(Path.of("/run/web.pid"), Descriptor.adopt(5))))
        .encode();
  }

  private static byte[] least() {
    return new Handover(Path.of("/"), List.of(), null, null, null, null, Map.of(), List.of())
        .encode();
  }

  @Test
  void nothingFollowsTheEnd() {
    byte[] longer = Arrays.copyOf(least(), least().length + 1);

    assertThatIllegalStateException()
        .isThrownBy(() -> Handover.decode(longer))
        .havingCause()
        .withMessage("something follows the end");
  }

  @Test
  void noListIsShorterThanEmpty() {
    byte[] negative = least();
    negative[negative.length - 4] = (byte) 0xff;

    assertThatIllegalStateException()
        .isThrownBy(() -> Handover.decode(negative))
        .havingCause()
        .withMessage("a negative count: -16777216");
  }

  @Test
  void aNameHasOneDescriptor() {
    byte[] twice = encoded(null, Map.of("a", Descriptor.adopt(7), "b", Descriptor.adopt(8)));
    for (int i = 0; i < twice.length; i++) {
      twice[i] = twice[i] == 'b' ? (byte) 'a' : twice[i];
    }

    assertThatIllegalStateException()
        .isThrownBy(() -> Handover.decode(twice))
        .havingCause()
        .withMessage("two descriptors are called a");
  }

  @Test
  @Tag("torture")
  void whatIsDecodedIsWhatTheFormatSays() throws Exception {
    NearlyValid.of(
            least(),
            encoded(Descriptor.adopt(5), Map.of()),
            encoded(
                Descriptor.adopt(3), Map.of("db", Descriptor.adopt(7), "", Descriptor.adopt(8))))
        .check(input -> {
          Handover decoded;
          try {
            decoded = Handover.decode(input);
          } catch (IllegalStateException refused) {
            assertThat(expected(input)).isNull();
            return false;
          }
          assertThat(inWords(decoded)).isEqualTo(expected(input));
          assertThat(inWords(Handover.decode(decoded.encode()))).isEqualTo(inWords(decoded));
          return true;
        });
  }

  private static String inWords(Handover handover) {
    StringBuilder words = new StringBuilder();
    words.append(handover.launchDirectory.toString().length() > 0).append(handover.settings);
    words.append(handover.pidFile).append(handover.lockFile);
    words.append(handover.earlyErrors).append(handover.standardError);
    handover.kept.forEach((name, descriptor) -> words.append(name).append(descriptor));
    for (PendingChown pending : handover.pendingChowns) {
      words.append(pending.descriptor());
    }
    return words.toString();
  }

  /** The format, written once more; null for what is not of it. */
  private static String expected(byte[] input) {
    ByteBuffer in = ByteBuffer.wrap(input);
    try {
      StringBuilder words = new StringBuilder();
      requirePath(text(in));
      words.append(true).append('[');
      int settings = count(in);
      for (int i = 0; i < settings; i++) {
        words.append(i == 0 ? "" : ", ").append(new String(text(in), UTF_8));
      }
      words.append(']');
      for (int i = 0; i < 4; i++) {
        words.append(descriptor(in));
      }
      Map<String, String> kept = new LinkedHashMap<>();
      for (int i = count(in); i > 0; i--) {
        String name = new String(text(in), UTF_8);
        if (kept.put(name, present(descriptor(in))) != null) {
          return null;
        }
      }
      kept.forEach((name, descriptor) -> words.append(name).append(descriptor));
      for (int i = count(in); i > 0; i--) {
        requirePath(text(in));
        words.append(present(descriptor(in)));
      }
      return in.hasRemaining() ? null : words.toString();
    } catch (BufferUnderflowException | IllegalArgumentException wrong) {
      return null;
    }
  }

  private static void requirePath(byte[] bytes) {
    String text = NearlyValid.text(bytes);
    if (!text.startsWith("/") || text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("no path");
    }
  }

  private static int count(ByteBuffer in) {
    int count = in.getInt();
    if (count < 0) {
      throw new IllegalArgumentException("no count");
    }
    return count;
  }

  private static byte[] text(ByteBuffer in) {
    int length = count(in);
    if (length > in.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  private static String descriptor(ByteBuffer in) {
    int number = in.getInt();
    if (number != -1 && number < 3) {
      throw new IllegalArgumentException("no descriptor");
    }
    return number == -1 ? "null" : "descriptor " + number;
  }

  private static String present(String descriptor) {
    if (descriptor.equals("null")) {
      throw new IllegalArgumentException("none");
    }
    return descriptor;
  }
}
