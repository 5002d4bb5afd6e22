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

  private ProcessSandbox.Result start(String ready, List<String> program) throws Exception {
    List<String> words =
        new ArrayList<>(
            List.of(
                "start", "-p", pidFile.toString(), "-o", log.toString(), "--ready", ready, "--"));
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
}
