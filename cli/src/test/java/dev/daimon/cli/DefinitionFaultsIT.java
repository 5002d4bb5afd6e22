package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is wrong in a definition is told before it does harm, and with its line. */
class DefinitionFaultsIT {
  private static final int CANNOT_TELL = 4;
  private static final int USAGE = 64;
  private static final int FILE = 73;

  @RegisterExtension final Sandbox sandbox = new Sandbox();
  private final NamedFiles files = new NamedFiles(sandbox);

  @BeforeEach
  void makeDirectories() throws Exception {
    files.make();
  }

  private void define(String... lines) throws IOException {
    Path file = files.definition("web");
    Files.createDirectories(file.getParent());
    Files.writeString(file, String.join("\n", lines) + "\n");
  }

  /** Without the directories of the files in it. */
  private String told(Result result) {
    return result.err().replace(files.known(files.definition("web")), "web.conf");
  }

  /** A start takes no notice of it, and a stop would fail when the machine goes down. */
  @ParameterizedTest
  @ValueSource(strings = {"timeout 10sec", "signal FOO", "then TERM:5x", "then FOO"})
  void whatWouldPreventTheStopPreventsTheStart(String line) throws Exception {
    define("umask 022", line, "program sleep 1000");

    for (String command : new String[] {"start", "run", "check"}) {
      Result result = files.daimon(command, "web");

      assertThat(result.exitCode()).as(command).isEqualTo(USAGE);
      String option = line.substring(0, line.indexOf(' '));
      assertThat(told(result)).startsWith("daimon: web.conf:2: --" + option).hasLineCount(1);
    }
    assertThat(sandbox.running("sleep")).isEmpty();
  }

  @Test
  void aDaemonThatLocksNothingIsDefinedSoThatItCanBeStopped() throws Exception {
    define("umask 022", "no-lock", "program sleep 1000");
    for (String command : new String[] {"start", "check"}) {
      Result result = files.daimon(command, "web");
      assertThat(result.exitCode()).as(command).isEqualTo(USAGE);
      assertThat(told(result))
          .startsWith("daimon: web.conf:2: --no-lock needs --pid-only")
          .hasLineCount(1);
    }
    String save = "start saved --no-lock --save";
    Result saved = files.daimon((save + " -- sleep 1000").split(" "));
    assertThat(saved.exitCode()).isEqualTo(USAGE);
    assertThat(sandbox.running("sleep")).isEmpty();

    assertThat(files.daimon((save + " --pid-only -- sleep 1000").split(" ")))
        .isEqualTo(new Result(0, "", ""));
    assertThat(files.daimon("stop", "saved")).isEqualTo(new Result(0, "", ""));
    assertThat(sandbox.running("sleep")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"timeout soon", "signal FOO", "guard web.guard", "nonsense"})
  void aRunningDaemonIsStoppedByWhatItWasStartedWith(String line) throws Exception {
    define("timeout 50s", "program sleep 1000");
    assertThat(files.daimon("start", "web")).isEqualTo(new Result(0, "", ""));
    define(line, "program sleep 1000");

    Result status = files.daimon("status", "web");
    Result typed = files.daimon("stop", "web", "--timeout", "never");
    Result stop = files.daimon("stop", "web");

    assertThat(status.exitCode()).as(status.err()).isZero();
    assertThat(typed.exitCode()).isEqualTo(USAGE);
    assertThat(typed.err()).startsWith("daimon: --timeout wants a time").hasLineCount(1);
    assertThat(stop.exitCode()).as(stop.err()).isZero();
    assertThat(told(stop))
        .startsWith("daimon: warning: web.conf:1: ")
        .endsWith("; used is what web was started with\n")
        .hasLineCount(1);
    assertThat(sandbox.running("sleep")).isEmpty();
  }

