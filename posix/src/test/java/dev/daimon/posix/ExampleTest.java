package dev.daimon.posix;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.call.Files;
import org.junit.jupiter.api.Test;

/** The example of the package's documentation works. */
class ExampleTest {
  @Test
  void aFailedCallTellsItsErrorAndItsSubject() throws Exception {
    int number = Files.open("/dev/null".getBytes(US_ASCII), Files.O_RDONLY | Files.O_CLOEXEC, 0);

    assertThat(Example.close(Descriptor.adopt(number))).isEqualTo("closed");
    // Above all numbers that another thread could open meanwhile.
    assertThat(Example.close(Descriptor.adopt(Integer.MAX_VALUE)))
        .isEqualTo("other code has closed descriptor " + Integer.MAX_VALUE);
  }
}
