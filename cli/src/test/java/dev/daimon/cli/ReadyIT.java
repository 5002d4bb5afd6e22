package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --ready}: a start returns when the program is ready, or has failed and left nothing. */
class ReadyIT {
  private static final int FAILED = 70;
  private static final int LATE = 75;
  private static final int CANNOT_CREATE = 73;
  private static final String SLEEP = "exec sleep 1000";

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private Path pidFile() {
    return sandbox.file("pid");
  }

  private ProcessSandbox.Result start(String ready, String script, String... options)
      throws Exception {
    return sandbox.run(words("start", ready, script, options), Map.of());
  }

  /** A shell script with this sandbox as its working directory. */
  private List<String> words(String command, String ready, String script, String... options) {
    List<String> words =
        new ArrayList<>(
            List.of(
                Sandbox.DAIMON.toString(),
                command,
                "-p",
                pidFile().toString(),
                "-c",
                sandbox.directory().toString(),
                "--ready",
                ready));
    words.addAll(List.of(options));
    words.addAll(List.of("--", "sh", "-c", script));
    return words;
  }

  private String[] log() {
    return new String[] {"-o", sandbox.file("log").toString()};
  }

  private static String[] with(String[] options, String... more) {
    List<String> all = new ArrayList<>(List.of(options));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private void assertRuns(ProcessSandbox.Result result) throws Exception {
    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(ProcessHandle.of(Sandbox.pid(pidFile())).orElseThrow().isAlive()).isTrue();
    assertThat(sandbox.daimon("status", "-p", pidFile().toString()).exitCode()).isZero();
    assertThat(sandbox.daimon("stop", "-p", pidFile().toString()).exitCode()).isZero();
    sandbox.awaitEnd();
  }

  private void assertNothingIsLeft() throws Exception {
    assertThat(sandbox.processes()).isEmpty();
    assertThat(pidFile()).doesNotExist();
    assertThat(sandbox.file("guard")).doesNotExist();
    assertThat(sandbox.file("pid.guard")).doesNotExist();
  }

  @Test
  void aProgramThatIsStillThereAfterTheTimeIsReady() throws Exception {
    assertRuns(start("alive:300ms", SLEEP));
  }

  @Test
  void waitIsShortForAlive() throws Exception {
    ProcessSandbox.Result result =
        sandbox.daimon("start", "-p", pidFile().toString(), "--wait", "1h", "sh", "-c", "exit 7");

    assertThat(result.exitCode()).isEqualTo(FAILED);
    assertThat(result.err())
        .matches(
            "daimon: \\S+/sh, process \\d+, has ended with exit code 7 before it was ready;"
                + " what it printed was discarded: -o FILE keeps it\n");
    assertNothingIsLeft();
  }

  @ParameterizedTest
  @CsvSource({"kill -KILL $$, by SIGKILL", "exit 0, with exit code 0", "exit 255, code 255"})
  void theEndOfTheProgramEndsTheWaitAtOnce(String end, String words) throws Exception {
    ProcessSandbox.Result result = start("alive:1h", "sleep 1000 & " + end);

    assertThat(result.exitCode()).isEqualTo(FAILED);
    assertThat(result.err()).contains("has ended").contains(words).hasLineCount(1);
    assertNothingIsLeft();
  }

  @Test
  void theLastLinesOfTheProgramAreShown() throws Exception {
    ProcessSandbox.Result first = start("alive:1h", "echo an earlier start; exit 1", log());
    ProcessSandbox.Result second =
        start(
            "alive:1h",
            "for i in 1 2 3 4 5 6 7 8 9 10 11; do echo line $i; done; printf '\\033[2Jred'; exit 1",
            log());

    assertThat(first.err()).endsWith("\n    an earlier start\n");
    assertThat(second.err())
        .contains("exit code 1 before it was ready\n    line 3\n    line 4\n")
        .endsWith("    line 11\n    ?[2Jred\n")
        .doesNotContain("earlier", "discarded");
    assertThat(sandbox.file("log")).content().startsWith("an earlier start\nline 1\n");
    assertNothingIsLeft();
  }

  /** It comes in parts, behind a long line and beside other output. */
  @Test
  void aLineOfTheOutputIsAwaited() throws Exception {
    Files.writeString(sandbox.file("log"), "Ready to accept\n");

    assertRuns(
        start(
            "log:Ready to accept",
            "echo Ready; head -c 300000 /dev/zero | tr '\\0' x; printf '\\nReadyReady to';"
                + " sleep .2; printf ' accept'; "
                + SLEEP,
            log()));
  }

  @Test
  void aLineOfAnEarlierStartDoesNotCount() throws Exception {
    Files.writeString(sandbox.file("log"), "Ready\n");

    ProcessSandbox.Result result =
        start("log:Ready", SLEEP, with(log(), "--ready-timeout", "300ms"));

    assertThat(result.exitCode()).isEqualTo(LATE);
    assertThat(result.err())
        .contains("was not ready within 0.3 s, and was stopped")
        .contains("no line of its output has the text \"Ready\"");
    assertNothingIsLeft();
  }

  @Test
  void aFileIsAwaitedAndAStaleOneDoesNotCount() throws Exception {
    Path file = Files.writeString(sandbox.file("file"), "stale");
    String ready = "file:" + file;

    ProcessSandbox.Result late = start(ready, SLEEP, "--ready-timeout", "300ms");

    assertThat(late.exitCode()).isEqualTo(LATE);
    assertThat(late.err()).contains(file + " has not been written since the start");
    assertNothingIsLeft();
    assertRuns(start(ready, "sleep .2; echo new >file; " + SLEEP));
    Files.delete(file);
    assertRuns(start(ready, "sleep .2; touch file; " + SLEEP));
  }

  @Test
  @Tag("root")
  void aFileOfAnotherUserDoesNotCount() throws Exception {
    Path file = sandbox.file("file");

    ProcessSandbox.Result late =
        start(
            "file:" + file,
            "touch new; chown 1 new; mv new file; " + SLEEP,
            "--ready-timeout",
            "5s");

    assertThat(late.exitCode()).isEqualTo(LATE);
    assertThat(late.err()).contains("belongs to user 1, who is not the daemon's");
    assertNothingIsLeft();
  }

  /** In a directory such as /tmp, where every user can make one. */
  @ParameterizedTest
  @ValueSource(strings = {"real", "file", "own"})
  @Tag("root")
  void norDoesALinkOfAnotherUser(String target) throws Exception {
    Path file = sandbox.file("file");

    ProcessSandbox.Result late =
        start(
            "file:" + file,
            "touch real; ln -s real own; ln -s "
                + target
                + " new; chown -h 1 new; mv new file; "
                + SLEEP,
            "--ready-timeout",
            "5s");

    assertThat(late.exitCode()).as(late.err()).isEqualTo(LATE);
    assertThat(late.err()).contains(file + " is a link of user 1, who is not the daemon's");
    assertNothingIsLeft();
  }

  @Test
  @Tag("root")
  void aLinkThatLeadsOverOneOfAnotherUserDoesNotCountEither() throws Exception {
    ProcessSandbox.Result late =
        start(
            "file:" + sandbox.file("file"),
            "touch real; ln -s real other; chown -h 1 other; ln -s other file; " + SLEEP,
            "--ready-timeout",
            "2s");

    assertThat(late.exitCode()).as(late.err()).isEqualTo(LATE);
    assertThat(late.err()).contains(sandbox.file("other") + " is a link of user 1");
    assertNothingIsLeft();
  }

  @Test
  void theDaemonsOwnLinkCountsWhenItLeadsToAFile() throws Exception {
    String ready = "file:" + sandbox.file("file");

    ProcessSandbox.Result late = start(ready, "ln -s file file; " + SLEEP, "--ready-timeout", "5s");

    assertThat(late.exitCode()).as(late.err()).isEqualTo(LATE);
    assertThat(late.err()).contains(sandbox.file("file") + " does not exist");
    assertThat(sandbox.file("file")).isSymbolicLink();
    Files.delete(sandbox.file("file"));
    assertRuns(start(ready, "ln -s real file; touch real; " + SLEEP));
  }

  @Test
  @Tag("root")
  void aFileThatTheCallerMayNotSeeIsToldInWords() throws Exception {
    Path closed = Files.createDirectory(sandbox.file("closed"));
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    Sandbox.openToAll(closed, "rwx------");
    List<String> words = new ArrayList<>(ChildJvm.AS_NOBODY);
    words.addAll(
        List.of(
            sandbox.publicDaimon().toString(),
            "start",
            "--ready",
            "file:" + closed + "/x",
            "true"));

    ProcessSandbox.Result refused = sandbox.run(words, Map.of());

    assertThat(refused.err())
        .isEqualTo("daimon: " + closed + "/x cannot be looked up: permission denied\n");
    assertThat(refused.exitCode()).isEqualTo(CANNOT_CREATE);
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, ''",
    "127.0.0.1, 127.0.0.1:",
    "0.0.0.0, 127.0.0.1:",
    "::1, [::1]:",
    "::, [::1]:",
    "::, 127.0.0.1:"
  })
  @Tag("python3")
  void aPortIsAwaited(String bind, String host) throws Exception {
    int port = freePort();

    assertRuns(
        start(
            "tcp:" + host + port,
            "exec python3 -m http.server " + port + " --bind " + bind + " 2>&1"));
  }

