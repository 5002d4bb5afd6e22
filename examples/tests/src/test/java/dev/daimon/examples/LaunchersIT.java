package dev.daimon.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Command;
import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The files of docs/launchers.md, run with the paths and the port of the test in them. */
class LaunchersIT {
  private static final Path DOCS = Examples.ROOT.resolve("docs");
  private static final Path FILES = DOCS.resolve("launchers");
  private static final Path DAIMON = Examples.ROOT.resolve("cli/target/daimon/bin/daimon");

  @RegisterExtension final Examples examples = new Examples();

  private int port;

  @BeforeEach
  void prepare() throws Exception {
    port = Ports.free();
    Files.writeString(examples.file("web.properties"), "greeting=Hello\n");
    Examples.openToAll(examples.directory(), "rwxr-xr-x");
  }

  private static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(FILES)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  @Test
  void thePageShowsEachFile() throws Exception {
    String page = Files.readString(DOCS.resolve("launchers.md"));

    assertThat(files()).hasSize(9);
    for (Path file : files()) {
      assertThat(page).as(file.toString()).contains("\n" + Files.readString(file) + "```\n");
    }
  }

  /** Writes a file into the test's directory, with the paths and the port of the test. */
  private Path adapted(String name) throws IOException {
    String user = System.getProperty("user.name");
    String text =
        Files.readString(FILES.resolve(name))
            .replace("/usr/bin/java", Examples.tool("java"))
            .replace("exec java", "exec " + Examples.tool("java"))
            .replace("/usr/bin/daimon", DAIMON.toString())
            .replace("/opt/web/web.jar", Examples.jar("web").toString())
            .replace("/opt/spring/spring.jar", Examples.jar("spring").toString())
            .replace("/var/lib/web", examples.directory().toString())
            .replace("/etc/web.properties", examples.file("web.properties").toString())
            .replace(" 80 www-data", " " + port + " " + user)
            .replace("8080", Integer.toString(port));
    Path copy = examples.file(name.substring(name.indexOf('/') + 1));
    Files.writeString(copy, text);
    Path _ =
        Files.setPosixFilePermissions(
            copy, Files.getPosixFilePermissions(FILES.resolve(name), LinkOption.NOFOLLOW_LINKS));
    return copy;
  }

  @Test
  @Tag("systemd-analyze")
  void systemdFindsNothingWrongWithTheUnits() throws Exception {
    List<String> command = new ArrayList<>(List.of("systemd-analyze", "verify", "--man=no"));
    for (Path file : files()) {
      String name = FILES.relativize(file).toString();
      if (name.endsWith(".service") || name.endsWith(".socket")) {
        command.add(adapted(name).toString());
      }
    }

    assertThat(command).hasSize(3 + 5);
    assertThat(examples.run(command, Map.of())).isEqualTo(new Result(0, "", ""));
  }

  private int init(Path script, String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", script.toString()));
    command.addAll(List.of(words));
    return examples.run(command, Map.of()).exitCode();
  }

  @Test
  void theInitScriptHasTheExitStatusesOfTheStandard() throws Exception {
    Path script = adapted("web.init");
    Path pidFile = examples.file("web.pid");
    assertThat(examples.run(List.of("sh", "-n", script.toString()), Map.of()).exitCode()).isZero();

    assertThat(init(script, "status")).isEqualTo(3);
    assertThat(init(script, "reload")).isEqualTo(7);
    assertThat(init(script, "stop")).isZero();
    assertThat(init(script, "start")).isZero();
    assertThat(Examples.get(port)).isEqualTo("Hello\n");
    assertThat(init(script, "status")).isZero();
    long first = Examples.pid(pidFile);
    assertThat(init(script, "start")).isZero();
    assertThat(Examples.pid(pidFile)).isEqualTo(first);

    Files.writeString(examples.file("web.properties"), "greeting=Again\n");
    assertThat(init(script, "reload")).isZero();
    Examples.await("the reload", () -> Examples.get(port).equals("Again\n"));
    assertThat(init(script, "restart")).isZero();
    assertThat(Examples.pid(pidFile)).isNotEqualTo(first);
    assertThat(Examples.get(port)).isEqualTo("Again\n");

    Command.kill("KILL", Examples.pid(pidFile));
    Examples.await("its end", () -> !Examples.isLocked(pidFile));
    assertThat(init(script, "status")).isEqualTo(1);
    assertThat(init(script, "start")).isZero();
    assertThat(init(script, "stop")).isZero();
    assertThat(init(script, "status")).isEqualTo(3);
    assertThat(init(script, "try-restart")).isEqualTo(2);
    assertThat(init(script)).isEqualTo(2);
    try (ServerSocket taken = new ServerSocket(port)) {
      assertThat(taken.isBound()).isTrue();
      assertThat(init(script, "start")).isEqualTo(1);
    }
    examples.awaitEnd();
  }

