package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import dev.daimon.testing.NullRule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @Test
  void nullIsRefusedByName(@TempDir Path directory) throws Exception {
    Path file = Files.createFile(directory.resolve("guard"));
    StopListener stops = (_, _, _, _) -> {};
    try (Guard guard = Guard.acquire(file, Duration.ZERO)) {
      NullRule rule =
          new NullRule(
              DaemonControl.of(directory.resolve("x.pid")),
              guard,
              stops,
              new ActionListener() {},
              StopPolicy.DEFAULT,
              DaemonStatus.State.DEAD,
              Outcome.OK,
              Signal.HUP);

      assertThat(rule.violations(DaemonControl.class)).isEmpty();
    }
  }
}