  /** Root without that capability, as in most containers, may examine it as its user only. */
  @Test
  @Tag("root")
  @Tag("python3")
  void theSocketOfAnotherUsersProgramIsSeenWithoutTheRightToTrace() throws Exception {
    int port = freePort();
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    String noTrace = "setpriv --inh-caps=-sys_ptrace --bounding-set=-sys_ptrace ";

    ProcessSandbox.Result seen =
        sandbox.shell(
            noTrace + "$daimon start -u nobody --ready tcp:$1 -- python3 -m http.server $1",
            Integer.toString(port));
    ProcessSandbox.Result hidden =
        sandbox.shell(
            noTrace
                + "$daimon start -u nobody --keep-cap net_bind_service --ready-timeout 5s"
                + " --ready tcp:$1 -- python3 -m http.server $1",
            Integer.toString(freePort()));

    assertThat(seen).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(hidden.exitCode()).isEqualTo(LATE);
    assertThat(hidden.err())
        .contains("whether process ")
        .contains(" may not be examined by this user");
  }

  /** A child that opens the port counts as the daemon; the daemon is the shell. */
  @Test
  @Tag("python3")
  void theListenerMayBeADescendant() throws Exception {
    int port = freePort();

    assertRuns(
        start(
            "tcp:" + port,
            "setsid python3 -m http.server " + port + " & trap 'kill $!; exit' TERM; wait"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "127.0.0.1:"})
  void aStrangersListenerDoesNotCount(String host) throws Exception {
    try (ServerSocket stranger = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      String where = host + stranger.getLocalPort();

      ProcessSandbox.Result result = start("tcp:" + where, SLEEP, "--ready-timeout", "300ms");

      assertThat(result.exitCode()).isEqualTo(LATE);
      assertThat(result.err())
          .contains("it does not listen on ")
          .contains("but process " + ProcessHandle.current().pid() + " (java) does");
      assertNothingIsLeft();
    }
  }

  @Test
  void aPortOfAnotherAddressDoesNotCount() throws Exception {
    try (ServerSocket stranger = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      ProcessSandbox.Result result =
          start("tcp:[::1]:" + stranger.getLocalPort(), SLEEP, "--ready-timeout", "300ms");

      assertThat(result.exitCode()).isEqualTo(LATE);
      assertThat(result.err()).contains("nobody listens on [0:0:0:0:0:0:0:1]:");
    }
  }

  /** By a relative path, too, and through a symbolic link. */
  @ParameterizedTest
  @CsvSource({"socket, SOCK_STREAM", "./socket, SOCK_DGRAM", "link/socket, SOCK_SEQPACKET"})
  @Tag("python3")
  void aUnixSocketIsAwaited(String path, String type) throws Exception {
    Files.createSymbolicLink(sandbox.file("link"), sandbox.directory());
    Path program =
        sandbox.script(
            "bind.py",
            "import socket, time",
            "s = socket.socket(socket.AF_UNIX, socket." + type + ")",
            "time.sleep(.1)",
            "s.bind('" + path + "')",
            type.equals("SOCK_DGRAM") ? "" : "s.listen()",
            "time.sleep(1000)");

    assertRuns(start("unix:" + sandbox.file("socket"), "exec python3 " + program));
  }

  @Test
  @Tag("python3")
  void aUnixSocketThatOnlyABoundOneIsIsNotEnough() throws Exception {
    Path program =
        sandbox.script(
            "bind.py",
            "import socket, time",
            "s = socket.socket(socket.AF_UNIX)",
            "s.bind('socket')",
            "time.sleep(1000)");

    ProcessSandbox.Result result =
        start(
            "unix:" + sandbox.file("socket"),
            "exec python3 " + program,
            "--ready-timeout",
            "500ms");

    assertThat(result.exitCode()).isEqualTo(LATE);
    assertThat(result.err()).contains("nobody listens on " + sandbox.file("socket"));
  }

  /** Here the daemon listens by the same name in another directory, as a wrong setting has it. */
  @Test
  @Tag("python3")
  void aStrangersUnixSocketDoesNotCount() throws Exception {
    Path other = Files.createDirectory(sandbox.file("other"));
    Path program =
        sandbox.script(
            "bind.py",
            "import socket, time",
            "s = socket.socket(socket.AF_UNIX)",
            "s.bind('other/socket')",
            "s.listen()",
            "time.sleep(1000)");
    try (ServerSocketChannel stranger = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      stranger.bind(UnixDomainSocketAddress.of(sandbox.file("socket")));

      ProcessSandbox.Result result =
          start(
              "unix:" + sandbox.file("socket"), "exec python3 " + program, "--ready-timeout", "5s");

      assertThat(result.exitCode()).isEqualTo(LATE);
      assertThat(result.err()).contains("it does not listen on " + sandbox.file("socket"));
      assertThat(other.resolve("socket")).exists();
    }
  }

  /** The kernel lists the names of sockets as they are, with the line feeds in them. */
  @Test
  @Tag("python3")
  @Tag("attack")
  void linesThatAStrangersNameAddsToTheListDoNoHarm() throws Exception {
    Path stranger =
        sandbox.script(
            "stranger.py",
            "import socket, time",
            "s = socket.socket(socket.AF_UNIX)",
            "s.bind(b'\\0a\\n0 0 0 zz 0 0 0 /socket\\n0 0 0 10000 0001 01 zz /socket\\n')",
            "s.listen()",
            "print('bound', flush=True)",
            "time.sleep(1000)");
    Process process = sandbox.prepare(List.of("python3", stranger.toString()), Map.of()).start();
    assertThat(process.inputReader().readLine()).isEqualTo("bound");
    Path program =
        sandbox.script(
            "bind.py",
            "import socket, time",
            "s = socket.socket(socket.AF_UNIX)",
            "s.bind('socket')",
            "s.listen()",
            "time.sleep(1000)");

    ProcessSandbox.Result result =
        start("unix:" + sandbox.file("socket"), "exec python3 " + program);

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
  }

  /** A process that ends closes its descriptors before its end is seen. */
  @Test
  void howItHasEndedSaysMoreThanThatItHasClosedTheDescriptor() throws Exception {
    for (int round = 0; round < 5; round++) {
      assertThat(start("fd:3", "exit 9").err()).contains("has ended with exit code 9");
    }
  }

  /** A newline, which may be the end of a longer text. */
  @ParameterizedTest
  @ValueSource(ints = {3, 9, 60})
  void aNewlineOnADescriptorIsAwaited(int number) throws Exception {
    String path = "/proc/self/fd/" + number;

    assertRuns(
        start(
            "fd:" + number, "printf ready >" + path + "; sleep .1; echo >" + path + "; " + SLEEP));
  }

  @Test
  void aDescriptorThatIsClosedWithoutANewlineIsAFailureAtOnce() throws Exception {
    ProcessSandbox.Result result =
        start("fd:3", "printf no >&3; exec 3>&-; " + SLEEP, "--ready-timeout", "1h");

    assertThat(result.exitCode()).isEqualTo(FAILED);
    assertThat(result.err()).contains("has closed descriptor 3 without a newline").hasLineCount(1);
    assertNothingIsLeft();
  }

  /** Whatever the processes do against it: other sessions, orphans, ignored and pending signals. */
  @Test
  void atTheTimeOutEverythingIsStopped() throws Exception {
    ProcessSandbox.Result result =
        start(
            "fd:3",
            "(setsid sleep 1000 &); sleep 1000 & kill -STOP $!;"
                + " sh -c 'sh -c \"exit 0\" & exec sleep 1000' & sh -c 'exit 0' & "
                + SLEEP,
            "--ready-timeout",
            "500ms");

    assertThat(result.exitCode()).isEqualTo(LATE);
    assertNothingIsLeft();
  }

  @Test
  void whatIgnoresTheFirstSignalIsKilled() throws Exception {
    ProcessSandbox.Result result =
        start("fd:3", "trap '' TERM; while :; do sleep 1; done", "--ready-timeout", "100ms");

    assertThat(result.exitCode()).isEqualTo(LATE);
    assertNothingIsLeft();
  }

  private Process launched(String ready, String... options) throws Exception {
    Process start =
        sandbox
            .prepare(words("start", ready, "sleep 1000 & setsid sleep 1000", options), Map.of())
            .redirectErrorStream(true)
            .redirectOutput(sandbox.file("said").toFile())
            .start();
    Sandbox.await("the program", () -> sandbox.running("sleep").size() == 2);
    return start;
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130", "HUP, 129"})
  void aSignalStopsEverythingAndTheLauncherEndsByIt(String signal, int status) throws Exception {
    Process start = launched("alive:1h");

    Command.kill(signal, start.pid());

    assertThat(start.waitFor()).isEqualTo(status);
    assertThat(sandbox.file("said"))
        .content()
        .matches("daimon: interrupted; \\S+/sh, process \\d+, was stopped again\n");
    assertNothingIsLeft();
  }

  @Test
  void theLaunchersDeathStopsEverything() throws Exception {
    Process start = launched("alive:1h");

    start.destroyForcibly().waitFor();

    sandbox.awaitEnd();
    assertNothingIsLeft();
  }

  /**
   * Before, during and after the wait: the daemon runs as if nothing had come, or nothing is left.
   */
  @ParameterizedTest
  @ValueSource(strings = {"TERM", "KILL"})
  void theSignalMayComeAtAnyMoment(String signal) throws Exception {
    for (int delay = 0; delay <= 600; delay += 100) {
      Process start =
          sandbox
              .prepare(words("start", "alive:200ms", "sleep 1000 & setsid sleep 1000"), Map.of())
              .redirectErrorStream(true)
              .redirectOutput(sandbox.file("said").toFile())
              .start();
      // The moment is what is tested, so there is no event to wait for.
      TimeUnit.MILLISECONDS.sleep(delay);
      new ProcessBuilder("sh", "-c", "kill -s " + signal + " " + start.pid())
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
      int status = start.waitFor();
      Sandbox.await("the launcher's JVM to end", () -> sandbox.running("java").isEmpty());

      String when = signal + " after " + delay + " ms, status " + status;
      if (sandbox.running("sleep").isEmpty()) {
        assertThat(status).as(when).isNotZero();
        sandbox.awaitEnd();
        assertThat(pidFile()).as(when).doesNotExist();
      } else {
        assertThat(status).as(when).isIn(0, 137);
        Sandbox.await(when + ", both programs", () -> sandbox.running("sleep").size() == 2);
        assertThat(Sandbox.isLocked(pidFile())).as(when).isTrue();
        assertThat(sandbox.daimon("status", "-p", pidFile().toString()).exitCode())
            .as(when)
            .isZero();
      }
      for (ProcessHandle left : sandbox.processes()) {
        left.destroyForcibly();
      }
      sandbox.awaitEnd();
      Files.deleteIfExists(pidFile());
    }
  }

  /** Then nobody can clean up: the pidfile is that of a daemon that has ended. */
  @Test
  void theDeathOfTheJvmStopsTheProgram() throws Exception {
    Process start =
        sandbox
            .prepare(words("start", "alive:1h", "sleep 1000 & sleep 1000"), Map.of())
            .redirectErrorStream(true)
            .redirectOutput(sandbox.file("said").toFile())
            .start();
    Sandbox.await("the program", () -> sandbox.running("sleep").size() == 2);

    Command.kill("KILL", sandbox.running("java").getFirst().pid());

    assertThat(start.waitFor()).isEqualTo(71);
    assertThat(sandbox.file("said"))
        .hasContent(
            "daimon: java has failed (status 137); the program, which was not ready, was killed");
    sandbox.awaitEnd();
    assertThat(sandbox.daimon("status", "-p", pidFile().toString()).exitCode()).isEqualTo(1);
    assertRuns(start("alive:0s", SLEEP));
  }

  /** Here the JVM is halted when it has said so, and before it ends. */
  @Test
  @Tag("strace")
  void aProgramThatIsReadyOutlivesTheJvm() throws Exception {
    List<String> words = words("start", "alive:10ms", SLEEP);
    Process start =
        sandbox.halted(
            "exit_group:delay_enter", null, words.subList(1, words.size()).toArray(String[]::new));
    Sandbox.await("the program", () -> sandbox.running("sleep").size() == 1);
    ProcessHandle java = sandbox.running("java").getFirst();
    Sandbox.await("the JVM's end", () -> isHalted(java));

    Command.kill("KILL", java.pid());
    sandbox.goOn();

    assertThat(start.waitFor()).isEqualTo(71);
    assertThat(sandbox.file("slowed.err"))
        .content()
        .contains("java has failed (status 137); whether the program runs is not known");
    assertThat(sandbox.daimon("status", "-p", pidFile().toString()).exitCode()).isZero();
  }

  /** Whether a thread of a process is in the system call with which the process ends. */
  private static boolean isHalted(ProcessHandle process) throws IOException {
    Path threads = Path.of("/proc/" + process.pid() + "/task");
    try (DirectoryStream<Path> all = Files.newDirectoryStream(threads)) {
      for (Path thread : all) {
        // exit_group of x86-64 and of AArch64.
        String call = systemCall(thread);
        if (call.startsWith("231 ") || call.startsWith("94 ")) {
          return true;
        }
      }
      return false;
    }
  }

  /** A JVM's threads end at any time. */
  private static String systemCall(Path thread) {
    try {
      return Files.readString(thread.resolve("syscall"));
    } catch (IOException ended) {
      return "";
    }
  }

  /** Without the launcher script the command is gone at once, and a second JVM cleans up. */
  @Test
  void withoutTheScriptASignalStopsEverythingToo() throws Exception {
    Path jar = Sandbox.DAIMON.getParent().getParent().resolveSibling("daimon.jar");
    List<String> words = words("start", "alive:1h", "sleep 1000 & setsid sleep 1000");
    words.removeFirst();
    words.addAll(0, List.of(System.getProperty("java.home") + "/bin/java", "-jar", jar.toString()));
    Process start =
        sandbox
            .prepare(words, Map.of())
            .redirectErrorStream(true)
            .redirectOutput(sandbox.file("said").toFile())
            .start();
    Sandbox.await("the program", () -> sandbox.running("sleep").size() == 2);

    Command.kill("TERM", start.pid());

    assertThat(start.waitFor()).isEqualTo(143);
    sandbox.awaitEnd();
    assertNothingIsLeft();
  }

  /** The daemon runs, and its control waits for the start. */
  @Test
  void aStatusAndASignalMeetARunningDaemonMeanwhile() throws Exception {
    Process start = launched("alive:1h", log());

    ProcessSandbox.Result status = sandbox.daimon("status", "-p", pidFile().toString());
    assertThat(status.exitCode()).isZero();
    assertThat(status.out()).startsWith("running: process " + Sandbox.pid(pidFile()));
    assertThat(sandbox.daimon("signal", "-p", pidFile().toString(), "KILL").exitCode()).isZero();

    assertThat(start.waitFor()).isEqualTo(FAILED);
    assertThat(sandbox.file("said")).content().contains("has ended by SIGKILL before it was ready");
    assertNothingIsLeft();
  }

  @Test
  void aProgramThatGoesToTheBackgroundIsToldOfTheOptionForIt() throws Exception {
    ProcessSandbox.Result result = start("fd:3", "sleep 1000 & exit 0", "--ready-timeout", "1h");

    assertThat(result.exitCode()).isEqualTo(FAILED);
    assertThat(result.err())
        .contains("has ended with exit code 0 before it was ready")
        .contains("a program that daemonizes itself needs --ready exit");
    assertNothingIsLeft();
  }

  @Test
  void aDaemonThatRunsAlreadyIsNoFailureWithOknodo() throws Exception {
    assertThat(start("alive:0s", SLEEP).exitCode()).isZero();

    ProcessSandbox.Result again = start("alive:1h", SLEEP);
    ProcessSandbox.Result accepted = start("alive:1h", SLEEP, "--oknodo");

    assertThat(again.exitCode()).isEqualTo(69);
    assertThat(accepted.exitCode()).isZero();
    assertThat(accepted.err()).startsWith("daimon: already running").hasLineCount(1);
    assertThat(sandbox.running("sleep")).hasSize(1);
  }

  @Test
  void aProgramThatClosesItsLockIsStartedAsWithoutTheOption() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "$daimon start -p $dir/pid --wait 100ms -- bash -c"
                + " 'for n in 3 4 5 6 7 8 9; do eval \"exec $n>&-\"; done; exec sleep 1000'");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(sandbox.running("sleep")).hasSize(1);
  }

