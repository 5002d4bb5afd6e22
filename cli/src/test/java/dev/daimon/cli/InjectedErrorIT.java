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
    // The first two statx ask what is at the path, before the start; the third one is of the new
    // file, the fourth one of the file at its path then. Standard error asks for its path, too.
    "-p, statx, 3, start",
    "-p, statx, 4, start",
    "-p, flock, 1, start",
    "-p, fallocate, 1, start",
    "-l, statx, 3, start",
    "-l, statx, 4, start",
    "-o, statx, 5, start",
    "-o, fcntl, 1, start",
    "-o, fcntl, 2, start",
    "-e, fcntl, 1, start",
    "-o, statx, 5, run",
    "-p, statx, 3, run",
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
