package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code run} and {@code start --foreground}: the process that was started becomes the program. */
class RunIT {
  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @ParameterizedTest
  @ValueSource(strings = {"run", "start -f", "start --foreground", "start -v -f", "run -f"})
  void theProcessThatWasStartedBecomesTheProgram(String command) throws Exception {
    Process process = background(command, "-p", sandbox.file("pid").toString(), "sleep", "1000");

    assertThat(sandbox.awaitProgram("sleep")).isEqualTo(process.pid());
    assertThat(Sandbox.pid(sandbox.file("pid"))).isEqualTo(process.pid());
    assertThat(Sandbox.descriptors(process.pid()).tailMap(3).values())
        .containsExactly(sandbox.file("pid").toString());
    assertThat(sandbox.processes()).extracting(ProcessHandle::pid).containsExactly(process.pid());
  }

  @ParameterizedTest
  @CsvSource({
    "run, exit 0, 0",
    "run, exit 7, 7",
    "run, exit 255, 255",
    "run, kill -TERM $$, 143",
    "run, kill -KILL $$, 137",
    "run, kill -INT $$, 130",
    "start -f, exit 7, 7",
    "start -f, exit 122, 122",
    "start -f, kill -HUP $$, 129"
  })
  void theExitStatusIsTheProgramsOwn(String command, String script, int status) throws Exception {
    Process process = background(command, "sh", "-c", script);

    assertThat(process.waitFor()).isEqualTo(status);
  }

  @ParameterizedTest
  @ValueSource(strings = {"run", "start -f"})
  void theStreamsAreTheCallers(String command) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "echo in | $daimon " + command + " sh -c 'read x; echo \"out $x\"; echo err >&2'");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "out in\n", "err\n"));
  }

  @Test
  void standardInputIsNotTouchedBeforeTheProgramReadsIt() throws Exception {
    Files.writeString(sandbox.file("in"), "one\ntwo\n");

    ProcessSandbox.Result result = sandbox.shell("{ read x; $daimon run cat; } < $dir/in");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "two\n", ""));
  }

  @ParameterizedTest
  @CsvSource({"-o $dir/log, '', ''", "-e $dir/log, 'out', ''", "-o /dev/null -e $dir/log, '', ''"})
  void onlyTheStreamsOfTheOptionsAreChanged(String options, String out, String err)
      throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("$daimon run " + options + " sh -c 'echo out; echo err >&2'");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out().strip()).isEqualTo(out);
    assertThat(result.err().strip()).isEqualTo(err);
    assertThat(Files.readString(sandbox.file("log"))).contains("err");
  }

  @ParameterizedTest
  @ValueSource(strings = {"run", "start -f"})
  void aHeldLockIsReportedAndTheProgramDoesNotRun(String command) throws Exception {
    long first = sandbox.start("sleep", "1000");

    ProcessSandbox.Result result =
        sandbox.shell("$daimon " + command + " -p $dir/pid touch $dir/ran");

    assertThat(result.exitCode()).isEqualTo(69);
    assertThat(result.err())
        .startsWith("daimon: ")
        .hasLineCount(1)
        .contains(sandbox.file("pid").toString(), Long.toString(first));
    assertThat(sandbox.file("ran")).doesNotExist();
    assertThat(Sandbox.pid(sandbox.file("pid"))).isEqualTo(first);
  }

  @ParameterizedTest
  @ValueSource(strings = {"run", "start"})
  void theLockIsHeldForTheProgramsLife(String second) throws Exception {
    Path pidFile = sandbox.file("pid");
    Process process = background("run", "-p", pidFile.toString(), "sleep", "1000");
    sandbox.awaitProgram("sleep");

    assertThat(sandbox.daimon(second, "-p", pidFile.toString(), "true").exitCode()).isEqualTo(69);

    process.destroyForcibly().waitFor();
    assertThat(sandbox.daimon(second, "-p", pidFile.toString(), "true").exitCode()).isZero();
  }

  /** The signal would end the program, too: the test is that nothing goes on running. */
  @ParameterizedTest
  @CsvSource({"run, 60", "start -f, 180"})
  void aSignalAtAnyMomentOfTheStartEndsTheProcess(String command, int lastMillis) throws Exception {
    for (int delay = 0; delay <= lastMillis; delay += 3) {
      Process process = background(command, "-p", sandbox.file("pid").toString(), "sleep", "1000");
      TimeUnit.MILLISECONDS.sleep(delay);
      process.destroy();

      String when = "TERM after " + delay + " ms";
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).as(when).isTrue();
      assertThat(process.exitValue()).as(when).isEqualTo(143);
      sandbox.awaitEnd();
      assertThat(Sandbox.isLocked(sandbox.file("pid"))).as(when).isFalse();
    }
  }

  @Test
  void theSessionAndTheParentStayTheCallers() throws Exception {
    background("run", "sleep", "1000");

    long pid = sandbox.awaitProgram("sleep");
    long self = ProcessHandle.current().pid();
    assertThat(Sandbox.stat(pid, 4)).isEqualTo(self);
    assertThat(Sandbox.stat(pid, 6)).isEqualTo(Sandbox.stat(self, 6));
  }

  @Test
  void workingDirectoryAndUmaskAreADaemons() throws Exception {
    ProcessSandbox.Result plain = sandbox.shell("umask 077; $daimon run sh -c 'pwd; umask'");
    ProcessSandbox.Result asked = sandbox.shell("$daimon run -c $dir -m 027 sh -c 'pwd; umask'");

    assertThat(plain).isEqualTo(new ProcessSandbox.Result(0, "/\n0022\n", ""));
    assertThat(asked).isEqualTo(new ProcessSandbox.Result(0, sandbox.directory() + "\n0027\n", ""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-f true", "sh -f -c true"})
  void optionsAfterTheProgramAreThePrograms(String words) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("$daimon start -p $dir/pid -- sh -c 'sleep 1000' " + words);

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
  }

  /** Starts the command, and does not wait for it. */
  private Process background(String command, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of(Sandbox.DAIMON.toString()));
    all.addAll(List.of(command.split(" ", -1)));
    all.addAll(List.of(words));
    return sandbox
        .prepare(all, Map.of())
        .redirectInput(Path.of("/dev/null").toFile())
        .redirectErrorStream(true)
        .redirectOutput(sandbox.file("said").toFile())
        .start();
  }
}
