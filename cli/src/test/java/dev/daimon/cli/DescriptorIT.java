package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which descriptors a program gets, whatever its caller has open or closed. */
class DescriptorIT {
  /** Opens this file under every number from 3 to 1,002. */
  private static final String LEAK =
      "echo leaked > $dir/leak; for n in $(seq 3 1002); do eval \"exec $n<$dir/leak\"; done; ";

  private static final String LIST = " ls -l /proc/self/fd";

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @Test
  void aDaemonHasThreeStreamsAndItsLock() throws Exception {
    long pid = sandbox.start("sleep", "1000");

    assertOnlyStreamsAnd(pid, sandbox.file("pid"));
  }

  @Test
  void aDaemonHasBothLocks() throws Exception {
    Path lock = sandbox.file("lock");
    long pid = sandbox.start("-l", lock.toString(), "sleep", "1000");

    assertOnlyStreamsAnd(pid, lock, sandbox.file("pid"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aThousandLeakedDescriptorsDoNotReachTheProgram(String command) throws Exception {
    long pid = background(LEAK, command, "");

    SortedMap<Integer, String> descriptors = Sandbox.descriptors(pid);
    assertThat(descriptors).doesNotContainValue(sandbox.file("leak").toString());
    assertThat(descriptors).hasSize(4).containsValue(sandbox.file("pid").toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void keptDescriptorsReachTheProgramUnderTheirNumbers(String command) throws Exception {
    long pid = background(LEAK, command, "--keep-fd 7 --keep-fd 900 --keep-fd 3");

    SortedMap<Integer, String> descriptors = Sandbox.descriptors(pid);
    String file = sandbox.file("leak").toString();
    assertThat(descriptors)
        .hasSize(7)
        .containsEntry(3, file)
        .containsEntry(7, file)
        .containsEntry(900, file)
        .containsValue(sandbox.file("pid").toString());
  }

  @ParameterizedTest
  @CsvSource({
    "start, exec 3<$dir/leak 9<$dir/leak 250<$dir/leak;",
    "run, exec 3<$dir/leak 9<$dir/leak 250<$dir/leak;",
    "start, exec 10<$dir/leak 11<$dir/leak 12<$dir/leak;",
    "start -f, exec 10<$dir/leak 11<$dir/leak 12<$dir/leak;",
    "run, exec 10<$dir/leak 11<$dir/leak 12<$dir/leak;",
    "start, for n in $(seq 3 9); do eval \"exec $n<$dir/leak\"; done;",
    "start, for n in $(seq 3 14); do eval \"exec $n<$dir/leak\"; done;",
    "start, for n in $(seq 3 1002); do eval \"exec $n<$dir/leak\"; done;",
    "start, for n in $(seq 5 1002); do eval \"exec $n<$dir/leak\"; done;",
    "start -f, for n in $(seq 5 1002); do eval \"exec $n<$dir/leak\"; done;",
    "run, for n in $(seq 3 9); do eval \"exec $n<$dir/leak\"; done;",
    "run, for n in $(seq 3 14); do eval \"exec $n<$dir/leak\"; done;",
    "run, for n in $(seq 3 1002); do eval \"exec $n<$dir/leak\"; done;",
    "run, for n in $(seq 5 1002); do eval \"exec $n<$dir/leak\"; done;"
  })
  void withNoCloseFdsTheProgramGetsTheCallersDescriptorsAndTheLock(String command, String leak)
      throws Exception {
    String open = "echo > $dir/leak; " + leak;
    String own = sandbox.shell(open + " find /proc/self/fd -lname $dir/leak -printf '%f '").out();
    long pid = background(open, command, "--no-close-fds");

    SortedMap<Integer, String> descriptors = Sandbox.descriptors(pid);
    for (String number : own.strip().split(" ", -1)) {
      assertThat(descriptors)
          .containsEntry(Integer.valueOf(number), sandbox.file("leak").toString());
    }
    assertThat(descriptors)
        .containsValue(sandbox.file("pid").toString())
        .hasSize(3 + own.strip().split(" ", -1).length + 1);
  }

  /** As in some containers, where a system call filter forbids {@code kcmp}. */
  @Test
  @Tag("strace")
  void theCallersDescriptorsAreFoundWithoutKcmp() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "exec 5</dev/zero 9</dev/zero;"
                + " strace -f -qq -o /dev/null -e trace=kcmp -e inject=kcmp:error=EPERM"
                + " $daimon run --no-close-fds ls -l /proc/self/fd");

    assertThat(result.exitCode()).as(result.err()).isZero();
    // The three streams, and the directory that ls has open.
    assertThat(result.out().lines().filter(line -> line.contains("->"))).hasSize(6);
    assertThat(result.out()).contains(" 5 -> /dev/zero", " 9 -> /dev/zero");
  }

  /** An algorithm that is quadratic in their number took half a minute. */
  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void manyThousandAreInherited(String command) throws Exception {
    String open =
        "n=$(($(ulimit -n) < 15000 ? $(ulimit -n) - 200 : 15000)); i=20;"
            + " while [ $i -lt $n ]; do eval \"exec $i</dev/zero\"; i=$((i + 1)); done; ";
    String count = "ls -l /proc/$$/fd 2>/dev/null | grep -c '/dev/zero$'";

    ProcessSandbox.Result own = sandbox.shell("ulimit -Sn hard; " + open + count);
    ProcessSandbox.Result result =
        sandbox.shell(
            "ulimit -Sn hard; "
                + open
                + "$daimon "
                + command
                + " --no-close-fds"
                + (command.equals("start") ? " -o $dir/out" : "")
                + " -- sh -c '"
                + count.replace("'", "'\\''")
                + "'");

    assertThat(result.exitCode()).as(result.err()).isZero();
    sandbox.awaitEnd();
    String inherited =
        command.equals("start") ? Files.readString(sandbox.file("out")) : result.out();
    assertThat(inherited).isEqualTo(own.out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "start -f", "run"})
  void aDescriptorThatOnlyDaimonHasOpenCannotBeKept(String command) throws Exception {
    String closed = "for n in $(seq 3 17); do eval \"exec $n<&-\"; done; ";
    for (int number = 3; number <= 17; number++) {
      ProcessSandbox.Result result =
          sandbox.shell(closed + "$daimon " + command + " --keep-fd " + number + " touch $dir/ran");

      assertThat(result.exitCode()).as(number + ": " + result.err()).isEqualTo(64);
      assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).contains("" + number);
    }
    assertThat(sandbox.file("ran")).doesNotExist();
  }

  @Test
  void aDescriptorThatIsNotOpenCannotBeKept() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("$daimon start --keep-fd 77 -p $dir/pid true 77<&-");

    assertThat(result.exitCode()).isEqualTo(64);
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).contains("77");
    assertThat(sandbox.file("pid")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"})
  void closedStandardStreamsDoNoHarmToADaemon(String closed) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("$daimon start -p $dir/pid -o $dir/log sleep 1000 " + closed);

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    long pid = Sandbox.pid(sandbox.file("pid"));
    String log = sandbox.file("log").toString();
    assertThat(Sandbox.descriptors(pid))
        .hasSize(4)
        .containsEntry(0, "/dev/null")
        .containsEntry(1, log)
        .containsEntry(2, log)
        .containsValue(sandbox.file("pid").toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"})
  void closedStandardStreamsDoNoHarmToAForegroundProgram(String closed) throws Exception {
    long pid = background("", "run", "", closed);

    SortedMap<Integer, String> descriptors = Sandbox.descriptors(pid);
    assertThat(descriptors.headMap(3)).doesNotContainValue(sandbox.file("pid").toString());
    assertThat(descriptors.tailMap(3).values()).containsExactly(sandbox.file("pid").toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"<&-", ">&-", "<&- >&- 2>&-"})
  void closedStandardStreamsDoNotChangeTheExitCode(String closed) throws Exception {
    assertThat(sandbox.shell("$daimon start /no/such/program " + closed).exitCode()).isEqualTo(66);
  }

  @Test
  void aFullStandardErrorDoesNotChangeTheExitCode() throws Exception {
    assertThat(sandbox.shell("$daimon start -v -p $dir/pid sleep 1000 2>/dev/full").exitCode())
        .isZero();
  }

  @Test
  void aCallerThatWaitsForTheEndOfBothOutputsReturnsAtOnce() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("out=$($daimon start -v -p $dir/pid sleep 1000 2>&1 | cat); echo \"$out\"");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("wrote process id");
    assertThat(sandbox.processes()).hasSize(1);
  }

  @Test
  void aCallerThatWaitsForTheEndOfALeakedPipeReturnsAtOnce() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("{ $daimon start -p $dir/pid sleep 1000 5>&1 6>&1 1234>&1; } | cat");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(sandbox.processes()).hasSize(1);
  }

  @Test
  void aForegroundProgramDoesNotGetLeakedDescriptorsEither() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("exec 4</dev/null 5</dev/null 250</dev/null; $daimon run" + LIST);

    // The three streams, and the directory that ls has open.
    assertThat(result.exitCode()).isZero();
    assertThat(result.out().lines().filter(line -> line.contains("->"))).hasSize(4);
  }