  /** As whenever there is no answer. */
  @Test
  void theObjectOfTheStatusSaysWhatIsWrong() throws Exception {
    define("umask 022", "nonsense", "program sleep 1000");

    Result json = files.daimon("status", "web", "--json");
    Result line = files.daimon("status", "web");

    assertThat(json.exitCode()).isEqualTo(CANNOT_TELL);
    assertThat(json.err()).isEmpty();
    assertThat(json.out())
        .startsWith("{\"state\":\"unknown\",\"pidFile\":\"" + files.known(files.pidFile("web")))
        .endsWith("web.conf:2: unknown option \\\"nonsense\\\"\"}\n")
        .hasLineCount(1);
    assertThat(told(line)).isEqualTo("daimon: web.conf:2: unknown option \"nonsense\"\n");
    assertThat(line.exitCode()).isEqualTo(CANNOT_TELL);
  }

  @Test
  void aCheckFindsWhatAStartWouldNotGetItsFilesFor() throws Exception {
    define("guard " + files.known(sandbox.file("run/missing/web.guard")), "program sleep 1000");

    for (String command : new String[] {"check web", "start web --dry-run", "start web"}) {
      Result result = files.daimon(command.split(" "));
      assertThat(result.exitCode()).as(command).isEqualTo(FILE);
      assertThat(told(result)).startsWith("daimon: web.conf:1: --guard: ").hasLineCount(1);
    }
  }

  /** As a start makes the directory, it can have the guard in it. */
  @Test
  void aGuardMayBeInADirectoryThatTheStartMakes() throws Exception {
    Path guard = files.pidFile("web").resolveSibling("other.guard");
    define("guard " + files.known(guard), "program sleep 1000");

    assertThat(files.daimon("check", "web")).isEqualTo(new Result(0, "web: ok\n", ""));
    assertThat(files.daimon("start", "web", "--dry-run").exitCode()).isZero();
    assertThat(files.daimon("start", "web")).isEqualTo(new Result(0, "", ""));
    assertThat(guard).exists();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "umask 022;stdout '\\x7cnosuchprogram -x' | 2 | nosuchprogram: not found",
        "user nobody;group nosuchgroup | 2 | unknown group: nosuchgroup",
        "user nobody;groups nosuchgroup | 2 | unknown group: nosuchgroup",
        "group nosuchname;user nosuchname | 2 | unknown user: nosuchname",
        "umask 022;user nobody:nosuchgroup | 2 | unknown group: nosuchgroup",
        "rlimit nofile=100;rlimit bogus=5 | 2 | no such resource: \"bogus\"",
        "keep-fd 3;keep-fd 33x | 2 | not \"33x\"",
        "listen tcp:18080;listen tcp:18080x | 2 | not \"18080x\"",
        "then KILL:5s;then TERM:5x | 2 | not \"TERM:5x\"",
        "timeout 5s;signal FOO | 2 | --signal: no such signal: \"FOO\"",
      })
  void aFaultIsToldWithItsLine(String lines, int line, String message) throws Exception {
    define((lines + ";program sleep 1000").replace("'\\x7c", "'|").split(";"));

    Result result = files.daimon("check", "web");

    assertThat(result.exitCode()).isNotZero();
    assertThat(told(result))
        .startsWith("daimon: web.conf:" + line + ": ")
        .contains(message)
        .hasLineCount(1);
  }

  /** As a power failure may leave it. */
  @Test
  void withADefinitionAnEmptyRecordCountsAsNone() throws Exception {
    define("program sh -c 'echo said; exec sleep 1000'");
    assertThat(files.daimon("start", "web").exitCode()).isZero();
    Sandbox.await("output", () -> Files.size(files.log("web")) > 0);
    assertThat(files.daimon("stop", "web").exitCode()).isZero();
    Path record = record();
    Files.writeString(record, "");

    assertThat(files.daimon("logs", "web")).isEqualTo(new Result(0, "said\n", ""));
    assertThat(files.daimon("show", "web").exitCode()).isZero();

    Files.delete(files.definition("web"));
    assertThat(files.daimon("logs", "web").exitCode()).isEqualTo(USAGE);
  }

  private Path record() throws IOException {
    Path beside = files.log("web").resolveSibling("web.started");
    return Files.exists(beside) ? beside : files.pidFile("web").resolveSibling("web.started");
  }
}
