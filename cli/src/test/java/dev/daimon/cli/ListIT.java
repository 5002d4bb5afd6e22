package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.FaultInjector;
import dev.daimon.testing.FaultInjector.Call;
import dev.daimon.testing.FaultInjector.Fault;
import dev.daimon.testing.ProcessSandbox.Result;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code daimon list}: the table, the JSON array, and whose daemons it tells of. */
class ListIT {
  @RegisterExtension final Sandbox sandbox = new Sandbox();
  private final NamedFiles files = new NamedFiles(sandbox);

  @BeforeEach
  void makeDirectories() throws Exception {
    files.make();
    Files.createDirectories(files.pidFile("web").getParent());
    Files.createDirectories(files.definition("web").getParent());
  }

  private long start(String name, String... program) throws Exception {
    String[] words = {"start", "-p", files.known(files.pidFile(name)), "--"};
    String[] all = new String[words.length + program.length];
    System.arraycopy(words, 0, all, 0, words.length);
    System.arraycopy(program, 0, all, words.length, program.length);
    assertThat(files.daimon(all)).isEqualTo(new Result(0, "", ""));
    return Sandbox.pid(files.pidFile(name));
  }

  @Test
  void nothingIsToldInALine() throws Exception {
    Result result = files.daimon("list");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .isEqualTo(
            "daimon: no daemon is defined in %s, and none runs\n",
            files.known(files.definition("web").getParent()));
    assertThat(files.daimon("list", "--json")).isEqualTo(new Result(0, "[]\n", ""));
  }

  @Test
  @Tag("cc")
  void whereNoSecondThreadCanBeStartedOneExaminesAll() throws Exception {
    for (int i = 0; i < 20; i++) {
      Files.createFile(files.definition("web" + i));
    }
    FaultInjector injector = FaultInjector.compiled(Files.createDirectory(sandbox.file("inject")));
    Path log = sandbox.file("calls");
    List<String> list = List.of(Sandbox.DAIMON.toString(), "list");
    Result usual = run(injector.command(log, list));
    assertThat(usual.exitCode()).as(usual.toString()).isZero();
    assertThat(usual.out()).hasLineCount(21);
    Call thread =
        FaultInjector.calls(log).stream()
            .filter(call -> call.label().equals("java") && call.name().equals("clone3"))
            .reduce((_, last) -> last)
            .orElseThrow();

    Result result = run(injector.command(log, new Fault("error", thread, "EPERM"), list));

    assertThat(FaultInjector.hasHappened(log)).isTrue();
    assertThat(result).isEqualTo(usual);
  }

  private Result run(List<String> command) throws Exception {
    return sandbox.run(files.command(command.toArray(String[]::new)), files.variables());
  }

