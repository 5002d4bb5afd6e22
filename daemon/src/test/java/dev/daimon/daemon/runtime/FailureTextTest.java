package dev.daimon.daemon.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class FailureTextTest {
  /** A program's exception whose own method fails. */
  private static final class Wordless extends RuntimeException {
    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
      throw new IllegalStateException();
    }
  }

  private static IOException port() {
    return new IOException("no port");
  }

  static List<Arguments> failures() {
    return List.of(
        Arguments.of(port(), "java.io.IOException: no port"),
        Arguments.of(new IOException(), "java.io.IOException"),
        Arguments.of(
            new IllegalStateException("no server", new IOException(" ")),
            "java.lang.IllegalStateException: no server: java.io.IOException:"),
        Arguments.of(
            new IllegalStateException("no server", port()),
            "java.lang.IllegalStateException: no server: java.io.IOException: no port"),
        Arguments.of(
            new IllegalStateException(port()),
            "java.lang.IllegalStateException: java.io.IOException: no port"),
        Arguments.of(
            new IllegalStateException("no server: no port", port()),
            "java.lang.IllegalStateException: no server: no port"),
        Arguments.of(
            new IllegalStateException("no shard 17", new ArithmeticException("7")),
            "java.lang.IllegalStateException: no shard 17: java.lang.ArithmeticException: 7"),
        Arguments.of(new Wordless(), "dev.daimon.daemon.runtime.FailureTextTest$Wordless"),
        Arguments.of(
            new UncheckedIOException("x", new IOException(port())),
            "java.io.UncheckedIOException: x: java.io.IOException: java.io.IOException: no port"),
        Arguments.of(
            new ExceptionInInitializerError(port()),
            "java.lang.ExceptionInInitializerError: java.io.IOException: no port"),
        Arguments.of(new InvocationTargetException(port()), "java.io.IOException: no port"),
        Arguments.of(new StartException(Reason.FILE, "no file"), "no file"),
        Arguments.of(new StartException(Reason.FILE, port()), "no port"),
        Arguments.of(
            new StartException(Reason.FILE, new IOException("no log", port())),
            "no log: java.io.IOException: no port"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void everyCauseIsToldOnce(Throwable failure, String text) {
    assertThat(FailureText.of(failure)).isEqualTo(text);
  }

  @Test
  void aCircleAndAFloodOfWordsHaveAnEnd() {
    IOException first = new IOException("x".repeat(10_000));
    first.initCause(new IllegalStateException("y", first));

    assertThat(FailureText.of(first)).hasSizeLessThan(1100).endsWith("IllegalStateException: y");
    assertThat(FailureText.trace(first).lines()).hasSizeLessThan(60);
  }
}
