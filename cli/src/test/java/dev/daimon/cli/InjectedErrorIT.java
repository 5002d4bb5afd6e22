package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** If a system call fails right after a file was created, the file is removed again. */
class InjectedErrorIT {
  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @ParameterizedTest
  @CsvSource({
    // The first statx is of the new file, the second one of the file at its path.
    "-p, statx, 1, start",
    "-p, statx, 2, start",
    "-p, flock, 1, start",
    "-p, fallocate, 1, start",
    "-l, statx, 1, start",
    "-l, statx, 2, start",
    "-o, statx, 1, start",
    "-o, fcntl, 1, start",
    "-o, fcntl, 2, start",
    "-e, fcntl, 1, start",
    "-o, statx, 1, run",
    "-p, statx, 1, run",
  })
  @Tag("strace")
  void noFileStaysThatWasNotThereBefore(String option, String call, int when, String command)
      throws Exception {
    Path file = sandbox.file("file");

    ProcessSandbox.Result result =
        sandbox.run(
            List.of(
                "strace",
                "-D",
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-P",
                file.toString(),
                "-e",
                "trace=" + call,
                "-e",
                "inject=" + call + ":error=EIO:when=" + when,
                Sandbox.DAIMON.toString(),
                command,
                option,
                file.toString(),
                "--",
                "touch",
                sandbox.file("ran").toString()),
            Map.of());

    assertThat(result.exitCode()).as(result.err()).isIn(71, 73);
    assertThat(result.err()).contains("EIO");
    assertThat(sandbox.directory()).isEmptyDirectory();
  }
}
