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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Real servers: started as an operator starts them, used, and stopped by their pidfile. */
class ServerIT {
  private static final ProcessSandbox.Result DONE = new ProcessSandbox.Result(0, "", "");
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

      assertThat(control("status", sandbox.file("redis.pid")).out())
          .startsWith("running: process " + redis.process().pid() + ", user ");
      assertThat(control("stop", sandbox.file("redis.pid"))).isEqualTo(DONE);

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
    Path prefix = nginxPrefix(port);

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

      assertThat(control("status", sandbox.file("pid")).out())
          .startsWith("running: process " + nginx.process().pid() + ", user root, up 0:00:")
          .contains(": nginx: master process");
      List<ProcessHandle> workers = nginx.process().children().toList();
      assertThat(control("reload", sandbox.file("pid"))).isEqualTo(DONE);
      Sandbox.await(
          "new workers", () -> workers.stream().noneMatch(ProcessHandle::isAlive) && answers(port));
      assertThat(ask(port, "GET / HTTP/1.0\r\n\r\n")).contains("200 OK");

      assertThat(control("stop", sandbox.file("pid"), "--signal", "QUIT")).isEqualTo(DONE);

      assertThat(answers(port)).isFalse();
      assertThat(prefix.resolve("access.log")).content().contains("GET / HTTP/1.0");
      assertThat(sandbox.file("log")).content().contains("start worker process");
    }
    Sandbox.await("nginx to be gone", () -> !answers(port));
  }

  /** Creates a directory with all that nginx needs. */
  private Path nginxPrefix(int port) throws IOException {
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
    return prefix;
  }

  private ProcessSandbox.Result control(String command, Path pidFile, String... words)
      throws Exception {
    List<String> all = new ArrayList<>(List.of(command, "-p", pidFile.toString()));
    all.addAll(List.of(words));
    return sandbox.daimon(all.toArray(String[]::new));
  }

  /** nginx locks nothing then. */
  @Test
  @Tag("nginx")
  @Tag("root")
  void nginxThatDaemonizesItselfIsControlledWithPidOnly() throws Exception {
    int port = freePort();
    Path prefix = nginxPrefix(port);
    Path pidFile = prefix.resolve("nginx.pid");
    assertThat(
            sandbox
                .run(
                    List.of(
                        "/usr/sbin/nginx", "-p", prefix.toString(), "-c", prefix + "/nginx.conf"),
                    Map.of())
                .exitCode())
        .isZero();
    // Its parent does not wait until it has written that.
    ProcessSandbox.await(
        "nginx's id", () -> Files.exists(pidFile) && Files.readString(pidFile).endsWith("\n"));
    try (Server nginx = new Server(pidFile)) {
      ProcessSandbox.Result status = control("status", pidFile);
      assertThat(status.exitCode()).isEqualTo(4);
      assertThat(status.out()).contains("process " + nginx.process().pid() + " (nginx)");
      assertThat(control("stop", pidFile).exitCode()).isEqualTo(4);
      assertThat(ask(port, "GET / HTTP/1.0\r\n\r\n")).contains("200 OK");

      assertThat(control("reload", pidFile, "--pid-only")).isEqualTo(DONE);
      assertThat(control("stop", pidFile, "--pid-only")).isEqualTo(DONE);

      assertThat(answers(port)).isFalse();
      assertThat(pidFile).doesNotExist();
    }
  }

  @Test
  @Tag("redis-server")
  void redisThatDaemonizesItselfIsWaitedFor() throws Exception {
    int port = freePort();
    Path pidFile = sandbox.file("redis.pid");
    List<String> redis =
        List.of(
            "redis-server",
            "--port",
            Integer.toString(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            sandbox.directory().toString(),
            "--daemonize",
            "yes",
            "--pidfile",
            pidFile.toString());
    List<String> words = new ArrayList<>(List.of("--self", "--pid-only"));
    words.addAll(redis);

    // Its first lines go to the launcher's standard output.
    assertThat(control("start", pidFile, words.toArray(String[]::new)).exitCode()).isZero();
    try (Server first = new Server(pidFile)) {
      assertThat(control("status", pidFile, "--pid-only").exitCode()).isZero();
      assertThat(control("restart", pidFile, words.toArray(String[]::new)).exitCode()).isZero();
      assertThat(first.process().isAlive() && !isZombie(first.process())).isFalse();
    }
    try (Server _ = new Server(pidFile)) {
      Sandbox.await("redis to listen", () -> answers(port));
      assertThat(ask(port, "PING\r\n")).isEqualTo("+PONG");
      assertThat(control("stop", pidFile, "--pid-only")).isEqualTo(DONE);
      assertThat(answers(port)).isFalse();
    }
  }

  /** Tells whether the process is gone or a zombie, which nobody has waited for yet. */
  private static boolean isZombie(ProcessHandle process) {
    try {
      return Sandbox.status(process.pid(), "State").startsWith("Z");
    } catch (IOException gone) {
      return true;
    }
  }

  @Test
  void aJavaProgramRunsAndItsShutdownHookRuns() throws Exception {
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

  /**
   * A running daemon; the sandbox does not find some of them, since they overwrite their
   * environment.
   */
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
