package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ErrnoTest {
  @ParameterizedTest
  @CsvSource({
    "1, EPERM, Operation not permitted",
    "2, ENOENT, No such file or directory",
    "11, EAGAIN, Resource temporarily unavailable",
    "133, EHWPOISON, Memory page has hardware error",
  })
  void namesAndDescriptionsAreTheCLibrarys(int number, String name, String description) {
    assertThat(Errno.of(number).number()).isEqualTo(number);
    assertThat(Errno.of(number).name()).isEqualTo(name);
    assertThat(Errno.of(number).description()).isEqualTo(description);
  }

  @Test
  void aNumberThatTheCLibraryDoesNotKnowIsAnErrorAllTheSame() {
    assertThat(Errno.of(4000)).hasToString("unknown error (errno 4000, 4000)");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4095})
  void everyNumberThatTheKernelMayReturnIsTaken(int number) {
    assertThat(Errno.of(number).number()).isEqualTo(number);
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 4096})
  void aNumberThatTheKernelCannotReturnIsRefused(int number) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Errno.of(number))
        .withMessage("not an error number: " + number);
  }

  @Test
  void errorsOfOneNumberAreEqual() {
    assertThat(Errno.of(2)).isEqualTo(Errno.ENOENT).hasSameHashCodeAs(Errno.ENOENT);
    assertThat(Errno.ENOENT).isNotEqualTo(Errno.EPERM).isNotEqualTo(2);
  }

  @Test
  void theTextHoldsDescriptionNameAndNumber() {
    assertThat(Errno.ENOENT).hasToString("No such file or directory (ENOENT, 2)");
  }
}
