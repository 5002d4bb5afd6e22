package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --ready notify}: programs that speak sd_notify, written in Python, and strangers. */
@Tag("python3")
class NotifyIT {
  private static final int FAILED = 70;
  private static final int LATE = 75;

  /** What each program begins with. */
  private static final List<String> SAY =
      List.of(
          "import os, socket, sys, time",
          "def name():",
          "    a = os.environ['NOTIFY_SOCKET']",
          "    return '\\0' + a[1:] if a[0] == '@' else a",
          "def say(text, address=None):",
          "    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
          "    s.sendto(text.encode('utf-8', 'surrogateescape'), address or name())",
          "def write(file, text):",
          "    open(file + '.new', 'w').write(text)",
          "    os.rename(file + '.new', file)");

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private Path pidFile;

  @BeforeEach
  void name() {
    pidFile = sandbox.file("pid");
  }

  private Path program(String... lines) throws IOException {
    List<String> all = new ArrayList<>(SAY);
    all.addAll(List.of(lines));
    return sandbox.script("program.py", all.toArray(String[]::new));
  }

  private List<String> words(Path program, String ready, String... options) {
    List<String> words =
        new ArrayList<>(
            List.of(
                Sandbox.DAIMON.toString(),
                "start",
                "-p",
                pidFile.toString(),
                "-c",
                sandbox.directory().toString(),
                "--ready",
                ready));
    words.addAll(List.of(options));
    words.addAll(List.of("--", "python3", program.toString()));
    return words;
  }

  private ProcessSandbox.Result start(Path program, String ready, String... options)
      throws Exception {
    return sandbox.run(words(program, ready, options), Map.of());
  }

  private Process launch(Path program, String ready, String... options) throws Exception {
    return sandbox
        .prepare(words(program, ready, options), Map.of())
        .redirectErrorStream(true)
        .redirectOutput(sandbox.file("said").toFile())
        .start();
  }

  private void assertRuns(ProcessSandbox.Result result) throws Exception {
    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(sandbox.daimon("status", "-p", pidFile.toString()).exitCode()).isZero();
    assertThat(sandbox.daimon("stop", "-p", pidFile.toString()).exitCode()).isZero();
    sandbox.awaitEnd();
    assertThat(pidFile).doesNotExist();
  }

  private void assertNothingIsLeft() throws Exception {
    assertThat(sandbox.processes()).isEmpty();
    assertThat(pidFile).doesNotExist();
  }

  @Test
  void theDaemonsWordIsAwaited() throws Exception {
    Path program =
        program(
            "say('STATUS=Loading')", "time.sleep(.2)", "say('X=1\\nREADY=1')", "time.sleep(1000)");

    assertRuns(start(program, "notify"));
  }

  /** Those of the caller belong to the service of the caller. */
  @Test
  void theCallersSocketAndWatchdogAreReplaced() throws Exception {
    Path program =
        program(
            "write('environment', repr(sorted(k for k in os.environ if k.startswith('WATCHDOG'))))",
            "say('READY=1')",
            "time.sleep(1000)");

    ProcessSandbox.Result result =
        sandbox.run(
            words(program, "notify"),
            Map.of("NOTIFY_SOCKET", "/nowhere", "WATCHDOG_USEC", "1000000", "WATCHDOG_PID", "1"));

    assertThat(sandbox.file("environment")).hasContent("[]");
    assertRuns(result);
  }

  @Test
  void withAnotherConditionTheCallersSocketIsPassedOn() throws Exception {
    Path program = program("write('address', os.environ['NOTIFY_SOCKET'])", "time.sleep(1000)");

    ProcessSandbox.Result result =
        sandbox.run(
            words(program, "file:" + sandbox.file("address")), Map.of("NOTIFY_SOCKET", "/there"));

    assertThat(sandbox.file("address")).hasContent("/there");
    assertRuns(result);
  }

  @Test
  void whatAFailingProgramHasSaidIsTold() throws Exception {
    ProcessSandbox.Result result =
        start(program("say('ERRNO=98\\nSTATUS=no\\x1b[2Jport\\u202e')", "sys.exit(3)"), "notify");

    assertThat(result.exitCode()).isEqualTo(FAILED);
    assertThat(result.err())
        .contains("has ended with exit code 3 before it was ready")
        .contains("it has reported Address already in use (EADDRINUSE, 98)")
        .contains("its last status: no?[2Jport?")
        .hasLineCount(1);
    assertNothingIsLeft();
  }

