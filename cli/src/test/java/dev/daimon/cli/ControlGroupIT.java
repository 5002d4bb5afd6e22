package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A start in a control group, as of a container, that has too little. */
@Tag("root")
@Tag("cgroup")
class ControlGroupIT {
  private static final long MEBIBYTE = 1 << 20;
  private static final int ENOUGH_PROCESSES = 30;
  private static final int ENOUGH_MEBIBYTES = 60;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private static final int SIGKILLED = 137;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 6, 8, 9, 10, 11, 12, ENOUGH_PROCESSES})
  void withFewProcessesItWorksOrSaysSo(int limit) throws Exception {
    try (ControlGroup group = ControlGroup.ofProcesses(limit)) {
      ProcessSandbox.Result result = start(group);

      assertThat(result.exitCode()).isIn(0, 71);
      assertThat(result.err()).doesNotContain("is not known");
      assertDecided(result, limit, ENOUGH_PROCESSES);
    }
  }

  /** The kernel kills a process of the group when the memory is exhausted. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4, 8, 9, 10, 11, 12, 14, 20, ENOUGH_MEBIBYTES})
  void withLittleMemoryItWorksOrSaysSo(int mebibytes) throws Exception {
    try (ControlGroup group = ControlGroup.ofMemory(mebibytes * MEBIBYTE)) {
      assertDecided(start(group), mebibytes, ENOUGH_MEBIBYTES);
    }
  }

  /** With one it never works, with enough it does. */
  private static void assertDecided(ProcessSandbox.Result result, int limit, int enough) {
    if (limit == 1) {
      assertThat(result.exitCode()).isNotZero();
    } else if (limit == enough) {
      assertThat(result.exitCode()).as(result.toString()).isZero();
    }
  }

  /** Starts a program in the group, checks that what is said is true, and stops it. */
  private ProcessSandbox.Result start(ControlGroup group) throws Exception {
    String pidFile = sandbox.file("pid").toString();

    ProcessSandbox.Result result =
        sandbox.run(
            group.command(Sandbox.DAIMON.toString(), "start", "-p", pidFile, "--", "sleep", "1000"),
            Map.of());

    int running = sandbox.running("sleep").size();
    switch (result.exitCode()) {
      case 0 -> {
        assertThat(result.err()).isEmpty();
        assertThat(running).isEqualTo(1);
      }
      // The kernel has killed the script itself.
      case SIGKILLED -> assertThat(running).isBetween(0, 1);
      default -> {
        assertThat(result.exitCode()).as(result.toString()).isEqualTo(71);
        assertThat(result.err()).startsWith("daimon: ").hasLineCount(1);
        assertThat(running)
            .as(result.err())
            .isBetween(0, result.err().contains("is not known") ? 1 : 0);
      }
    }
    ProcessSandbox.Result stopped = sandbox.daimon("stop", "-p", pidFile);
    assertThat(stopped.exitCode()).as(stopped.toString()).isZero();
    assertThat(sandbox.running("sleep")).isEmpty();
    assertThat(sandbox.file("pid")).doesNotExist();
    return result;
  }
}