  @Test
  void theTableIsSortedAndCutAtTheTerminal() throws Exception {
    String zeros = "0".repeat(200);
    long pid = start("web", "sleep", "1000", zeros);
    Files.createFile(files.definition("api"));
    Files.writeString(files.pidFile("text"), "text\n");
    sandbox.awaitProgram("sleep");

    Result result = files.daimon("list");

    assertThat(result.exitCode()).isZero();
    assertThat(result.err()).isEmpty();
    List<String> lines = result.out().lines().toList();
    assertThat(lines).hasSize(4);
    assertThat(lines.get(0)).matches("NAME +STATE +PID +USER +UP +MEMORY +COMMAND");
    assertThat(lines.get(1)).matches("api +not_running +- +- +- +- +-");
    assertThat(lines.get(2)).matches("text +unknown +- +- +- +- +\\(.* is no pidfile: .*\\)");
    assertThat(lines.get(3))
        .matches("web +running +" + pid + " +\\S+ +\\d+s +[\\d.]+[KM] +sleep 1000 " + zeros);

    String narrow = "script -qc 'stty cols 60; " + Sandbox.DAIMON + " list' /dev/null";
    assertThat(files.shell(narrow).out().lines())
        .hasSize(4)
        .allMatch(line -> line.length() <= 60)
        .anyMatch(line -> line.length() == 60);
    assertThat(files.shell("COLUMNS=50 $daimon list").out().lines())
        .allMatch(line -> line.length() <= 50);
    // Each of these characters takes two columns.
    Result wide =
        files.shell(
            """
            two=$'\\xe6\\x97\\xa5\\xe6\\x9c\\xac'
            $daimon start $two -- sh -c 'sleep 1000; :' $two$two$two$two$two$two$two$two$two$two || exit 11
            COLUMNS=70 $daimon list | grep ^$two
            """);
    assertThat(wide.exitCode()).as(wide.err()).isZero();
    String line =
        new String(wide.out().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    assertThat(line).startsWith("日本  running").hasLineCount(1);
    assertThat(Columns.of(line.strip())).isBetween(69, 70);
  }

  @Test
  void jsonHasTheKeysOfTheStatusAndThoseOfTheList() throws Exception {
    long pid = start("web", "sleep", "1000");
    Files.createFile(files.definition("web"));
    Files.createFile(files.definition("api"));
    sandbox.awaitProgram("sleep");

    List<String> lines = files.daimon("list", "--json").out().lines().toList();

    assertThat(lines).hasSize(4).startsWith("[").endsWith("]");
    assertThat(lines.get(1))
        .startsWith("{\"name\":\"api\",\"defined\":true,\"memory\":null,\"state\":\"not_running\"")
        .endsWith("},");
    assertThat(lines.get(2))
        .matches(
            "\\{\"name\":\"web\",\"defined\":true,\"memory\":[1-9]\\d+,\"state\":\"running\",.*"
                + "\"pid\":"
                + pid
                + ",.*\"commandLine\":\\[\"sleep\",\"1000\"],.*\"output\":null,.*}");
  }

  @Test
  void oneWhosePidfileIsGoneIsNotForgotten() throws Exception {
    assertThat(files.daimon("start", "web", "--", "sleep", "1000").exitCode()).isZero();
    long pid = Sandbox.pid(files.pidFile("web"));
    Files.delete(files.pidFile("web"));

    List<String> lines = files.daimon("list").out().lines().toList();
    assertThat(lines).hasSize(2);
    assertThat(lines.get(1)).startsWith("web   unknown").contains("process " + pid);
    Result stopped = files.daimon("stop", "--all");
    assertThat(stopped.exitCode()).isEqualTo(4);
    assertThat(stopped.err()).startsWith("daimon: web: ").contains("type kill " + pid);
    Result followed = files.daimon("logs", "web", "-f", "--until-exit");
    assertThat(followed.exitCode()).isEqualTo(4);
    assertThat(followed.err()).contains("type kill " + pid);
  }

  @Test
  void whatADaemonWasStartedWithCountsAlsoWithoutItsDefinition() throws Exception {
    Files.writeString(files.definition("web"), "no-lock\npid-only\nprogram sleep 1000\n");
    assertThat(files.daimon("start", "web")).isEqualTo(new Result(0, "", ""));
    Files.delete(files.definition("web"));
    String line = Files.readString(files.pidFile("web"));

    assertThat(lineOfWeb()).startsWith("web   running  ");
    assertThat(files.daimon("list", "--json").out()).containsPattern("\"memory\":[1-9]");
    // It says nothing of another process.
    Files.writeString(files.pidFile("web"), ProcessHandle.current().pid() + "\n");
    assertThat(lineOfWeb()).startsWith("web   unknown  ");

    Files.writeString(files.pidFile("web"), line);

    // Nor of one that has only the process id of the one that was started.
    String record = "record=$(find $dir -name web.started); ";
    String ofAnotherTime = "sed -i '1s/] \\([0-9]*\\) [0-9]*/] \\1 12/' $record";
    assertThat(files.shell(record + "cp -p $record $dir/kept; " + ofAnotherTime).exitCode())
        .isZero();
    assertThat(lineOfWeb()).startsWith("web   unknown  ");
    assertThat(files.shell(record + "mv $dir/kept $record").exitCode()).isZero();
    assertThat(lineOfWeb()).startsWith("web   running  ");

    // As to status, the definition is what counts where there is one.
    Files.writeString(files.definition("web"), "program sleep 1000\n");
    assertThat(lineOfWeb()).startsWith("web   unknown  ");
    Files.writeString(files.definition("web"), "pid-only\nprogram sleep 1000\n");
    assertThat(lineOfWeb()).startsWith("web   running  ");
    assertThat(files.daimon("stop", "web")).isEqualTo(new Result(0, "", ""));
  }

  private String lineOfWeb() throws Exception {
    return files.daimon("list").out().lines().toList().get(1);
  }

  @Test
  void whatIsNoDirectoryIsTold() throws Exception {
    Path directory = files.definition("web").getParent();
    Files.delete(directory);
    Files.createFile(directory);
    Result told =
        new Result(
            73, "", "daimon: open " + files.known(directory) + ": Not a directory (ENOTDIR, 20)\n");

    assertThat(files.daimon("list")).isEqualTo(told);
    assertThat(files.daimon("check")).isEqualTo(told);
    assertThat(files.daimon("start", "--all")).isEqualTo(told);
    assertThat(files.daimon("stop", "--all")).isEqualTo(told);
  }

  @Test
  @Tag("root")
  void rootListsAnotherUsersAndNobodyElseDoes() throws Exception {
    Files.createFile(files.definition("roots"));
    String daimon = sandbox.publicDaimon().toString();

    // The home of nobody does not exist.
    assertThat(files.daimon("list", "--user", "nobody").err())
        .startsWith("daimon: no daemon is defined in /nonexistent/.config/daimon");
    Result refused =
        sandbox.run(
            List.of("setpriv", "--reuid=65534", "--clear-groups", daimon, "list", "-u", "root"),
            Map.of("HOME", "/nonexistent"));
    assertThat(refused.exitCode()).isEqualTo(77);
    assertThat(refused.err())
        .isEqualTo("daimon: only root can list the daemons of another user, root\n");
  }
}
