package dev.daimon.pidfile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.testing.NullRule;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @Test
  void nullIsRefusedByName() throws Exception {
    NullRule rule = new NullRule(PidFile.at(Path.of("/x")), Descriptor.adopt(99));

    assertThat(rule.violations(PidFile.class)).isEmpty();
  }
}
