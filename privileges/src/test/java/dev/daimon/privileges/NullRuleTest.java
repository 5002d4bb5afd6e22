package dev.daimon.privileges;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.testing.NullRule;
import org.junit.jupiter.api.Test;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @Test
  void nullIsRefusedByName() throws Exception {
    Identity identity = Identity.of("#0", null);
    NullRule rule =
        new NullRule(
            identity,
            PrivilegeDrop.to(identity),
            PrivilegeDrop.builder(),
            ResourceLimit.parse("core=0"),
            Descriptor.adopt(99));

    assertThat(rule.violations(Identity.class)).isEmpty();
  }
}
