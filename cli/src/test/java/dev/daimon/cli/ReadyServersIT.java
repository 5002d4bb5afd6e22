package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Real servers that say when they are ready: each becomes ready, finds its port taken, and has a
 * wrong configuration.
 */
class ReadyServersIT {
  private static final ProcessSandbox.Result DONE = new ProcessSandbox.Result(0, "", "");

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @Test
  @Tag("redis-server")
  void redis() throws Exception {
    Path configuration = sandbox.file("redis.conf");
    becomesReady("notify", "redis-server", redis(configuration, freePort()));
    becomesReady(
        "log:eady to accept connections", "redis-server", redis(configuration, freePort()));
    int port = freePort();
    becomesReady("tcp:127.0.0.1:" + port, "redis-server", redis(configuration, port));

    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      fails("notify", "exit code 1", "bind", redis(configuration, taken.getLocalPort()));
    }
    Files.writeString(configuration, "no-such-directive yes\n");
    fails("notify", "exit code 1", "no-such-directive", redis(configuration, freePort()));
  }

  private List<String> redis(Path configuration, int port) throws IOException {
    if (!Files.exists(configuration)) {
      Files.writeString(configuration, "bind 127.0.0.1\nsave \"\"\n");
    }
    return List.of(
        "redis-server",
        configuration.toString(),
        "--port",
        Integer.toString(port),
        "--dir",
        sandbox.directory().toString(),
        "--supervised",
        "systemd");
  }

  @Test
  @Tag("unbound")
  void unbound() throws Exception {
    becomesReady("notify", "unbound", unbound("", freePort()));

    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      fails("notify", "exit code 1", "Address already in use", unbound("", taken.getLocalPort()));
    }
    fails("notify", "exit code 1", "no-such-option", unbound("  no-such-option: 1\n", freePort()));
  }

  private List<String> unbound(String more, int port) throws IOException {
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

  /** Its server processes are descendants of the one that reports. */
  @Test
  @Tag("postgresql")
  @Tag("root")
  void postgres() throws Exception {
    Path programs = postgresPrograms();
    Path data = sandbox.file("data");
    String nobody = "65534";
    assertThat(
            sandbox
                .shell(
                    "chmod 755 $dir; install -d -o 65534 -m 700 \"$2\"; cd /;"
                        + " setpriv --reuid=65534 --clear-groups \"$1/initdb\" -D \"$2\"",
                    programs.toString(),
                    data.toString())
                .exitCode())
        .isZero();
    becomesReady("notify", "postgres", postgres(programs, data, freePort()), "-u", nobody);

    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      List<String> start = postgres(programs, data, taken.getLocalPort());
      fails("notify", "exit code 1", "Address already in use", start, "-u", nobody);
    }
    List<String> wrong = new ArrayList<>(postgres(programs, data, freePort()));
    wrong.addAll(List.of("-c", "no_such_parameter=1"));
    fails("notify", "exit code 1", "no_such_parameter", wrong, "-u", nobody);
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

  private static List<String> postgres(Path programs, Path data, int port) {
    return List.of(
        programs.resolve("postgres").toString(),
        "-D",
        data.toString(),
        "-h",
        "127.0.0.1",
        "-p",
        Integer.toString(port),
        "-k",
        "");
  }

  /** Servers that write a newline to a descriptor when they are ready, as s6 has them do. */
  @Test
  @Tag("s6-supervise")
  void s6() throws Exception {
    Path directory = Files.createDirectory(sandbox.file("scan"));
    becomesReady("fd:4", "s6-svscan", List.of("s6-svscan", "-d", "4", directory.toString()));

    // Two of them cannot scan one directory.
    assertThat(start("fd:4", sandbox.file("first.pid"), svscan(directory))).isEqualTo(DONE);
    fails("fd:4", "exit code 100", "s6-svscan", svscan(directory));
    assertThat(sandbox.daimon("stop", "-p", sandbox.file("first.pid").toString())).isEqualTo(DONE);
  }

  private static List<String> svscan(Path directory) {
    return List.of("s6-svscan", "-d", "4", directory.toString());
  }

  /** The other way round: s6 supervises the command, and asks it whether the daemon runs. */
  @Test
  @Tag("s6-supervise")
  void underS6() throws Exception {
    Path service = Files.createDirectory(sandbox.file("service"));
    Path pidFile = sandbox.file("pid");
    Files.writeString(service.resolve("notification-fd"), "3\n");
    sandbox.script(
        "service/run",
        "#!/bin/sh",
        "exec s6-notifyoncheck -d -c '"
            + Sandbox.DAIMON
            + " status -p "
            + pidFile
            + "' "
            + Sandbox.DAIMON
            + " run -p "
            + pidFile
            + " -- sleep 1000");
    Process supervisor =
        sandbox.prepare(List.of("s6-supervise", service.toString()), java.util.Map.of()).start();

    Sandbox.await("the supervisor", () -> Files.exists(service.resolve("supervise/control")));
    assertThat(
            sandbox.run(
                List.of("s6-svwait", "-t", "60000", "-U", service.toString()), java.util.Map.of()))
        .isEqualTo(DONE);
    assertThat(sandbox.daimon("status", "-p", pidFile.toString()).exitCode()).isZero();
    assertThat(
            sandbox.run(
                List.of("s6-svc", "-wd", "-dx", "-T", "60000", service.toString()),
                java.util.Map.of()))
        .isEqualTo(DONE);
    assertThat(supervisor.waitFor()).isZero();
    assertThat(sandbox.daimon("status", "-p", pidFile.toString()).exitCode()).isNotZero();
  }

  private ProcessSandbox.Result start(
      String when, Path pidFile, List<String> program, String... options) throws Exception {
    List<String> words =
        new ArrayList<>(
            List.of(
                "start",
                "-p",
                pidFile.toString(),
                "-o",
                sandbox.file("log").toString(),
                "--ready",
                when,
                "--ready-timeout",
                "50s"));
    words.addAll(List.of(options));
    words.add("--");
    words.addAll(program);
    return sandbox.daimon(words.toArray(String[]::new));
  }

  private void becomesReady(String when, String name, List<String> program, String... options)
      throws Exception {
    Path pidFile = sandbox.file("pid");

    assertThat(start(when, pidFile, program, options)).isEqualTo(DONE);

    assertThat(Sandbox.status(Sandbox.pid(pidFile), "Name")).isEqualTo(name);
    assertThat(sandbox.daimon("status", "-p", pidFile.toString()).exitCode()).isZero();
    assertThat(sandbox.daimon("stop", "-p", pidFile.toString())).isEqualTo(DONE);
  }

  /** It fails, says how and what the server has written, and leaves nothing. */
  private void fails(
      String when, String how, String reason, List<String> program, String... options)
      throws Exception {
    Path pidFile = sandbox.file("pid");
    List<ProcessHandle> before = sandbox.processes();

    ProcessSandbox.Result result = start(when, pidFile, program, options);

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(70);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("daimon: ").contains(how, reason);
    assertThat(pidFile).doesNotExist();
    assertThat(sandbox.processes()).hasSameElementsAs(before);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
