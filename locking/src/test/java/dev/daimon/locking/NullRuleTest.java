package dev.daimon.locking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.testing.NullRule;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @Test
  void nullIsRefusedByName(@TempDir Path directory) throws Exception {
    Path path = directory.resolve("lock");
    try (SingletonLock lock = SingletonLock.acquire(path);
        LockedFile file = LockedFile.open(path).orElseThrow()) {
      NullRule rule = new NullRule(lock, file, Descriptor.adopt(99));

      assertThat(rule.violations(SingletonLock.class)).isEmpty();
    }
  }
}
