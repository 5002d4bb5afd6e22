package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class CleanupTest {
  private final IOException failure = new IOException("first");
  private boolean closed;

  @Test
  void aResourceThatClosesAddsNothing() {
    Cleanup.close(() -> closed = true, failure);

    assertThat(closed).isTrue();
    assertThat(failure).hasNoSuppressedExceptions();
  }

  @Test
  void aFailedCloseIsAddedToTheFirstFailure() {
    IOException second = new IOException("second");

    Cleanup.close(
        () -> {
          throw second;
        },
        failure);

    assertThat(failure).hasSuppressedException(second);
  }

  @Test
  void anErrorDoesNotHideTheFirstFailureEither() {
    Error second = new StackOverflowError();

    Cleanup.close(() -> throwAgain(second), failure);
    Cleanup.close(() -> throwAgain(second), second);

    assertThat(failure).hasSuppressedException(second);
    assertThat(second).hasNoSuppressedExceptions();
  }

  private static void throwAgain(Error error) {
    throw error;
  }

  @Test
  void theFirstFailureIsKeptAndTheOthersAreAddedToIt() {
    IOException second = new IOException("second");

    assertThat(Cleanup.first(null, failure)).isSameAs(failure);
    assertThat(Cleanup.first(failure, second)).isSameAs(failure).hasSuppressedException(second);
  }
}
