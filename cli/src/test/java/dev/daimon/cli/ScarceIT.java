package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.FaultInjector;
import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a machine lacks all the time, in place of one call that fails ({@link EveryFaultIT}). */
class ScarceIT {
  @RegisterExtension final Sandbox sandbox = new Sandbox();

  /** With fewer descriptors than that the shell itself cannot read its script. */
  private static final int ENOUGH_FOR_A_SHELL = 12;

  private static final int ENOUGH = 20;

  @ParameterizedTest
  @CsvSource({
    // As a container's filter does it, and as an older kernel does.
    "setsid,            EPERM, 71,  0",
    "close_range,       EPERM,  0,  0",
    "close_range,       ENOSYS, 0,  0",
    "clone3,            ENOSYS, 0,  0",
    "faccessat2,        EPERM,  0,  0",
    "faccessat2,        ENOSYS, 0,  0",
    "statx,             ENOSYS, 0,  0",
    "fallocate,         ENOSYS, 0,  0",
    "pidfd_open,        EPERM,  0, 77",
    "pidfd_open,        ENOSYS, 0, 71",
    "pidfd_send_signal, EPERM,  0, 77",
    "pidfd_send_signal, ENOSYS, 0, 71",
    // The JVM has no other way to make a thread.
    "clone3,            EPERM, 71,  0",
    // Nor to read a class that is not in the AOT cache.
    "statx,             EPERM, 71,  0",
  })
  @Tag("cc")
  void aCallThatTheKernelRefusesIsDoneWithoutOrNamed(String call, String error, int start, int stop)
      throws Exception {
    Path directory = Files.createDirectory(sandbox.file("inject"));
    FaultInjector injector = FaultInjector.compiled(directory);
    Path pidFile = sandbox.file("pid");

    ProcessSandbox.Result started =
        sandbox.run(
            injector.forbidding(
                call,
                error,
                List.of(
                    Sandbox.DAIMON.toString(),
                    "start",
                    "-p",
                    pidFile.toString(),
                    "--",
                    "sleep",
                    "1000")),
            Map.of());

    assertThat(started.exitCode()).as(started.toString()).isEqualTo(start);
    assertThat(sandbox.running("sleep")).hasSize(start == 0 ? 1 : 0);
    if (start != 0) {
      assertThat(started.err()).startsWith("daimon: ").doesNotContain("report it").hasLineCount(1);
      assertThat(pidFile).doesNotExist();
      return;
    }
    assertThat(started.err()).isEmpty();
    ProcessSandbox.Result stopped =
        sandbox.run(
            injector.forbidding(
                call, error, List.of(Sandbox.DAIMON.toString(), "stop", "-p", pidFile.toString())),
            Map.of());
    assertThat(stopped.exitCode()).as(stopped.toString()).isEqualTo(stop);
    if (stop != 0) {
      assertThat(stopped.err()).startsWith("daimon: " + call).contains(error).hasLineCount(1);
      assertThat(sandbox.daimon("stop", "-p", pidFile.toString()).exitCode()).isZero();
    }
    assertThat(sandbox.running("sleep")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "close_range, EPERM",
    "close_range, ENOSYS",
    "faccessat2,  EPERM",
    "faccessat2,  ENOSYS",
  })
  @Tag("cc")
  void runDoesWithoutACallThatTheKernelRefuses(String call, String error) throws Exception {
    FaultInjector injector = FaultInjector.compiled(Files.createDirectory(sandbox.file("inject")));
    List<String> command = List.of(Sandbox.DAIMON.toString(), "run", "--", "echo", "it ran");

    assertThat(sandbox.run(injector.forbidding(call, error, command), Map.of()))
        .isEqualTo(new ProcessSandbox.Result(0, "it ran\n", ""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"start -p $dir/pid true", "run true", "stop -p $dir/pid"})
  void withoutItsArchiveOneLineSaysSo(String words) throws Exception {
    Path lib = sandbox.publicDaimon().resolveSibling("../lib");
    assertThat(sandbox.shell("rm " + lib + "/daimon-*.jar").exitCode()).isZero();

    ProcessSandbox.Result result = sandbox.shell("$dir/dist/bin/daimon " + words);

    assertThat(result.exitCode()).isEqualTo(71);
    assertThat(result.err()).startsWith("daimon: ").contains("cannot be read").hasLineCount(1);
  }

  /** A size of -1: the file is missing. */
  @ParameterizedTest
  @CsvSource({
    "launcher.sh, -1",
    "launcher.sh, 0",
    "launcher.sh, 600",
    "launcher.sh, 8192",
    "jvm.sh, -1",
    "jvm.sh, 0",
    "jvm.sh, 4096",
    "find-jdk.sh, -1",
    "find-jdk.sh, 0",
    "find-jdk.sh, 600",
  })
  void aScriptThatCannotBeReadToItsEndIsNamed(String name, int size) throws Exception {
    Path script = sandbox.publicDaimon().resolveSibling("../lib").resolve(name);
    byte[] beginning = Files.readAllBytes(script);
    Files.delete(script);
    if (size >= 0) {
      Files.write(script, Arrays.copyOf(beginning, size));
    }
    for (String shell : List.of("sh", "bash --posix")) {
      ProcessSandbox.Result status =
          sandbox.shell(shell + " $dir/dist/bin/daimon status -p $dir/pid");
      ProcessSandbox.Result start =
          sandbox.shell(shell + " $dir/dist/bin/daimon start -p $dir/pid sleep 1000");

      assertThat(status.exitCode()).as(shell + ": " + status).isIn(4, 71);
      assertThat(start.exitCode()).as(shell + ": " + start).isEqualTo(71);
      assertThat(status.err()).isEqualTo(start.err()).contains(name);
      assertThat(start.out()).isEmpty();
    }
    assertThat(sandbox.running("sleep")).isEmpty();
  }

  @Test
  void withFewDescriptorsItWorksOrSaysSo() throws Exception {
    for (int descriptors = ENOUGH_FOR_A_SHELL; descriptors <= ENOUGH; descriptors++) {
      ProcessSandbox.Result result =
          sandbox.shell("ulimit -n $1; $daimon start -p $dir/pid sleep 1000", "" + descriptors);

      assertThat(result.exitCode()).as(descriptors + ": " + result).isIn(0, 71);
      if (result.exitCode() == 0) {
        assertThat(sandbox.running("sleep")).hasSize(1);
        assertThat(sandbox.shell("ulimit -n $1; $daimon stop -p $dir/pid", "" + descriptors))
            .isEqualTo(new ProcessSandbox.Result(0, "", ""));
      } else {
        assertThat(result.err()).as("%d", descriptors).contains("daimon: ").contains("open");
      }
      assertThat(sandbox.running("sleep")).isEmpty();
      assertThat(sandbox.file("pid")).doesNotExist();
    }
  }
}
