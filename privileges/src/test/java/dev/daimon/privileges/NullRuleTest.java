package dev.daimon.privileges;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.testing.NullRule;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @TempDir private Path directory;

  @Test
  void nullIsRefusedByName() throws Exception {
    Identity identity = Identity.of("#0", null);
    try (TrustedFile.Pending pending =
        TrustedFile.prepare(directory.toRealPath().resolve("file"), new byte[0])) {
      NullRule rule =
          new NullRule(
              identity,
              PrivilegeDrop.to(identity),
              PrivilegeDrop.builder(),
              pending,
              ResourceLimit.parse("core=0"),
              Descriptor.adopt(99));

      assertThat(rule.violations(Identity.class)).isEmpty();
    }
  }
}
