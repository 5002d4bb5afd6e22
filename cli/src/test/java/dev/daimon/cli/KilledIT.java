package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.FaultInjector;
import dev.daimon.testing.FaultInjector.Call;
import dev.daimon.testing.FaultInjector.Fault;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** If somebody kills a part of a start, the rest tells the truth, and a stop leads out. */
class KilledIT {
  private static final int SYSTEM = 71;
  private static final int UNKNOWN = 4;
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

  /** The program runs then, with the lock, and nothing names it but the lock. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Tag("cc")
  void aProgramWhoseProcessIdWasNeverWrittenIsEndedByAStop(boolean recordOfEarlierStart)
      throws Exception {
    Path pidFile = sandbox.file("pid");
    if (recordOfEarlierStart) {
      long _ = sandbox.start("sleep", "1000");
      assertThat(sandbox.daimon("stop", "-p", pidFile.toString()).exitCode()).isZero();
    }
    // Before its first one, which writes the process id.
    Fault fault = new Fault("kill", new Call("java", "pwrite64", 1, 0, ""), "");
    List<String> command =
        List.of(
            Sandbox.DAIMON.toString(), "start", "-p", pidFile.toString(), "--", "sleep", "1000");
    FaultInjector injector = FaultInjector.compiled(Files.createDirectory(sandbox.file("inject")));
    ProcessSandbox.Result start =
        sandbox.run(injector.command(sandbox.file("calls"), fault, command), Map.of());
    assertThat(start.exitCode()).as(start.toString()).isEqualTo(SYSTEM);
    long program = sandbox.awaitProgram("sleep");
    Sandbox.await("the end of java", () -> sandbox.running("java").isEmpty());

    Files.writeString(pidFile, "host=web1\n");
    ProcessSandbox.Result noPidfile = sandbox.daimon("stop", "-p", pidFile.toString());
    assertThat(noPidfile.exitCode()).isEqualTo(UNKNOWN);
    assertThat(sandbox.running("sleep")).hasSize(1);
    Files.writeString(pidFile, "");

    ProcessSandbox.Result status = sandbox.daimon("status", "-p", pidFile.toString());
    ProcessSandbox.Result stop = sandbox.daimon("stop", "-p", pidFile.toString());

    assertThat(status.exitCode()).isEqualTo(UNKNOWN);
    assertThat(status.out())
        .contains("locked by process " + program, "a start may be under way, or was killed");
    assertThat(stop).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(pidFile).doesNotExist();
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
