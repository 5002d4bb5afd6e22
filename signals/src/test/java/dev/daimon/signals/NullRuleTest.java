package dev.daimon.signals;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import dev.daimon.testing.NullRule;
import org.junit.jupiter.api.Test;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @Test
  void nullIsRefusedByName() throws Exception {
    try (SignalEvents events = new SignalEvents()) {
      NullRule rule = new NullRule(events, Signal.HUP);

      assertThat(rule.violations(Kill.class)).isEmpty();
    }
  }
}
