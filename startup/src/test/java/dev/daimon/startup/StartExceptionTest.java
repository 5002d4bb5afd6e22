package dev.daimon.startup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class StartExceptionTest {
  @ParameterizedTest
  @EnumSource
  void everyReasonHasItsExitCode(Reason reason) {
    int exitCode =
        switch (reason) {
          case CANNOT_TELL -> 4;
          case CONFIGURATION -> 64;
          case PROGRAM -> 66;
          case ACCOUNT -> 67;
          case ALREADY_RUNNING -> 69;
          case DAEMON_FAILED -> 70;
          case SYSTEM -> 71;
          case FILE -> 73;
          case TIMEOUT -> 75;
          case PERMISSION -> 77;
        };

    StartException failure = new StartException(reason, "why");

    assertThat(failure.reason()).isEqualTo(reason);
    assertThat(failure.exitCode()).isEqualTo(exitCode);
    assertThat(failure).hasMessage("why");
  }

  @Test
  void aFailureByAnotherOneHasItsMessage() {
    IOException cause = new IOException("no space");

    StartException failure = new StartException(Reason.FILE, cause);

    assertThat(failure).hasMessage("no space").hasCause(cause);
    assertThat(failure.reason()).isEqualTo(Reason.FILE);
    assertThat(failure.exitCode()).isEqualTo(73);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 255})
  void aDaemonMayHaveAnExitCodeOfItsOwn(int exitCode) {
    StartException failure = new StartException(Reason.DAEMON_FAILED, exitCode, "why");

    assertThat(failure).hasMessage("why");
    assertThat(failure.reason()).isEqualTo(Reason.DAEMON_FAILED);
    assertThat(failure.exitCode()).isEqualTo(exitCode);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 256, 512})
  void noFailureLooksLikeSuccess(int exitCode) {
    assertThatThrownBy(() -> new StartException(Reason.DAEMON_FAILED, exitCode, "why"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no exit code of a failure: " + exitCode);
  }
}
