package dev.daimon.startup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.daimon.posix.NativePath;
import dev.daimon.testing.NearlyValid;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DaemonNameTest {
  private static final DaemonDirectories DIRECTORIES =
      new DaemonDirectories(Path.of("/r"), Path.of("/l"), Path.of("/d"), Path.of("/s"));

  @ParameterizedTest
  @CsvSource({
    "'', '', it is empty",
    "., ., that is a directory",
    ".., .., that is a directory",
    "-p, -p, it begins with a dash",
    "a/b, a/b, it has a slash",
    "../x, ../x, it has a slash",
    "'a\nb', a?b, it has a character that is not visible",
    "'a\u0000b', a?b, it has a character that is not visible",
    "'a\u202Eb', a?b, it has a character that is not visible",
    "'a\uFFFDb', 'a\uFFFDb', it has a character that is not visible",
  })
  void whatNoFileOfItsOwnMayBeCalledIsNoName(String text, String shown, String reason) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DaemonName(text))
        .withMessage("\"" + shown + "\" cannot be a daemon's name: " + reason);
  }

  @Test
  void theLongestNameHasTwoHundredBytes() {
    assertThat(new DaemonName("ü".repeat(100)).text()).hasSize(100);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DaemonName("ü".repeat(100) + "x"))
        .withMessageEndingWith("it is longer than 200 bytes");
  }

  @Test
  @Tag("torture")
  void whatIsNearlyANameIsOneIfTheGrammarSaysSo() throws Exception {
    NearlyValid.of("web", "a.b", "f\u00c3\u00bcr alle", "x".repeat(200), "...", "web@2")
        .check(input -> {
          String text = new String(input, StandardCharsets.UTF_8);
          boolean valid =
              text.matches("(?!-|\\.{1,2}$)[^/\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\uFFFD]+")
                  && text.getBytes(StandardCharsets.UTF_8).length <= 200;
          try {
            assertThat(new DaemonName(text).text()).isEqualTo(text);
            assertThat(valid).isTrue();
          } catch (IllegalArgumentException refused) {
            assertThat(valid).isFalse();
          }
          return valid;
        });
  }

  /** Any text: what is accepted stays in its directory, and what is refused is told on one line. */
  @Property
  void theFilesOfANameAreInTheirDirectories(@ForAll("texts") String text) {
    DaemonName name;
    try {
      name = new DaemonName(text);
    } catch (IllegalArgumentException refused) {
      assertThat(refused.getMessage().codePoints().filter(Character::isISOControl)).isEmpty();
      return;
    }
    for (Path file :
        List.of(
            DIRECTORIES.pidFile(name),
            DIRECTORIES.log(name),
            DIRECTORIES.definition(name),
            DIRECTORIES.record(name))) {
      byte[] bytes = NativePath.bytes(file);
      int slash = "/x".length();
      assertThat(bytes[slash]).isEqualTo((byte) '/');
      byte[] last = Arrays.copyOfRange(bytes, slash + 1, bytes.length);
      assertThat(last).doesNotContain('/', 0, '\n').hasSizeLessThanOrEqualTo(255);
      assertThat(new String(last, StandardCharsets.UTF_8)).startsWith(text + ".");
      assertThat(file.normalize()).isEqualTo(file);
      assertThat(file.getNameCount()).isEqualTo(2);
    }
  }

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.oneOf(
        Arbitraries.strings().ofMaxLength(210),
        Arbitraries.strings().withChars("a.-/ü \n\u0000%?").ofMaxLength(8),
        Arbitraries.strings().alpha().numeric().withChars("._-@:ä€").ofMaxLength(80));
  }
}