  @Test
  void aRestartThatIsNotReadySaysThatNothingRuns() throws Exception {
    assertThat(start("alive:0s", SLEEP).exitCode()).isZero();

    ProcessSandbox.Result result =
        sandbox.run(words("restart", "alive:1h", "exit 3", log()), Map.of());

    assertThat(result.exitCode()).isEqualTo(FAILED);
    assertThat(result.err())
        .contains("has ended with exit code 3 before it was ready")
        .endsWith("; the old daemon is stopped\n");
    assertThat(sandbox.processes()).isEmpty();
    assertThat(pidFile()).doesNotExist();
  }

  /** What is wrong with the new program is found before the old one is stopped. */
  @Test
  void aRestartIsJudgedBeforeTheOldDaemonIsStopped() throws Exception {
    assertThat(start("alive:0s", SLEEP).exitCode()).isZero();
    long pid = Sandbox.pid(pidFile());

    ProcessSandbox.Result result =
        sandbox.daimon(
            "restart", "-p", pidFile().toString(), "--ready", "tcp:80", "/nowhere/program");

    assertThat(result.exitCode()).isEqualTo(66);
    assertThat(Sandbox.pid(pidFile())).isEqualTo(pid);
    assertRuns(sandbox.run(words("restart", "alive:0s", SLEEP), Map.of()));
  }

