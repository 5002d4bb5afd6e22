package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.Signal;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.testing.NullRule;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @Test
  void nullIsRefusedByName(@TempDir Path directory) throws Exception {
    DaemonConfig.Builder builder =
        DaemonConfig.builder().pidFile(directory.resolve("pid")).simulate(true);
    try (Daemon daemon = Daemonizer.daemonize(builder.build())) {
      NullRule rule =
          new NullRule(
              daemon,
              builder,
              builder.build(),
              Descriptor.adopt(99),
              ResourceLimit.parse("core=0"),
              new LaunchedDaemon(1, 0, ""),
              Signal.HUP);

      assertThat(rule.violations(Daemon.class)).isEmpty();
    }
  }

  @Test
  @SuppressWarnings("NullAway")
  void noListOfASetterHasANullInIt() {
    DaemonConfig.Builder builder = DaemonConfig.builder();

    assertThatThrownBy(() -> builder.groups("x", null)).hasMessage("groups");
    assertThatThrownBy(() -> builder.jvmArguments("-x", null)).hasMessage("arguments");
    assertThat(builder.build().settings.groups).isNull();
  }

  @Test
  @SuppressWarnings("NullAway")
  void noFailureTakesNull() {
    assertThatThrownBy(() -> new StartException(Reason.FILE, (String) null)).hasMessage("message");
    assertThatThrownBy(() -> new StartException(Reason.FILE, (Exception) null)).hasMessage("cause");
    assertThatThrownBy(() -> new StartException(null, "x")).hasMessage("reason");
  }
}
