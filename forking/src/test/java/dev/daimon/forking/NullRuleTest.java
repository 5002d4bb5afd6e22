package dev.daimon.forking;

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
    Program program = Program.at(Path.of("/bin/true"));
    Child child = program.spawn();
    child.waitFor();
    try (Detached detached = program.detach(ThisProcess.MAX_UMASK);
        MemoryFile memory = MemoryFile.create("x", 1);
        OutputFile output = OutputFile.open(directory.resolve("output"))) {
      NullRule rule =
          new NullRule(
              program,
              child,
              detached,
              memory,
              output,
              StandardStream.ERROR,
              Environment.current(),
              Descriptor.adopt(99));

      assertThat(rule.violations(Program.class)).isEmpty();
    }
  }
}