  /** Starts a program that goes on running, from a shell with open files; its process id. */
  private long background(String leak, String command, String options, String... redirections)
      throws Exception {
    String script =
        leak
            + " $daimon "
            + command
            + " -p $dir/pid "
            + options
            + " sleep 1000 "
            + String.join(" ", redirections);
    if (command.equals("start")) {
      assertThat(sandbox.shell(script)).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    } else {
      sandbox
          .prepare(
              List.of("/bin/bash", "-c", script.replace("$daimon", "exec $daimon")),
              Map.of("daimon", Sandbox.DAIMON.toString(), "dir", sandbox.directory().toString()))
          .redirectErrorStream(true)
          .redirectOutput(sandbox.file("said").toFile())
          .start()
          .getOutputStream()
          .close();
      sandbox.awaitProgram("sleep");
    }
    return Sandbox.pid(sandbox.file("pid"));
  }

  private static void assertOnlyStreamsAnd(long pid, Path... locks) throws Exception {
    SortedMap<Integer, String> descriptors = Sandbox.descriptors(pid);
    assertThat(descriptors.headMap(3))
        .isEqualTo(Map.of(0, "/dev/null", 1, "/dev/null", 2, "/dev/null"));
    assertThat(descriptors.tailMap(3).values())
        .containsExactlyInAnyOrderElementsOf(List.of(locks).stream().map(Path::toString).toList());
  }
}
