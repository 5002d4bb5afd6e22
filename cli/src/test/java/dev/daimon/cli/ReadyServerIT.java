package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real servers, awaited by {@code --ready}: each starts to serve, or says why it does not. */
class ReadyServerIT {
  private static final int FAILED = 70;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private Path pidFile;
  private Path log;
  private int port;

  @BeforeEach
  void name() throws IOException {
    pidFile = sandbox.file("pid");
    log = sandbox.file("log");
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
  }

  /** The servers overwrite their environment, so the sandbox does not find them. */
  @AfterEach
  void end() throws Exception {
    if (Files.exists(pidFile) && Files.size(pidFile) > 0) {
      ProcessHandle.of(Sandbox.pid(pidFile))
          .ifPresent(server -> {
            server.descendants().forEach(ProcessHandle::destroyForcibly);
            server.destroyForcibly();
          });
    }
  }

  private ProcessSandbox.Result start(String ready, List<String> program, String... options)
      throws Exception {
    List<String> words =
        new ArrayList<>(
            List.of("start", "-p", pidFile.toString(), "-o", log.toString(), "--ready", ready));
    words.addAll(List.of(options));
    words.add("--");
    words.addAll(program);
    return sandbox.daimon(words.toArray(String[]::new));
  }

  private List<String> redis(String... options) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "redis-server",
                "--port",
                Integer.toString(port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                sandbox.directory().toString()));
    words.addAll(List.of(options));
    return words;
  }

  private void assertServes(ProcessSandbox.Result result) throws Exception {
    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }
    assertThat(sandbox.daimon("status", "-p", pidFile.toString()).exitCode()).isZero();
    assertThat(sandbox.daimon("stop", "-p", pidFile.toString()).exitCode()).isZero();
    assertThat(pidFile).doesNotExist();
  }

  private void assertFailed(ProcessSandbox.Result result, String line) throws Exception {
    assertThat(result.exitCode()).isEqualTo(FAILED);
    assertThat(result.err()).contains("has ended with exit code 1 before it was ready");
    assertThat(result.err()).contains(line);
    assertThat(pidFile).doesNotExist();
    assertThat(sandbox.processes()).isEmpty();
  }

  /** At the first moment at which the start has returned, redis accepts connections. */
  @ParameterizedTest
  @ValueSource(strings = {"notify", "tcp:", "tcp:127.0.0.1:", "log:Ready to accept connections"})
  @Tag("redis-server")
  void redisIsReadyWhenTheStartReturns(String ready) throws Exception {
    boolean notify = ready.equals("notify");
    String when = ready.endsWith(":") ? ready + port : ready;

    assertServes(start(when, notify ? redis("--supervised", "systemd") : redis()));
  }

  @Test
  @Tag("redis-server")
  void redisOnAUnixSocketIsReady() throws Exception {
    Path socket = sandbox.file("redis.sock");

    assertServes(start("unix:" + socket, redis("--unixsocket", socket.toString())));
  }

  @ParameterizedTest
  @ValueSource(strings = {"notify", "tcp:", "log:Ready to accept connections"})
  @Tag("redis-server")
  void redisWhosePortIsTakenFails(String ready) throws Exception {
    try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      boolean notify = ready.equals("notify");
      String when = ready.endsWith(":") ? ready + port : ready;

      assertFailed(
          start(when, notify ? redis("--supervised", "systemd") : redis()),
          "Address already in use");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"notify", "tcp:1", "alive:1m"})
  @Tag("redis-server")
  void redisWithABadConfigurationFails(String ready) throws Exception {
    assertFailed(start(ready, redis("--no-such-option", "x")), "FATAL CONFIG FILE ERROR");
  }

  private List<String> nginx(String listen) throws IOException {
    Path configuration =
        Files.writeString(
            sandbox.file("nginx.conf"),
            "daemon off; worker_processes 1; error_log stderr; pid nginx.pid;\n"
                + "events {}\n"
                + "http { access_log off; server { listen "
                + listen
                + "; } }\n");
    return List.of(
        "/usr/sbin/nginx", "-p", sandbox.directory().toString(), "-c", configuration.toString());
  }

  /** Its workers have the socket as well; the master listens. */
  @Test
  @Tag("nginx")
  void nginxIsReadyWhenTheStartReturns() throws Exception {
    assertServes(start("tcp:" + port, nginx("127.0.0.1:" + port)));
  }

  @Test
  @Tag("nginx")
  void nginxIsReadyWhenItHasWrittenItsPidfile() throws Exception {
    assertServes(start("file:" + sandbox.file("nginx.pid"), nginx("127.0.0.1:" + port)));
  }

  @Test
  @Tag("nginx")
  void nginxWhosePortIsTakenFails() throws Exception {
    try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      assertFailed(start("tcp:" + port, nginx("127.0.0.1:" + port)), "Address already in use");
    }
  }

  @Test
  @Tag("nginx")
  void nginxWithABadConfigurationFails() throws Exception {
    assertFailed(start("tcp:" + port, nginx("nonsense:x:y")), "[emerg]");
  }

  private List<String> unbound(String more) throws IOException {
    Path configuration =
        Files.writeString(
            sandbox.file("unbound.conf"),
            """
            server:
              interface: 127.0.0.1
              port: %d
              do-daemonize: no
              do-udp: no
              username: ""
              chroot: ""
              pidfile: ""
              use-syslog: no
              directory: "%s"
            %sremote-control:
              control-enable: no
            """
                .formatted(port, sandbox.directory(), more));
    return List.of("/usr/sbin/unbound", "-d", "-p", "-c", configuration.toString());
  }

  @Test
  @Tag("unbound")
  void unboundIsReadyWhenTheStartReturns() throws Exception {
    assertServes(start("notify", unbound("")));
  }

  @Test
  @Tag("unbound")
  void unboundWhosePortIsTakenFails() throws Exception {
    try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      assertFailed(start("notify", unbound("")), "Address already in use");
    }
  }

  @Test
  @Tag("unbound")
  void unboundWithABadConfigurationFails() throws Exception {
    assertFailed(start("notify", unbound("  no-such-option: 1\n")), "no-such-option");
  }

  /**
   * PostgreSQL refuses to run as root. Its server processes are children of the one that speaks.
   */
  @Test
  @Tag("postgresql")
  @Tag("root")
  void postgresIsReadyWhenTheStartReturnsAndFails() throws Exception {
    Path programs = postgresPrograms();
    Path data = sandbox.file("data");
    assertThat(
            sandbox
                .shell(
                    "chmod 755 $dir; install -d -o 65534 -m 700 \"$2\"; cd /;"
                        + " setpriv --reuid=65534 --clear-groups \"$1/initdb\" -D \"$2\"",
                    programs.toString(),
                    data.toString())
                .exitCode())
        .isZero();
    List<String> postgres =
        List.of(
            programs.resolve("postgres").toString(),
            "-D",
            data.toString(),
            "-h",
            "127.0.0.1",
            "-p",
            Integer.toString(port),
            "-k",
            "");

    assertServes(start("notify", postgres, "-u", "65534"));

    try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      assertFailed(start("notify", postgres, "-u", "65534"), "Address already in use");
    }
    List<String> wrong = new ArrayList<>(postgres);
    wrong.addAll(List.of("-c", "no_such_parameter=1"));
    assertFailed(start("notify", wrong, "-u", "65534"), "no_such_parameter");
  }

  private static Path postgresPrograms() throws IOException {
    try (var versions = Files.newDirectoryStream(Path.of("/usr/lib/postgresql"), "[0-9]*")) {
      for (Path version : versions) {
        if (Files.isExecutable(version.resolve("bin/postgres"))) {
          return version.resolve("bin");
        }
      }
    }
    throw new IOException("no postgres");
  }

  /**
   * A program that writes a newline to a descriptor when it is ready; two cannot scan one place.
   */
  @Test
  @Tag("s6-supervise")
  void aProgramOfS6IsReadyAndASecondOneFails() throws Exception {
    Path directory = Files.createDirectory(sandbox.file("scan"));
    List<String> scan = List.of("s6-svscan", "-d", "4", directory.toString());
    Path second = sandbox.file("second.pid");

    assertThat(start("fd:4", scan)).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    ProcessSandbox.Result result =
        sandbox.shell(
            "$daimon start -p \"$1\" --ready fd:4 -- s6-svscan -d 4 \"$2\"",
            second.toString(),
            directory.toString());

    assertThat(result.exitCode()).isEqualTo(FAILED);
    assertThat(result.err()).contains("has ended with exit code 100 before it was ready");
    assertThat(second).doesNotExist();
    assertThat(sandbox.daimon("stop", "-p", pidFile.toString()).exitCode()).isZero();
  }

  /** The other way round: s6 supervises the command, and asks it whether the daemon runs. */
  @Test
  @Tag("s6-supervise")
  void s6AsksTheCommandWhetherTheDaemonRuns() throws Exception {
    Path service = Files.createDirectory(sandbox.file("service"));
    Files.writeString(service.resolve("notification-fd"), "3\n");
    sandbox.script(
        "service/run",
        "#!/bin/sh",
        "exec s6-notifyoncheck -d " + Sandbox.DAIMON + " run -p " + pidFile + " -- sleep 1000");
    Files.createDirectory(service.resolve("data"));
    sandbox.script(
        "service/data/check",
        "#!/bin/sh",
        "exec " + Sandbox.DAIMON + " status -p " + pidFile + " >/dev/null");
    Process supervisor =
        sandbox.prepare(List.of("s6-supervise", service.toString()), Map.of()).start();

    Sandbox.await("the supervisor", () -> Files.exists(service.resolve("supervise/control")));
    assertThat(s6("s6-svwait", "-t", "60000", "-U", service.toString())).isZero();
    assertThat(sandbox.daimon("status", "-p", pidFile.toString()).exitCode()).isZero();
    assertThat(s6("s6-svc", "-wd", "-dx", "-T", "60000", service.toString())).isZero();
    assertThat(supervisor.waitFor()).isZero();
    assertThat(sandbox.daimon("status", "-p", pidFile.toString()).exitCode()).isEqualTo(1);
  }

  private int s6(String... words) throws Exception {
    return sandbox.run(List.of(words), Map.of()).exitCode();
  }
}
