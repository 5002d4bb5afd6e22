package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SignalTest {
  @ParameterizedTest
  @CsvSource({"1, SIGHUP", "15, SIGTERM", "31, SIGSYS", "32, SIG32", "40, SIG40", "64, SIG64"})
  void aSignalIsNamedByTheCLibraryOrByItsNumber(int number, String name) {
    assertThat(Signal.of(number).number()).isEqualTo(number);
    assertThat(Signal.of(number).name()).isEqualTo(name);
    assertThat(Signal.of(number)).hasToString(name);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 65, Integer.MAX_VALUE})
  void aNumberThatIsNoSignalIsRefused(int number) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Signal.of(number))
        .withMessage("not a signal number: " + number);
  }

  @Test
  void signalsOfOneNumberAreEqual() {
    assertThat(Signal.of(15)).isEqualTo(Signal.TERM).hasSameHashCodeAs(Signal.TERM);
    assertThat(Signal.TERM).isNotEqualTo(Signal.KILL).isNotEqualTo(15);
  }
}
