package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.NullRule;
import org.junit.jupiter.api.Test;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @Test
  void nullIsRefusedByName() throws Exception {
    NullRule rule =
        new NullRule(Signal.HUP, Errno.EPERM, Resource.CORE, Descriptor.adopt(99), new Exception());

    assertThat(rule.violations(Signal.class)).isEmpty();
  }
}