  /** A word and the end right after it are seen together. */
  @Test
  void aProgramThatIsReadyAndEndsHasFailed() throws Exception {
    ProcessSandbox.Result result = start(program("say('READY=1')", "os._exit(0)"), "notify");

    // The message may be read before the program has ended, and then the start has succeeded.
    assertThat(result.exitCode()).isIn(0, FAILED);
    if (result.exitCode() == FAILED) {
      assertThat(result.err()).contains("has ended with exit code 0 before it was ready");
      assertNothingIsLeft();
    }
  }

  @Test
  void theTimeOutTellsTheLastStatus() throws Exception {
    ProcessSandbox.Result result =
        start(
            program("say('STATUS=Still loading')", "time.sleep(1000)"),
            "notify",
            "--ready-timeout",
            "10s");

    assertThat(result.exitCode()).isEqualTo(LATE);
    assertThat(result.err())
        .contains("was not ready within 10 s, and was stopped: it has not sent READY=1")
        .contains("its last status: Still loading");
    assertNothingIsLeft();
  }

  @Test
  void theProgramMayAskForMoreTime() throws Exception {
    Path program =
        program(
            "say('EXTEND_TIMEOUT_USEC=60000000')",
            "time.sleep(11)",
            "say('READY=1')",
            "time.sleep(1000)");

    assertRuns(start(program, "notify", "--ready-timeout", "10s"));
  }

  @ParameterizedTest
  @CsvSource({"notify, false", "notify:all, true"})
  void aDescendantsWordCountsByOption(String ready, boolean counts) throws Exception {
    Path program =
        program(
            "if os.fork() == 0:",
            "    os.setsid()",
            "    if os.fork() == 0:",
            "        say('READY=1')",
            "        time.sleep(1000)",
            "    os._exit(0)",
            "time.sleep(1000)");

    ProcessSandbox.Result result = start(program, ready, "--ready-timeout", counts ? "1m" : "10s");

    assertThat(result.exitCode()).as(result.err()).isEqualTo(counts ? 0 : LATE);
    if (!counts) {
      assertThat(result.err())
          .containsPattern("that came from process \\d+ \\(\\w+\\), which the daemon has started")
          .contains("notify:all accepts that");
      assertNothingIsLeft();
    }
  }

  /** On a terminal the wait shows what the program says about itself. */
  @Test
  void theStatusIsShownOnATerminal() throws Exception {
    Path program = program("say('STATUS=Loading \\x1b[2J it')", "time.sleep(1000)");

    ProcessSandbox.Result result =
        sandbox.run(
            List.of(
                "script",
                "-qec",
                "exec " + String.join(" ", words(program, "notify", "--ready-timeout", "10s")),
                "/dev/null"),
            Map.of("TERM", "xterm"));

    assertThat(result.exitCode()).isEqualTo(LATE);
    assertThat(result.out())
        .containsPattern(
            "\r\u001b\\[K\u001b\\[\\?7ldaimon: waiting for \\S+/python3, process \\d+: \\d s,"
                + " giving up in \\d+ s: Loading \\?\\[2J it\u001b\\[\\?7h")
        .containsPattern("\r\u001b\\[Kdaimon: \\S+/python3, process \\d+, was not ready within");
  }

  /** A descendant that the daemon names is the daemon from then on. */
  @ParameterizedTest
  @ValueSource(strings = {"os._exit(0)", "time.sleep(1000)"})
  void theDaemonMayBeADescendant(String parent) throws Exception {
    Path program =
        program(
            "child = os.fork()",
            "if child:",
            "    write('child', str(child))",
            "    say('MAINPID=%d' % child)",
            "    " + parent,
            "os.setsid()",
            "time.sleep(.3)",
            "say('READY=1')",
            "time.sleep(1000)");

    ProcessSandbox.Result result = start(program, "notify");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(Files.readString(pidFile).strip())
        .isEqualTo(Files.readString(sandbox.file("child")));
    assertThat(sandbox.daimon("status", "-p", pidFile.toString()).exitCode()).isZero();
  }

  @Test
  void aPidfileWithoutALockNamesTheDescendant() throws Exception {
    Path program =
        program(
            "child = os.fork()",
            "if child:",
            "    say('MAINPID=%d\\nREADY=1' % child)",
            "    time.sleep(1000)",
            "write('child', str(os.getpid()))",
            "time.sleep(1000)");

    ProcessSandbox.Result result = start(program, "notify", "--no-lock");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    Sandbox.await("the child", () -> Files.exists(sandbox.file("child")));
    assertThat(Files.readString(pidFile).strip())
        .isEqualTo(Files.readString(sandbox.file("child")));
  }

