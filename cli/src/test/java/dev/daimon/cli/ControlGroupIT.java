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

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 6, 8, 9, 10, 11, 12, 30})
  void withFewProcessesItWorksOrSaysSo(int limit) throws Exception {
    try (ControlGroup group = ControlGroup.ofProcesses(limit)) {
      ProcessSandbox.Result result = start(group);

      assertThat(result.err()).doesNotContain("is not known");
    }
  }

  /** The kernel kills a process of the group when the memory is exhausted. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4, 8, 9, 10, 11, 12, 14, 20, 60})
  void withLittleMemoryItWorksOrSaysSo(int mebibytes) throws Exception {
    try (ControlGroup group = ControlGroup.ofMemory(mebibytes * MEBIBYTE)) {
      start(group);
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
    if (result.exitCode() == 0) {
      assertThat(result.err()).isEmpty();
      assertThat(running).isEqualTo(1);
    } else {
      assertThat(result.exitCode()).as(result.toString()).isEqualTo(71);
      assertThat(result.err()).startsWith("daimon: ").hasLineCount(1);
      assertThat(running)
          .as(result.err())
          .isBetween(0, result.err().contains("is not known") ? 1 : 0);
    }
    ProcessSandbox.Result stopped = sandbox.daimon("stop", "-p", pidFile);
    assertThat(stopped.exitCode()).as(stopped.toString()).isZero();
    assertThat(sandbox.running("sleep")).isEmpty();
    assertThat(sandbox.file("pid")).doesNotExist();
    return result;
  }
}
