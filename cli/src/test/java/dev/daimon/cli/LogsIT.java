package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code daimon logs}: what it prints of a log, and that no rotation loses a line. */
class LogsIT {
  /** Writes lines with a number, and opens the log again on SIGHUP, as a daemon does. */
  private static final String WRITER =
      """
      trap 'exec >>"$log"' HUP
      i=0
      while [ $i -lt "$1" ]; do echo "line $i"; i=$((i + 1)); done
      while ! [ -e go ]; do sleep 0.05; done
      while [ $i -lt "$2" ]; do echo "line $i"; i=$((i + 1)); done
      """;

  @RegisterExtension final Sandbox sandbox = new Sandbox();
  private final NamedFiles files = new NamedFiles(sandbox);

  private Path log() {
    return files.log("web");
  }

  @BeforeEach
  void makeDirectories() throws Exception {
    files.make();
    Files.createDirectories(log().getParent());
  }

  private Result logs(String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("logs", "web"));
    all.addAll(List.of(words));
    return files.daimon(all.toArray(String[]::new));
  }

  /** Starts a command that follows the log, and prints into a file. */
  private Process follow(String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("logs", "web", "-f"));
    all.addAll(List.of(words));
    return files
        .prepare(all.toArray(String[]::new))
        .redirectOutput(sandbox.file("printed").toFile())
        .redirectError(sandbox.file("said").toFile())
        .start();
  }

  private void awaitPrinted(String text) throws Exception {
    Sandbox.await(
        "the output " + text, () -> Files.readString(sandbox.file("printed")).endsWith(text));
  }

  private void append(String text) throws IOException {
    Files.writeString(log(), text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private static String lines(int from, int to) {
    StringBuilder lines = new StringBuilder();
    for (int i = from; i < to; i++) {
      lines.append("line ").append(i).append('\n');
    }
    return lines.toString();
  }

  private void end(Process process) throws Exception {
    process.destroy();
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
  }

  @Test
  void theLastLinesArePrintedAsTheyAre() throws Exception {
    append(lines(0, 20_000) + "\u001b[31mred\r\nno end");

    assertThat(logs("-n", "3")).isEqualTo(new Result(0, "line 19999\n\u001b[31mred\r\nno end", ""));
    assertThat(logs("-n", "0")).isEqualTo(new Result(0, "", ""));
    assertThat(logs("-n", "all").out()).isEqualTo(Files.readString(log()));
    assertThat(logs().out().lines()).hasSize(LogsCommand.LINES);
  }

  @Test
  void aTerminalShowsNoControlCharacters() throws Exception {
    append("\u001b[31mred\u0007\r\nä\tend\n");

    Result result = files.shell("script -qc '" + Sandbox.DAIMON + " logs web' /dev/null");

    assertThat(
            new String(result.out().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8))
        .isEqualTo("?[31mred?\r\nä\tend\r\n");
  }

  @Test
  void whatIsNoLogIsToldAndNotWaitedFor() throws Exception {
    assertThat(logs())
        .isEqualTo(new Result(66, "", "daimon: there is no " + files.known(log()) + "\n"));

    assertThat(new ProcessBuilder("mkfifo", log().toString()).start().waitFor()).isZero();

    assertThat(logs())
        .isEqualTo(
            new Result(66, "", "daimon: " + files.known(log()) + " is not a regular file\n"));
  }

  private void define(String... lines) throws IOException {
    Path definition = files.definition("web");
    Files.createDirectories(definition.getParent());
    Files.writeString(definition, String.join("\n", lines) + "\n");
  }

  @Test
  void aRunHasALogIfItsOutputGoesToAFile() throws Exception {
    Path output = sandbox.file("log/out");
    define("stdout " + files.known(output), "program sh -c 'echo said; exec sleep 1000'");
    Process run = files.prepare("run", "web").start();
    Sandbox.await("output", () -> Files.exists(output) && Files.size(output) > 0);
    sandbox.awaitProgram("sleep");

    assertThat(logs()).isEqualTo(new Result(0, "said\n", ""));

    end(run);
    define("program sleep 1000");
    assertThat(logs()).isEqualTo(new Result(0, "said\n", ""));
  }

  @Test
  void oneThatDaemonizesItselfHasNone() throws Exception {
    append("of an earlier start\n");
    define("self", "program /usr/sbin/nothing");

    Result result = logs();

    assertThat(result.exitCode()).isEqualTo(66);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .isEqualTo("daimon: web daemonizes itself: its output goes where that says\n");
  }

  @Test
  void theRestOfARenamedLogIsPrintedBeforeTheNewOne() throws Exception {
    append(lines(0, 10));
    Process follow = follow("-n", "all");
    awaitPrinted("line 9\n");

    Path old = log().resolveSibling("web.log.1");
    Files.move(log(), old);
    Files.writeString(old, lines(10, 20), StandardOpenOption.APPEND);
    append(lines(30, 40));
    awaitPrinted("line 39\n");
    // The daemon has not opened the new one yet.
    Files.writeString(old, "late\n", StandardOpenOption.APPEND);
    awaitPrinted("late\n");
    append("last\n");
    awaitPrinted("last\n");
    end(follow);

    assertThat(sandbox.file("printed")).hasContent(lines(0, 20) + lines(30, 40) + "late\nlast\n");
  }

  @Test
  void noRotationLosesOrDoublesALineOfADaemonThatWrites() throws Exception {
    append("");
    Process follow = follow("-n", "all");
    Process writer =
        sandbox
            .prepare(
                List.of("sh", "-c", WRITER, "writer", "3000", "6000"),
                Map.of("log", log().toString()))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
            .start();
    awaitPrinted("line 2999\n");

    for (int i = 1; i < 4; i++) {
      Files.move(log(), log().resolveSibling("web.log." + i));
      Files.createFile(log());
    }
    assertThat(sandbox.shell("kill -s HUP " + writer.pid()).exitCode()).isZero();
    Files.createFile(sandbox.file("go"));
    awaitPrinted("line 5999\n");
    end(follow);

    assertThat(sandbox.file("printed")).hasContent(lines(0, 6000));
  }

  @Test
  void anEmptiedLogIsPrintedFromItsBeginning() throws Exception {
    append(lines(0, 10));
    Process follow = follow("-n", "0");
    Sandbox.await("its watch", () -> hasWatch(follow));

    for (int i = 1; i < 4; i++) {
      append(lines(i * 100, i * 100 + 10));
      awaitPrinted("line " + (i * 100 + 9) + "\n");
      Files.copy(log(), log().resolveSibling("web.log." + i));
      // Longer at once than it was before.
      Files.writeString(log(), lines(i * 1000, i * 1000 + 50));
      awaitPrinted("line " + (i * 1000 + 49) + "\n");
    }
    Files.delete(log());
    append("returned\n");
    awaitPrinted("returned\n");
    end(follow);

    StringBuilder expected = new StringBuilder();
    for (int i = 1; i < 4; i++) {
      expected.append(lines(i * 100, i * 100 + 10)).append(lines(i * 1000, i * 1000 + 50));
    }
    assertThat(sandbox.file("printed")).hasContent(expected + "returned\n");
  }

  @Test
  void aFollowerWhoseLauncherIsKilledEnds() throws Exception {
    append("line\n");
    Process follow = follow();
    awaitPrinted("line\n");

    follow.destroyForcibly().waitFor();

    Sandbox.await("the end of its JVM", () -> sandbox.running("java").isEmpty());
  }

  /** The command's JVM is the script's child. */
  private static boolean hasWatch(Process command) {
    return command
        .descendants()
        .anyMatch(process -> {
          try (var all = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
            for (Path one : all.toList()) {
              if (Files.readSymbolicLink(one).toString().contains("inotify")) {
                return true;
              }
            }
            return false;
          } catch (IOException gone) {
            return false;
          }
        });
  }

  @Test
  void untilExitEndsWhenTheDaemonHasEndedAndAllIsPrinted() throws Exception {
    Files.createDirectories(files.pidFile("web").getParent());
    Result started =
        files.daimon(
            "start",
            "-p",
            files.known(files.pidFile("web")),
            "-o",
            files.known(log()),
            "--",
            "sh",
            "-c",
            "trap 'echo bye; exit' TERM; echo begin; while :; do sleep 0.1; done");
    assertThat(started).isEqualTo(new Result(0, "", ""));
    Process follow = follow("-n", "all", "--until-exit");
    awaitPrinted("begin\n");

    assertThat(files.daimon("stop", "-p", files.known(files.pidFile("web"))).exitCode()).isZero();

    assertThat(follow.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(follow.exitValue()).isZero();
    assertThat(sandbox.file("printed")).hasContent("begin\nbye\n");
    assertThat(sandbox.file("said")).isEmptyFile();
  }

  @Test
  void aReaderThatLeavesEndsItQuietly() throws Exception {
    append(lines(0, 10));

    Result result = files.shell("exec 3>&1; { $daimon logs web -f; echo $? >&3; } | head -n 1");

    assertThat(result).isEqualTo(new Result(0, "line 0\n0\n", ""));
  }

  @Test
  @Tag("root")
  void rootOpensNoLogThatOthersMayRedirect() throws Exception {
    Path link = files.log("link");
    Files.createSymbolicLink(link, Path.of("/etc/passwd"));

    Result result = files.daimon("logs", "link");

    assertThat(result.exitCode()).isEqualTo(66);
    assertThat(result.out()).isEmpty();
  }
}