  private Result job(String more) throws Exception {
    Path script = adapted("ci-job.sh");
    Files.writeString(script, Files.readString(script) + more);
    return examples.run(
        List.of("sh", script.toString()),
        Map.of("PATH", DAIMON.getParent() + ":" + System.getenv("PATH")));
  }

  @Test
  @Tag("python3")
  void theJobTestsAServerThatServesAndStopsIt() throws Exception {
    Result result = job("");

    assertThat(result.out()).isEqualTo("200\n");
    assertThat(result.exitCode()).as(result.err()).isZero();
    examples.awaitEnd();
    assertThat(examples.file("server.pid")).doesNotExist();
  }

  @Test
  @Tag("python3")
  void theJobStopsTheServerAlsoIfATestFails() throws Exception {
    assertThat(job("exit 42\n").exitCode()).isEqualTo(42);

    examples.awaitEnd();
  }

  @Test
  @Tag("python3")
  void theJobFailsAtOnceWithTheWordsOfAServerThatCannotStart() throws Exception {
    try (ServerSocket taken = new ServerSocket(port)) {
      Result result = job("");

      assertThat(taken.isBound()).isTrue();
      assertThat(result.exitCode()).isEqualTo(70);
      assertThat(result.err()).contains("Address already in use");
      assertThat(result.out()).isEmpty();
    }
    examples.awaitEnd();
  }

  @Test
  @Tag("s6-supervise")
  void s6HearsThatTheServerIsReady() throws Exception {
    Path service = Files.createDirectory(examples.file("service"));
    for (String name : List.of("run", "notification-fd")) {
      Path _ = Files.move(adapted("s6/" + name), service.resolve(name));
    }
    Process supervisor =
        examples
            .prepare(List.of("s6-supervise", service.toString()), Map.of())
            .redirectErrorStream(true)
            .redirectOutput(examples.file("s6.out").toFile())
            .start();
    Examples.await("the supervisor", () -> s6("s6-svok") == 0);

    assertThat(s6("s6-svwait", "-U", "-t", "60000")).isZero();

    assertThat(Examples.get(port)).isEqualTo("Hello\n");
    assertThat(s6("s6-svc", "-wD", "-T", "60000", "-d")).isZero();
    assertThat(s6("s6-svc", "-x")).isZero();
    assertThat(supervisor.waitFor()).isZero();
    assertThat(examples.file("s6.out")).isEmptyFile();
    examples.awaitEnd();
  }

  private int s6(String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of(words));
    command.add(examples.file("service").toString());
    return examples.run(command, Map.of()).exitCode();
  }

  /** What an image's entry point is. */
  @ParameterizedTest
  @ValueSource(strings = {"", "run"})
  @Tag("root")
  void asProcess1OfAContainerItStopsInPeace(String daimon) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"));
    if (!daimon.isEmpty()) {
      command.addAll(List.of(DAIMON.toString(), daimon, "-c", examples.directory().toString()));
      command.add("--");
    }
    command.addAll(
        Examples.command(
            "-Dforeground=true",
            "-jar",
            Examples.jar("web").toString(),
            Integer.toString(port),
            "root",
            examples.file("web.properties").toString()));
    Process container =
        examples.prepare(command, Map.of()).redirectError(examples.file("err").toFile()).start();
    examples.awaitWords("web.log", "Serving port " + port);
    assertThat(Examples.pid(examples.file("web.pid"))).isEqualTo(1);
    Examples.await("the greeting", () -> Examples.get(port).equals("Hello\n"));

    Command.kill("TERM", Examples.onlyChild(container.pid()));

    assertThat(container.waitFor()).isZero();
    assertThat(examples.file("web.pid")).doesNotExist();
    assertThat(examples.file("err")).isEmptyFile();
  }

  @Test
  @Tag("systemd-socket-activate")
  void theFirstConnectionStartsSpringWhichServesTheSocketThatWasOpenBefore() throws Exception {
    List<String> command = new ArrayList<>(List.of("systemd-socket-activate"));
    for (Map.Entry<String, String> variable : examples.mark().entrySet()) {
      command.addAll(List.of("-E", variable.getKey() + "=" + variable.getValue()));
    }
    command.addAll(List.of("-l", Integer.toString(port)));
    command.addAll(
        Examples.command(
            "-Dforeground=true", "-jar", Examples.jar("spring").toString(), "--server.port=1"));
    Process activator =
        examples
            .prepare(command, Map.of())
            .redirectErrorStream(true)
            .redirectOutput(examples.file("out").toFile())
            .start();
    Examples.await("the socket", () -> Ports.isTaken(port));
    assertThat(examples.file("spring.pid")).doesNotExist();

    assertThat(Examples.get(port)).isEqualTo("Hello");

    assertThat(Examples.pid(examples.file("spring.pid"))).isEqualTo(activator.pid());
    examples.stop(activator.pid());
  }
}
