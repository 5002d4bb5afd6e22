package dev.daimon.startup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.daimon.forking.Child;
import dev.daimon.posix.Signal;
import dev.daimon.startup.StartException.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExampleTest {
  @Test
  void theExampleStartsOneProgram(@TempDir Path directory) throws Exception {
    Path pidFile = directory.resolve("pid");
    Path log = directory.resolve("log");
    Child child = Example.start(pidFile, log);
    try {
      assertThat(Files.readString(pidFile)).isEqualTo(child.pid() + "\n");
      assertThatExceptionOfType(StartException.class)
          .isThrownBy(() -> Example.start(pidFile, log))
          .satisfies(failure -> assertThat(failure.reason()).isEqualTo(Reason.ALREADY_RUNNING));
    } finally {
      child.signal(Signal.KILL);
      child.waitFor();
    }
  }
}
