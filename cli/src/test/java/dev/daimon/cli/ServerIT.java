package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Real servers, started as an operator starts them, asked, and stopped by their pidfile. */
class ServerIT {
  private static final int ALREADY_RUNNING = 69;
  private static final int DEADLINE_SECONDS = 30;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @Test
  @Tag("redis-server")
  void redisServes() throws Exception {
    int port = freePort();
    String[] start = {
      "start",
      "-p",
      sandbox.file("redis.pid").toString(),
      "-o",
      sandbox.file("redis.log").toString(),
      "--",
      "redis-server",
      "--port",
      Integer.toString(port),
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--dir",
      sandbox.directory().toString()
    };

    assertThat(sandbox.daimon(start)).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    try (Server redis = new Server(sandbox.file("redis.pid"))) {
      Sandbox.await("redis to listen", () -> answers(port));
      assertThat(ask(port, "PING\r\n")).isEqualTo("+PONG");
      String log = Files.readString(sandbox.file("redis.log"));
      ProcessSandbox.Result second = sandbox.daimon(start);
      assertThat(second.exitCode()).isEqualTo(ALREADY_RUNNING);
      assertThat(second.err()).contains(Long.toString(redis.process().pid())).hasLineCount(1);
      assertThat(ask(port, "PING\r\n")).isEqualTo("+PONG");

      redis.stop();

      assertThat(Files.readString(sandbox.file("redis.log")))
          .startsWith(log)
          .contains("Redis is now ready to exit");
    }
    assertThat(sandbox.daimon(start)).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    try (Server redis = new Server(sandbox.file("redis.pid"))) {
      Sandbox.await("redis to listen", () -> answers(port));
      redis.stop();
    }
  }

  @Test
  @Tag("nginx")
  @Tag("root")
  void nginxServes() throws Exception {
    int port = freePort();
    Path prefix = Files.createDirectory(sandbox.file("nginx"));
    Files.writeString(prefix.resolve("index.html"), "served by a daemon\n");
    Files.writeString(
        prefix.resolve("nginx.conf"),
        """
        user root;
        pid nginx.pid;
        error_log stderr notice;
        events {}
        http {
          access_log access.log;
          client_body_temp_path client;
          proxy_temp_path proxy;
          fastcgi_temp_path fastcgi;
          uwsgi_temp_path uwsgi;
          scgi_temp_path scgi;
          server {
            listen 127.0.0.1:%d;
            root .;
          }
        }
        """
            .formatted(port));

    ProcessSandbox.Result result =
        sandbox.daimon(
            "start",
            "-p",
            sandbox.file("pid").toString(),
            "-o",
            sandbox.file("log").toString(),
            "--",
            "/usr/sbin/nginx",
            "-p",
            prefix.toString(),
            "-c",
            prefix.resolve("nginx.conf").toString(),
            "-g",
            "daemon off;");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    try (Server nginx = new Server(sandbox.file("pid"))) {
      Sandbox.await("nginx to listen", () -> answers(port));
      assertThat(ask(port, "GET / HTTP/1.0\r\n\r\n")).contains("200 OK");
      assertThat(Sandbox.pid(prefix.resolve("nginx.pid"))).isEqualTo(nginx.process().pid());

      nginx.stop();

      assertThat(prefix.resolve("access.log")).content().contains("GET / HTTP/1.0");
      assertThat(sandbox.file("log")).content().contains("start worker process");
    }
    Sandbox.await("nginx to be gone", () -> !answers(port));
  }

  @Test
  void aJavaProgramRunsAndEndsAsItsHookSays() throws Exception {
    Path source =
        Files.writeString(
            sandbox.file("Greeter.java"),
            """
            class Greeter {
              public static void main(String[] words) throws Exception {
                var hook = new Thread(() -> System.out.println("goodbye"));
                Runtime.getRuntime().addShutdownHook(hook);
                System.out.println("hello, " + words[0] + " from " + ProcessHandle.current().pid());
                Thread.currentThread().join();
              }
            }
            """);
    Path pidFile = sandbox.file("pid");
    Path log = sandbox.file("log");

    ProcessSandbox.Result result =
        sandbox.daimon(
            "start",
            "-p",
            pidFile.toString(),
            "-o",
            log.toString(),
            "--",
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            source.toString(),
            "wörld");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    try (Server java = new Server(pidFile)) {
      Sandbox.await("its first words", () -> Files.size(log) > 0);
      java.stop();
      assertThat(Files.readString(log, StandardCharsets.ISO_8859_1))
          .endsWith(" from " + java.process().pid() + "\ngoodbye\n");
    }
  }

  /** A running daemon; some of them overwrite the environment that a sandbox finds them by. */
  private record Server(ProcessHandle process) implements AutoCloseable {
    Server(Path pidFile) throws IOException {
      this(ProcessHandle.of(Sandbox.pid(pidFile)).orElseThrow());
    }

    void stop() throws Exception {
      process.destroy();
      process.onExit().get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean answers(int port) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (java.net.ConnectException notYet) {
      return false;
    }
  }

  /** The first line of the answer. */
  private static String ask(int port, String question) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(DEADLINE_SECONDS));
      socket.getOutputStream().write(question.getBytes(StandardCharsets.US_ASCII));
      BufferedReader answer =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      return String.valueOf(answer.readLine());
    }
  }
}
