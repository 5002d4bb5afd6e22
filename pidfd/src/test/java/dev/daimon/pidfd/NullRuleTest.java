package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import dev.daimon.testing.NullRule;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @Test
  void nullIsRefusedByName() throws Exception {
    ResourceUsage usage = new ResourceUsage(Duration.ZERO, Duration.ZERO, 0, 0, 0, 0, 0);
    ProcessHandle self = ProcessHandle.current();
    try (PidFd handle = PidFd.open(self.pid());
        EventWait wait = EventWait.open()) {
      NullRule rule = new NullRule(handle, self, usage, Signal.HUP, wait);

      assertThat(rule.violations(PidFd.class)).isEmpty();
    }
  }
}
