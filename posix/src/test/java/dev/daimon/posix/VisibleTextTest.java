package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VisibleTextTest {
  @ParameterizedTest
  @ValueSource(
      ints = {
        0x00, 0x07, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x061c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029,
        0x202a, 0x202e, 0x2066, 0x2069, 0xd800, 0xdfff, 0xfeff, 0xfff9, 0xe0001, 0xe007f
      })
  void whatDoesSomethingToTheTextAroundItIsReplaced(int point) {
    String text = "a" + Character.toString(point) + "b";

    assertThat(VisibleText.isHidden(point)).isTrue();
    assertThat(VisibleText.line(text)).isEqualTo("a?b");
    assertThat(VisibleText.lines(text)).isEqualTo("a?b");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "plain ~",
        "w\u00f6rker",
        "\u0645\u0631\u062d\u0628\u0627",
        "\ud83d\ude00 e\u0301"
      })
  void whatIsToBeReadStays(String text) {
    assertThat(VisibleText.line(text)).isEqualTo(text);
    assertThat(VisibleText.lines(text)).isEqualTo(text);
  }

  @Test
  void linesAndTabsStayWhereLinesAreMeant() {
    assertThat(VisibleText.line("a\n\tb\rc")).isEqualTo("a??b?c");
    assertThat(VisibleText.lines("a\n\tb\rc")).isEqualTo("a\n\tb?c");
  }
}
