package dev.daimon.forking;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of the package's documentation work. */
class ExampleTest {
  @TempDir Path directory;

  @Test
  void aDaemonIsStarted() throws Exception {
    Path log = directory.resolve("log");
    long pid = Example.startDaemon(log);
    ProcessHandle daemon = ProcessHandle.of(pid).orElseThrow();
    try {
      assertThat(daemon.parent().map(ProcessHandle::pid))
          .isNotEqualTo(java.util.Optional.of(ProcessHandle.current().pid()));
      assertThat(log).isEmptyFile();
    } finally {
      daemon.destroyForcibly();
      daemon.onExit().get(1, TimeUnit.MINUTES);
    }
  }

  @Test
  void aChildIsRunAndWaitedFor() throws Exception {
    assertThat(Example.runChild()).isEqualTo(3);
  }
}
