package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ErrorTextTest {
  @ParameterizedTest
  @CsvSource({
    "1, EPERM, Operation not permitted",
    "95, EOPNOTSUPP, Operation not supported",
    "41, errno 41, unknown error",
    "134, errno 134, unknown error",
    "-1, errno -1, unknown error",
    "2147483647, errno 2147483647, unknown error",
  })
  void anErrorHasTheCLibrarysNameOrItsNumber(int number, String name, String description) {
    assertThat(ErrorText.name(number)).isEqualTo(name);
    assertThat(ErrorText.description(number)).isEqualTo(description);
  }

  @ParameterizedTest
  @ValueSource(strings = {"C", "C.UTF-8", "de_DE.UTF-8"})
  void theTextIsTheSameInEveryLocale(String locale) throws Exception {
    assertThat(ChildJvm.of(Print.class).startedBy("env", "LC_ALL=" + locale).run().output())
        .isEqualTo("Permission denied");
  }

  static final class Print {
    public static void main(String[] args) {
      System.out.println(ErrorText.description(13));
    }
  }
}