  @Test
  void theCallersDescriptorsAreThoseWithoutTheLaunchersPipe() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "exec 5</dev/zero; $daimon start -p $dir/pid --no-close-fds --keep-fd 5"
                + " --ready fd:7 -- sh -c 'echo >&7; exec sleep 1000'");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    long pid = sandbox.awaitProgram("sleep");
    assertThat(Sandbox.descriptors(pid).get(5)).isEqualTo("/dev/zero");
    assertThat(Sandbox.descriptors(pid).values())
        .filteredOn(target -> target.startsWith("pipe:"))
        .hasSize(1);
  }

  @Test
  void aLauncherWithoutFreeDescriptorsStillNoticesItsCallersDeath() throws Exception {
    Process start =
        sandbox
            .prepare(
                List.of(
                    "bash",
                    "-c",
                    "exec 3</dev/null 4<&3 5<&3 6<&3 7<&3 8<&3 9<&3; exec \"$0\" \"$@\"",
                    Sandbox.DAIMON.toString(),
                    "start",
                    "-p",
                    pidFile().toString(),
                    "--wait",
                    "1h",
                    "sleep",
                    "1000"),
                Map.of())
            .redirectErrorStream(true)
            .redirectOutput(sandbox.file("said").toFile())
            .start();
    Sandbox.await("the program", () -> sandbox.running("sleep").size() == 1);

    start.destroyForcibly().waitFor();

    sandbox.awaitEnd();
    assertNothingIsLeft();
  }

  @Test
  void thePlanNamesTheCondition() throws Exception {
    ProcessSandbox.Result result = start("tcp:127.0.0.1:80", SLEEP, "--dry-run");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("\nready: tcp:127.0.0.1:80, within 30 s\n");
    assertNothingIsLeft();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-p $dir/pid --ready file:$dir/pid | --ready file: and --pidfile are the same file",
        "-p $dir/pid --ready file:$dir/./pid.guard | --ready file: and --guard are the same",
        "-p $dir/x --guard $dir/g --ready file:$dir/g | --ready file: and --guard are the same",
        "-l $dir/lock --ready file:$dir/lock | --ready file: and --lock are the same file",
        "-o $dir/log --ready file:$dir/log | --ready file: and --stdout are the same file",
        "-o $dir/log -e $dir/err --ready file:$dir/err | --ready file: and --stderr are the same",
        "--listen unix:$dir/s --ready file:$dir/s | --ready file: and --listen are the same file",
        "--listen tcp:1 --ready tcp:1 | --ready and --listen tcp:1 exclude each other: that socket",
        "--listen tcp:1 --ready tcp:127.0.0.1:1 | --ready and --listen tcp:1 exclude each other",
        "--listen tcp:127.0.0.1:1 --ready tcp:1 | --ready and --listen tcp:127.0.0.1:1 exclude",
        "--listen tcp:0.0.0.0:1 --ready tcp:127.0.0.1:1 | --ready and --listen tcp:0.0.0.0:1 excl",
        "--listen tcp:[::1]:1 --ready tcp:[::1]:1 | --ready and --listen tcp:[",
        "--listen unix:$dir/s=web --ready unix:$dir/./s | --ready and --listen unix:",
        "--listen unix:$dir/here/s --ready unix:$dir/s | --ready and --listen unix:",
        "--listen unix:$dir/s --ready unix:$dir/link | --ready and --listen unix:",
        "-l $dir/lock --ready unix:$dir/here/lock | --ready unix: and --lock are the same file",
        "--ready nonsense | --ready wants exec, alive:T",
        "--ready '' | --ready wants exec, alive:T",
        "--ready alive | --ready wants exec",
        "--ready alive: | wants a time",
        "--ready alive:-1s | wants a time",
        "--ready alive:1s --ready-timeout 5s | --ready-timeout is not for alive",
        "--ready notify:main | --ready wants exec",
        "--ready notify -E NOTIFY_SOCKET=/x | sets NOTIFY_SOCKET itself",
        "--ready fd:2 | wants a number from 3 to 1023",
        "--ready fd:x | wants a number",
        "--ready fd:99999999999 | wants a number",
        "--ready fd:3 --keep-fd 3 | name the same descriptor",
        "--ready tcp: | wants a number from 1 to 65535",
        "--ready tcp:0 | wants a number from 1 to 65535",
        "--ready tcp:65536 | wants a number from 1 to 65535",
        "--ready tcp:localhost:80 | wants an address before the port",
        "--ready tcp:::1:80 | wants an address before the port",
        "--ready tcp:[127.0.0.1]:80 | wants an address before the port",
        "--ready tcp:1:80 | wants an address before the port",
        "--ready tcp:[]:80 | wants an address before the port",
        "--ready unix:x | wants the absolute path of a file",
        "--ready unix:/x/ | wants the absolute path of a file",
        "--ready file: | wants the absolute path of a file",
        "--ready log:x | needs --stdout or --stderr",
        "--ready log: -o /tmp/x | wants a text within a line",
        "--ready exit | --ready exit needs --pidfile",
        "--ready exit -p /x -o /y | --ready exit and --stdout exclude each other",
        "--ready tcp:80 --self -p /x | --self is --ready exit",
        "--ready tcp:80 --wait 1s | --wait T is --ready alive:T",
        "--ready tcp:80 -f | nobody waits for a program in the foreground",
        "--wait 1s -f | --wait and --foreground exclude each other",
        "--wait x | --wait wants a time",
        "--ready-timeout 1s | --ready-timeout is for --ready and --self",
        "--start-timeout 1s | --start-timeout is for --ready and --self",
        "--ready tcp:80 --ready-timeout x | --ready-timeout wants a time",
        "--ready tcp:80 --ready-timeout 1 --start-timeout 1 | are the same",
      })
  void aWrongValueIsOneLine(String options, String message) throws Exception {
    Files.createSymbolicLink(sandbox.file("here"), sandbox.directory());
    Files.createSymbolicLink(sandbox.file("link"), sandbox.file("s"));

    ProcessSandbox.Result result = sandbox.shell("$daimon start " + options + " -- true");

    assertThat(result.exitCode()).isEqualTo(64);
    assertThat(result.err()).contains(message).hasLineCount(1);
  }

  @Test
  void runHasNoSuchOption() throws Exception {
    ProcessSandbox.Result result = sandbox.daimon("run", "--ready", "tcp:80", "true");

    assertThat(result.exitCode()).isEqualTo(64);
    assertThat(result.err()).contains("--ready").hasLineCount(1);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
