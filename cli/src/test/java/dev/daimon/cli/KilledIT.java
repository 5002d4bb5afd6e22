package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** If somebody kills the program before it is executed, the start has failed. */
class KilledIT {
  private static final int SYSTEM = 71;
  private static final int PPID = 4;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @ParameterizedTest
  @ValueSource(strings = {"", "--rlimit core=0", "--nice 5"})
  @Tag("strace")
  void theStartReportsThatAndLeavesNothing(String option) throws Exception {
    Path pidFile = sandbox.file("pid");
    Path program = Path.of("/bin/touch");
    String line = "start " + option + " -p " + pidFile + " " + program + " " + sandbox.file("ran");
    Process start = sandbox.halted("execve:delay_enter", program, line.split(" +", -1));

    long child = awaitChild(sandbox.awaitProgram("java"));
    ProcessHandle.of(child).orElseThrow().destroyForcibly();
    // The process that strace halts dies when strace detaches from it.
    sandbox.goOn();

    assertThat(start.waitFor()).isEqualTo(SYSTEM);
    assertThat(sandbox.file("slowed.err"))
        .content()
        .contains("posix_spawn", "touch", "EINTR", "killed before it was executed");
    assertThat(pidFile).doesNotExist();
    assertThat(sandbox.file("ran")).doesNotExist();
    sandbox.awaitEnd();
  }

  private static long awaitChild(long parent) throws Exception {
    long[] found = {0};
    Sandbox.await(
        "a child of process " + parent,
        () -> {
          found[0] = child(parent);
          return found[0] != 0;
        });
    return found[0];
  }

  private static long child(long parent) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : all) {
        long pid = Long.parseLong(process.getFileName().toString());
        if (parent(pid) == parent) {
          return pid;
        }
      }
    }
    return 0;
  }

  private static long parent(long pid) {
    try {
      return Sandbox.stat(pid, PPID);
    } catch (IOException gone) {
      return 0;
    }
  }
}
