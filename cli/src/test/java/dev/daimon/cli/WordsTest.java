package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.testing.NearlyValid;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WordsTest {
  /** Words of any bytes but NUL; and of those that mean something. */
  @Provide
  Arbitrary<List<String>> words() {
    Arbitrary<String> any = Arbitraries.strings().withCharRange('\u0001', '\u00ff').ofMaxLength(8);
    Arbitrary<String> special =
        Arbitraries.strings()
            .withChars(" \t\n\r\u001b'\"\\#x0nt$~*\u00c3\u00a4\u0080")
            .ofMaxLength(8);
    return Arbitraries.oneOf(any, special).list().ofMaxSize(6);
  }

  @Property
  void anyWordsAreReadAsTheyWereWritten(@ForAll("words") List<String> words) {
    assertThat(Words.split(Words.join(words))).isEqualTo(words);
  }

  /** What is written is one line, safe to print, and does not begin as a comment does. */
  @Property
  void writtenWordsAreVisible(@ForAll("words") List<String> words) {
    String line = Words.join(words);

    assertThat(line).doesNotStartWith("#");
    assertThat(Text.readable(line).codePoints())
        .allMatch(c -> isKept(words, c) || (c >= ' ' && !(c >= 0x7f && c < 0xa0) && c != '\ufffd'));
  }

  /** The replacement character itself may be in a word, as the bytes of its UTF-8. */
  private static boolean isKept(List<String> words, int c) {
    return c == '\ufffd' && String.join("", words).contains("\u00ef\u00bf\u00bd");
  }

  /** The grammar, as regular expressions: a word, and a line of them. */
  private static final String WORD =
      "(?:[^\\x00-\\x20\\x7f'\"\\\\]"
          + "|\\\\(?:[\"\\\\ntre ]|x(?!00)[0-9a-fA-F]{2})"
          + "|'[^\\x00-\\x08\\x0a-\\x1f\\x7f']*'"
          + "|\"(?:[^\\x00-\\x08\\x0a-\\x1f\\x7f\"\\\\]"
          + "|\\\\(?:[\"\\\\ntre]|x(?!00)[0-9a-fA-F]{2}))*+\")++";

  private static final Pattern LINE =
      Pattern.compile("[ \t]*+(?:" + WORD + "(?:[ \t]++|$))*+", Pattern.DOTALL);

  @Test
  @Tag("torture")
  void whatIsNearlyALineIsOneIfTheGrammarSaysSo() throws Exception {
    NearlyValid.of(
            "/usr/bin/web -g 'daemon off;' '#' \"f\u00c3\u00bcr \\n\\xff\"",
            " a\\ b\tc'd 'e\"f \" ''",
            "user web",
            "\\e\\x7e\\\\")
        .check(input -> {
          String line = NearlyValid.text(input);
          boolean valid = LINE.matcher(line).matches();
          try {
            List<String> words = Words.split(line);
            assertThat(valid).isTrue();
            assertThat(Words.split(Words.join(words))).isEqualTo(words);
          } catch (IllegalArgumentException refused) {
            assertThat(valid).isFalse();
            assertThat(refused).hasMessageStartingWith("column ");
          }
          return valid;
        });
  }

  @Test
  void blanksSeparateWords() {
    assertThat(Words.split(" \ta  b\tc ")).containsExactly("a", "b", "c");
    assertThat(Words.split(" \t")).isEmpty();
  }

  @Test
  void quotesKeepBlanksAndJoinWhatTouches() {
    assertThat(Words.split("a'b \\n\"c'\"d 'e\"f '' \"\""))
        .containsExactly("ab \\n\"cd 'ef", "", "");
  }

  @Test
  void escapesStandOutsideOfQuotesToo() {
    assertThat(Words.split("\\ a\\\\\\\"\\n\\t\\r\\e\\x7e \"\\x41\\n\""))
        .containsExactly(" a\\\"\n\t\r\u001b~", "A\n");
  }

  @Test
  void nothingElseMeansAnything() {
    assertThat(Words.split("$HOME ~ * # {a,b} `id` ; | &"))
        .containsExactly("$HOME", "~", "*", "#", "{a,b}", "`id`", ";", "|", "&");
  }

  @Test
  void plainWordsAndUtf8AreWrittenReadably() {
    String umlaut = Text.ofBytes("für alle\n\u202e".getBytes(StandardCharsets.UTF_8));

    assertThat(Words.join(List.of("/usr/bin/web", "-g", "daemon off;", "#", umlaut, "\u00ff")))
        .isEqualTo(
            "/usr/bin/web -g 'daemon off;' '#' \""
                + Text.ofBytes("für".getBytes(StandardCharsets.UTF_8))
                + " alle\\n\\xe2\\x80\\xae\" \"\\xff\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "a 'b         | column 3: the quote ' is not closed",
        "a b\"c'd'    | column 4: the quote \" is not closed",
        "a \\$        | column 3: unknown escape",
        "a\\          | column 2: unknown escape",
        "\"\\ \"      | column 2: unknown escape",
        "a \\x0       | column 3: \\x wants two hexadecimal digits, and not 00",
        "a \\x00      | column 3: \\x wants two hexadecimal digits, and not 00",
        "a \\xg1      | column 3: \\x wants two hexadecimal digits, and not 00",
      })
  void whatIsWrongIsToldWithItsColumn(String line, String message) {
    assertThatThrownBy(() -> Words.split(line))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void controlCharactersAreRefused() {
    assertThatThrownBy(() -> Words.split("user web\r"))
        .hasMessage("column 9: a control character; in a word it is written \\x0d");
    assertThatThrownBy(() -> Words.split("a '\0'")).hasMessageStartingWith("column 4: ");
  }
}
