package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ColumnsTest {
  @ParameterizedTest
  @CsvSource({
    "web, 3",
    "ü, 1",
    "u\u0308, 1",
    "日本語, 6",
    "ｱ, 1",
    "Ａ, 2",
    "한국, 4",
    "\uD83D\uDE80, 2",
    "Ж, 1",
    "'', 0"
  })
  void aTextTakesSoManyColumns(String text, int columns) {
    assertThat(Columns.of(text)).isEqualTo(columns);
  }

  @Test
  void aTextIsCutBetweenTwoCharacters() {
    assertThat(Columns.end("a日本", 0, 3)).isEqualTo(2);
    assertThat(Columns.end("a日本", 0, 4)).isEqualTo(2);
    assertThat(Columns.end("a日本", 0, 5)).isEqualTo(3);
    assertThat(Columns.end("a日本", 1, 2)).isEqualTo(2);
    assertThat(Columns.end("u\u0308x", 0, 1)).isEqualTo(2);
  }
}
