package dev.daimon.pidfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExampleTest {
  @TempDir Path directory;

  @Test
  void aProcessNamesItself() throws Exception {
    Path path = directory.resolve("x.pid");

    assertThat(Example.write(path)).isEqualTo(ProcessHandle.current().pid());

    assertThat(path).hasContent(ProcessHandle.current().pid() + "\n");
  }

  @Test
  void aProgramThatIsStartedIsNamed() throws Exception {
    Path path = directory.resolve("x.pid");
    Process process = Example.prepare(path, new ProcessBuilder("sleep", "1000"));
    try {
      assertThat(path).hasContent(process.pid() + "\n");
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void aProgramThatCannotBeStartedLeavesNothing() {
    assertThatThrownBy(
            () -> Example.prepare(directory.resolve("x.pid"), new ProcessBuilder("/no/such")))
        .hasMessageContaining("/no/such");

    assertThat(directory).isEmptyDirectory();
  }
}
