package dev.daimon.consumers;

import dev.daimon.testing.Jdk;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.junit.jupiter.api.Tag;

/** The programs, run by the newest JDK of this machine. */
@Tag("newer-jdk")
class NewerJdkIT extends Programs {
  @Override
  Jdk jdk() {
    try {
      return Jdk.installed().stream()
          .filter(jdk -> jdk.feature() > 25)
          .reduce((_, newer) -> newer)
          .orElseThrow(() -> new AssertionError("no JDK newer than 25"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
