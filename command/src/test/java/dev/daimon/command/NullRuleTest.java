package dev.daimon.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.daemon.DaemonConfig;
import dev.daimon.testing.NullRule;
import org.junit.jupiter.api.Test;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @Test
  void nullIsRefusedByName() throws Exception {
    NullRule rule = new NullRule(DaemonConfig.builder().build(), new String[] {"help"});

    assertThat(rule.violations(DaemonCommand.class)).isEmpty();
  }
}