  /** Neither a stranger nor a parent of the launcher becomes the daemon. */
  @ParameterizedTest
  @ValueSource(strings = {"1", "os.getppid()", "4194304", "0", "-1", "'x'"})
  void aProcessThatIsNoDescendantIsNotTheDaemon(String pid) throws Exception {
    Path program = program("say('MAINPID=%s\\nREADY=1' % " + pid + ")", "time.sleep(1000)");

    assertRuns(start(program, "notify"));
  }

  /** Anybody may send to an abstract address, which the kernel lists for everybody. */
  @ParameterizedTest
  @ValueSource(strings = {"notify", "notify:all"})
  @Tag("attack")
  void aStrangersWordDoesNotCount(String ready) throws Exception {
    Path program = program("write('address', name()[1:])", "time.sleep(1000)");
    List<String> lines = new ArrayList<>(SAY);
    lines.addAll(
        List.of(
            "while not os.path.exists('address'): time.sleep(.01)",
            "address = '\\0' + open('address').read()",
            "say('READY=1\\nMAINPID=%d\\nSTATUS=forged' % os.getpid(), address)",
            "write('sent', '')",
            "time.sleep(1000)"));
    Path stranger = sandbox.script("stranger.py", lines.toArray(String[]::new));
    Process other = sandbox.prepare(List.of("python3", stranger.toString()), Map.of()).start();
    Process start = launch(program, ready, "--ready-timeout", "10s");

    assertThat(start.waitFor()).isEqualTo(LATE);
    assertThat(sandbox.file("sent")).exists();
    assertThat(sandbox.file("said"))
        .content()
        .contains("that came from process ", ", which the daemon has not started")
        .doesNotContain("forged");
    assertThat(other.isAlive()).as("the stranger is not stopped").isTrue();
    other.destroyForcibly().waitFor();
    sandbox.awaitEnd();
    assertNothingIsLeft();
  }

  /** A flood hides neither the daemon's word nor its end nor the time-out. */
  @ParameterizedTest
  @CsvSource({"say('READY=1'), 0", "sys.exit(3), 70", "time.sleep(0), 75"})
  @Tag("attack")
  void aFloodHidesNothing(String end, int status) throws Exception {
    Path program =
        program(
            "write('address', name()[1:])",
            "while not os.path.exists('flooding'): time.sleep(.01)",
            "time.sleep(.5)",
            end,
            "time.sleep(1000)");
    Process start = launch(program, "notify", "--ready-timeout", status == LATE ? "5s" : "1m");
    Sandbox.await("the address", () -> Files.exists(sandbox.file("address")));

    List<String> lines = new ArrayList<>(SAY);
    lines.addAll(
        List.of(
            "address = '\\0' + open('address').read()",
            "write('flooding', '')",
            "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
            "texts = [b'READY=1', b'', b'\\n' * 100, b'x' * 100000, b'STATUS=\\xff', b'MAINPID=1']",
            "try:",
            "    while True:",
            "        for text in texts: s.sendto(text, address)",
            "except OSError: pass"));
    Path flood = sandbox.script("flood.py", lines.toArray(String[]::new));
    Process stranger = sandbox.prepare(List.of("python3", flood.toString()), Map.of()).start();

    assertThat(start.waitFor()).as(Sandbox.beginning(sandbox.file("said"))).isEqualTo(status);
    // The socket is gone with the launcher.
    stranger.waitFor();
    if (status != 0) {
      assertNothingIsLeft();
    }
  }

  /** What is sent after the start finds nobody, and harms nobody. */
  @Test
  void theSocketIsGoneAfterTheStart() throws Exception {
    Path program =
        program(
            "say('READY=1')",
            "while True:",
            "    try:",
            "        say('STATUS=up')",
            "        time.sleep(.01)",
            // The launcher receives no more, but has not closed the socket yet.
            "    except BrokenPipeError: pass",
            "    except OSError as refused:",
            "        write('refused', refused.strerror)",
            "        time.sleep(1000)");

    ProcessSandbox.Result result = start(program, "notify");

    Sandbox.await("a refusal", () -> Files.exists(sandbox.file("refused")));
    assertThat(sandbox.file("refused")).hasContent("Connection refused");
    assertRuns(result);
  }

  /** The user of the program sends, root receives. */
  @Test
  @Tag("root")
  void aProgramOfAnotherUserIsHeard() throws Exception {
    Path program = program("say('READY=1')", "time.sleep(1000)");
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");

    ProcessSandbox.Result result =
        sandbox.run(
            List.of(
                Sandbox.DAIMON.toString(),
                "start",
                "-u",
                "nobody",
                "-c",
                sandbox.directory().toString(),
                "--ready",
                "notify",
                "/usr/bin/python3",
                program.toString()),
            Map.of());

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(sandbox.running("python3")).hasSize(1);
  }
}
