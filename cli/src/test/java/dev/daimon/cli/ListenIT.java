package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --listen}, and what a command that was activated itself passes on. */
@Tag("python3")
class ListenIT {
  private static final int USAGE = 64;
  private static final int CANNOT_CREATE = 73;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private Path report;
  private int port;

  @BeforeEach
  void choose() throws Exception {
    report = sandbox.file("report");
    // Writes the variables and the numbers of its sockets, then answers each connection with a
    // line.
    sandbox.script(
        "server",
        "#!/usr/bin/python3",
        "import os, select, socket, sys",
        "n = int(os.environ.get('LISTEN_FDS', '0'))",
        "found = [f for f in os.listdir('/proc/self/fd')"
            + " if os.path.islink('/proc/self/fd/' + f)"
            + " and os.readlink('/proc/self/fd/' + f).startswith('socket:')]",
        "with open(sys.argv[1] + '.new', 'w') as out:",
        "  print(os.environ.get('LISTEN_PID') == str(os.getpid()), n,",
        "    os.environ.get('LISTEN_FDNAMES'), ','.join(sorted(found)), file=out)",
        "os.rename(sys.argv[1] + '.new', sys.argv[1])",
        "sockets = [socket.socket(fileno=3 + i) for i in range(n)]",
        "while True:",
        "  for ready in select.select(sockets, [], [])[0]:",
        "    try: connection, _ = ready.accept()",
        "    except OSError: continue",
        "    connection.sendall(b'served\\n')",
        "    connection.close()");
    port = freePort();
  }

  private static int freePort() throws Exception {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private List<String> server(String... options) {
    List<String> words = new ArrayList<>(List.of(options));
    words.addAll(List.of(sandbox.file("server").toString(), report.toString()));
    return words;
  }

  private long start(String... options) throws Exception {
    long pid = sandbox.start(server(options).toArray(new String[0]));
    awaitReport();
    return pid;
  }

  private String awaitReport() throws Exception {
    Sandbox.await("the report", () -> Files.exists(report));
    return Files.readString(report).strip();
  }

  private ProcessSandbox.Result refused(String command, String... options) throws Exception {
    List<String> words = new ArrayList<>(List.of(command));
    words.addAll(server(options));
    ProcessSandbox.Result result = sandbox.daimon(words.toArray(new String[0]));
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1);
    assertThat(report).doesNotExist();
    assertThat(sandbox.running("server")).isEmpty();
    return result;
  }

  private static String answer(InetAddress host, int port) throws Exception {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(host, port), 10_000);
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  private static String answer(Path path) throws Exception {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      return new String(
          java.nio.channels.Channels.newInputStream(channel).readAllBytes(),
          StandardCharsets.US_ASCII);
    }
  }

  @Test
  void aPortIsOpenWhenTheCommandReturnsAndServedInBothFamilies() throws Exception {
    long pid = start("--listen", "tcp:" + port + "=web");

    assertThat(awaitReport()).isEqualTo("True 1 web 3");
    assertThat(answer(InetAddress.ofLiteral("127.0.0.1"), port)).isEqualTo("served\n");
    assertThat(answer(InetAddress.ofLiteral("::1"), port)).isEqualTo("served\n");
    SortedMap<Integer, String> descriptors = Sandbox.descriptors(pid);
    assertThat(descriptors.get(3)).startsWith("socket:");
    assertThat(descriptors).containsValue(sandbox.file("pid").toString()).hasSize(5);
  }

  @Test
  void severalSocketsHaveTheirNumbersInOrder() throws Exception {
    Path path = sandbox.file("socket");
    start(
        "--listen", "tcp:127.0.0.1:" + port + "=web",
        "--listen", "unix:" + path,
        "--listen", "tcp:[::1]:" + port + "=six");

    assertThat(awaitReport()).isEqualTo("True 3 web:unknown:six 3,4,5");
    assertThat(answer(InetAddress.ofLiteral("127.0.0.1"), port)).isEqualTo("served\n");
    assertThat(answer(InetAddress.ofLiteral("::1"), port)).isEqualTo("served\n");
    assertThat(answer(path)).isEqualTo("served\n");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
        .isEqualTo("rw-rw-rw-");
  }

  @ParameterizedTest
  @ValueSource(strings = {"run", "start -f"})
  void theProcessThatBecomesTheProgramHandsThemOverToItself(String command) throws Exception {
    Path path = sandbox.file("socket");
    List<String> words =
        server("--listen", "tcp:127.0.0.1:" + port + "=web", "--listen", "unix:" + path + "=x");
    Process process =
        sandbox
            .prepare(
                List.of("sh", "-c", "exec $daimon " + command + " " + String.join(" ", words)),
                Map.of("daimon", Sandbox.DAIMON.toString()))
            .start();

    assertThat(awaitReport()).isEqualTo("True 2 web:x 3,4");
    assertThat(answer(path)).isEqualTo("served\n");
    process.destroyForcibly();
  }

  @Test
  void theCallersOwnVariablesNeverReachTheProgram() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "export LISTEN_FDS=2 LISTEN_PID=1 LISTEN_FDNAMES=a:b LISTEN_PIDFDID=7;"
                + " $daimon run env; $daimon run -E LISTEN_FDS=9 env;"
                + " $daimon run --listen tcp:127.0.0.1:"
                + port
                + " env");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out().lines().filter(line -> line.startsWith("LISTEN_")))
        .hasSize(4)
        .contains("LISTEN_FDS=9", "LISTEN_FDS=1", "LISTEN_FDNAMES=unknown");
  }

  @Test
  void aRestartListensAgainAtOnce() throws Exception {
    Path path = sandbox.file("socket");
    long first = start("--listen", "tcp:" + port, "--listen", "unix:" + path);
    assertThat(answer(InetAddress.ofLiteral("127.0.0.1"), port)).isEqualTo("served\n");
    Files.delete(report);

    List<String> words = new ArrayList<>(List.of("restart", "-p", sandbox.file("pid").toString()));
    words.addAll(server("--listen", "tcp:" + port, "--listen", "unix:" + path));
    ProcessSandbox.Result result = sandbox.daimon(words.toArray(new String[0]));

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    awaitReport();
    assertThat(Sandbox.pid(sandbox.file("pid"))).isNotEqualTo(first);
    assertThat(answer(InetAddress.ofLiteral("127.0.0.1"), port)).isEqualTo("served\n");
    assertThat(answer(path)).isEqualTo("served\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"unix:$dir/missing/socket", "unix:$dir/report", "tcp:192.0.2.1:$((port ^ 1))"})
  void aRestartThatCouldNotListenStopsNothing(String address) throws Exception {
    long first = start("--listen", "tcp:" + port);

    ProcessSandbox.Result result =
        sandbox.shell(
            "port="
                + port
                + "; $daimon restart -p $dir/pid --listen tcp:$port --listen "
                + address
                + " true");

    assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err()).startsWith("daimon: --listen: ").hasLineCount(1);
    assertThat(Sandbox.pid(sandbox.file("pid"))).isEqualTo(first);
    assertThat(answer(InetAddress.ofLiteral("127.0.0.1"), port)).isEqualTo("served\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"tcp:127.0.0.1:%d", "tcp:%d", "unix:%2$s"})
  void aRestartToAStrangersAddressStopsNothing(String form) throws Exception {
    String address = form.formatted(port, sandbox.file("socket"));
    String other = sandbox.file("other.pid").toString();
    assertThat(
            sandbox.daimon("start", "-p", other, "--listen", address, "sleep", "1000").exitCode())
        .isZero();
    long first = start();

    ProcessSandbox.Result result =
        sandbox.daimon(
            "restart", "-p", sandbox.file("pid").toString(), "--listen", address, "sleep", "1000");

    assertThat(result.exitCode()).as(result.err()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err())
        .startsWith("daimon: --listen: ")
        .contains(
            form.startsWith("unix")
                ? "another process has this socket"
                : "process " + Sandbox.pid(Path.of(other)) + ", sleep, listens there")
        .hasLineCount(1);
    assertThat(sandbox.running("server")).extracting(ProcessHandle::pid).containsExactly(first);
    assertThat(sandbox.daimon("status", "-p", sandbox.file("pid").toString()).exitCode()).isZero();
  }

  @Test
  void whatAChildListensAtIsTheDaemonsOwn() throws Exception {
    Path parent =
        sandbox.script("parent", "#!/bin/bash", "sleep 1000 &", "exec 3<&-", "touch $1", "wait");
    sandbox.start("--listen", "tcp:" + port, parent.toString(), report.toString());
    awaitReport();
    Files.delete(report);
    List<String> words =
        new ArrayList<>(List.of("restart", "--session", "-p", sandbox.file("pid").toString()));
    words.addAll(server("--listen", "tcp:" + port));

    ProcessSandbox.Result result = sandbox.daimon(words.toArray(new String[0]));

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    awaitReport();
    assertThat(answer(InetAddress.ofLiteral("127.0.0.1"), port)).isEqualTo("served\n");
  }

  @Test
  void theFileOfAStoppedDaemonStaysAndIsReplacedUnderTheLock() throws Exception {
    Path path = sandbox.file("socket");
    start("--listen", "unix:" + path);
    assertThat(sandbox.daimon("stop", "-p", sandbox.file("pid").toString()).exitCode()).isZero();
    assertThat(Files.exists(path)).isTrue();
    Files.delete(report);

    ProcessSandbox.Result result = refused("run", "--listen", "unix:" + path);
    assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err()).contains("--listen: " + path, "nobody listens", "pidfile");

    start("--listen", "unix:" + path);
    assertThat(answer(path)).isEqualTo("served\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run", "start --dry-run"})
  void aSocketThatIsServedIsLeftAlone(String command) throws Exception {
    Path path = sandbox.file("socket");
    try (ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.bind(UnixDomainSocketAddress.of(path));
      Object file = Files.getAttribute(path, "unix:ino");

      List<String> words = new ArrayList<>(List.of(command.split(" ", -1)));
      words.addAll(server("-p", sandbox.file("pid").toString(), "--listen", "unix:" + path));
      ProcessSandbox.Result result = sandbox.daimon(words.toArray(new String[0]));

      assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
      assertThat(result.err())
          .isEqualTo(
              "daimon: --listen: "
                  + path
                  + ": another process has this socket; it is left as it is\n");
      assertThat(Files.getAttribute(path, "unix:ino")).isEqualTo(file);
      assertThat(sandbox.file("pid")).doesNotExist();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"file", "link", "directory"})
  void whatIsNoSocketIsLeftAlone(String kind) throws Exception {
    Path path = sandbox.file("socket");
    switch (kind) {
      case "file" -> Files.writeString(path, "kept");
      case "link" -> Files.createSymbolicLink(path, sandbox.file("elsewhere"));
      default -> Files.createDirectory(path);
    }

    for (String command : List.of("start", "run")) {
      ProcessSandbox.Result result =
          refused(command, "-p", sandbox.file("pid").toString(), "--listen", "unix:" + path);

      assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
      assertThat(result.err()).contains("--listen: " + path).contains("not a socket");
    }
    assertThat(Files.exists(path, LinkOption.NOFOLLOW_LINKS)).isTrue();
    assertThat(sandbox.file("elsewhere")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run", "start --dry-run"})
  void aPortThatIsTakenIsRefusedAndItsOwnerNamed(String command) throws Exception {
    try (ServerSocket taken = new ServerSocket(port)) {
      assertThat(taken.isBound()).isTrue();
      Path path = sandbox.file("socket");
      List<String> words = new ArrayList<>(List.of(command.split(" ", -1)));
      words.addAll(
          server(
              "-p", sandbox.file("pid").toString(),
              "--listen", "unix:" + path,
              "--listen", "tcp:" + port));

      ProcessSandbox.Result result = sandbox.daimon(words.toArray(new String[0]));

      assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
      assertThat(result.err())
          .isEqualTo(
              "daimon: --listen: bind tcp:"
                  + port
                  + ": Address already in use (EADDRINUSE, 98);"
                  + " process "
                  + ProcessHandle.current().pid()
                  + ", java, listens there\n");
      assertThat(path).doesNotExist();
      assertThat(sandbox.file("pid")).doesNotExist();
    }
  }

  @Test
  void anAddressOfAnotherMachineIsRefused() throws Exception {
    ProcessSandbox.Result result = refused("run", "--listen", "tcp:192.0.2.1:" + port);

    assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err()).contains("EADDRNOTAVAIL");
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aStartThatFailsLeavesNoSocket(String command) throws Exception {
    Path path = sandbox.file("socket");
    Path script = sandbox.script("script", "#!/no/such/interpreter");

    ProcessSandbox.Result result =
        sandbox.daimon(
            command,
            "-p",
            sandbox.file("pid").toString(),
            "--listen",
            "unix:" + path,
            "--listen",
            "tcp:" + port,
            script.toString());

    assertThat(result.exitCode()).isEqualTo(66);
    assertThat(path).doesNotExist();
    assertThat(sandbox.file("pid")).doesNotExist();
    try (ServerSocket free = new ServerSocket(port)) {
      assertThat(free.isBound()).isTrue();
    }
  }

  @Test
  void aDryRunLeavesNothing() throws Exception {
    Path path = sandbox.file("socket");

    ProcessSandbox.Result result =
        sandbox.daimon(
            "start",
            "--dry-run",
            "--listen",
            "unix:" + path,
            "--listen",
            "tcp:" + port + "=web",
            "true");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out()).contains("listen: unix:" + path + "\n", "listen: tcp:" + port + "\n");
    assertThat(path).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tcp:0 | wants a port from 1 to 65535, not \"0\" in tcp:0",
        "tcp:65536 | wants a port from 1 to 65535",
        "tcp:http | wants a port from 1 to 65535, not \"http\"",
        "tcp: | wants a port from 1 to 65535",
        "tcp:-1 | wants a port from 1 to 65535",
        "tcp:localhost:80 | wants an IPv4 address, or an IPv6 address in brackets, as HOST",
        "tcp:127.1:80 | wants an IPv4 address",
        "tcp:1.2.3.400:80 | wants an IPv4 address",
        "tcp:::1:80 | wants an IPv4 address",
        "tcp:[1.2.3.4]:80 | wants an IPv4 address",
        "tcp:[]:80 | wants an IPv4 address",
        "tcp:80=a:b | wants a name of 1 to 255 ASCII characters without a colon after =, not \"a:b\"",
        "tcp:80= | wants a name of 1 to 255",
        "tcp:80=\u00fc | wants a name of 1 to 255",
        "unix:socket | wants the absolute path of a socket, not \"socket\"",
        "unix: | wants the absolute path",
        "unix:/run/ | wants the absolute path",
        "udp:80 | wants tcp:[HOST:]PORT[=NAME] or unix:PATH[=NAME], not \"udp:80\"",
        "80 | wants tcp:[HOST:]PORT[=NAME] or unix:PATH[=NAME]"
      })
  void aWrongAddressIsOneLineAndAUsageError(String address, String message) throws Exception {
    ProcessSandbox.Result result = refused("run", "--listen", address);

    assertThat(result.exitCode()).isEqualTo(USAGE);
    assertThat(result.err()).startsWith("daimon: --listen " + message);
  }

  @Test
  void aPathIsAsLongAsASocketsMayBe() throws Exception {
    String prefix = sandbox.directory() + "/";
    String longest = prefix + "x".repeat(107 - prefix.length());

    ProcessSandbox.Result fits = sandbox.daimon("run", "--listen", "unix:" + longest, "true");
    assertThat(fits).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(Path.of(longest)).exists();
    ProcessSandbox.Result result = refused("run", "--listen", "unix:" + longest + "x");
    assertThat(result.exitCode()).isEqualTo(USAGE);
    assertThat(result.err()).contains("a socket's path has at most 107 bytes");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--keep-fd 3 | --keep-fd 3 and --listen exclude each other",
        "--ready fd:3 | --ready fd:3 has the number of a socket: those have the numbers from 3 to 3",
        "--no-close-fds | --no-close-fds and --listen exclude each other here: the caller has"
            + " descriptor 3 open",
        "--self -p $dir/pid | --self and --listen exclude each other",
        "-p $dir/same --listen unix:$dir/same | --listen and --pidfile are the same file",
        "--listen tcp:$port | --listen names the same address twice",
        "--listen tcp:127.0.0.1:$port | --listen: tcp:127.0.0.1:$port and tcp:$port overlap",
        "--listen tcp:[::1]:$port=x | --listen: tcp:[::1]:$port=x and tcp:$port overlap"
      })
  void whatExcludesItIsAUsageError(String options, String message) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "port="
                + port
                + "; exec 3</dev/null; $daimon start "
                + options
                + " --listen tcp:$port true");

    assertThat(result.exitCode()).isEqualTo(USAGE);
    String line = message.replace("$port", Integer.toString(port));
    assertThat(result.err()).startsWith("daimon: " + line).hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource({
    "0.0.0.0, 127.0.0.1, false",
    "127.0.0.1, 0.0.0.0, false",
    "[::], [::1], false",
    "127.0.0.1, 127.0.0.2, true",
    "[::], 0.0.0.0, true",
    "127.0.0.1, [::], true"
  })
  void twoAddressesOfOnePortMayNotOverlap(String one, String two, boolean separate)
      throws Exception {
    ProcessSandbox.Result result =
        sandbox.daimon(
            "run",
            "--listen",
            "tcp:" + one + ":" + port,
            "--listen",
            "tcp:" + two + ":" + port,
            "true");

    String message =
        "daimon: --listen: tcp:%s:%d and tcp:%s:%d overlap; see daimon help run%n"
            .formatted(one, port, two, port);
    assertThat(result.err()).isEqualTo(separate ? "" : message);
    assertThat(result.exitCode()).isEqualTo(separate ? 0 : USAGE);
  }

  @Test
  void otherKeptDescriptorsAndAllOfTheCallersAreStillKept() throws Exception {
    for (String option : List.of("--keep-fd 7", "--no-close-fds")) {
      ProcessSandbox.Result result =
          sandbox.shell(
              "exec 7</dev/zero; $daimon run "
                  + option
                  + " --listen tcp:"
                  + port
                  + " ls -l /proc/self/fd");

      assertThat(result.exitCode()).as(result.err()).isZero();
      assertThat(result.out()).contains(" 3 -> socket:", " 7 -> /dev/zero");
    }
  }

  /** As systemd does it: the process that runs the command is the one that gets the sockets. */
  @ParameterizedTest
  @ValueSource(strings = {"run", "start -f", "start -p $dir/pid"})
  void whatTheCommandWasActivatedWithReachesTheProgram(String command) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "exec 3<$dir 4</dev/zero;"
                + " LISTEN_FDS=2 LISTEN_FDNAMES=a:b NOTIFY_SOCKET=/x WATCHDOG_USEC=5 X=$1"
                + " bash -c 'LISTEN_PID=$$ exec $daimon "
                + command
                + " sh -c \"{ echo \\$\\$; env; ls -l /proc/\\$\\$/fd; } >$dir/new;"
                + " mv $dir/new $dir/seen\"'");

    assertThat(result.exitCode()).as(result.err()).isZero();
    Sandbox.await("what it saw", () -> Files.exists(sandbox.file("seen")));
    List<String> lines = Files.readAllLines(sandbox.file("seen"));
    assertThat(lines)
        .contains(
            "LISTEN_PID=" + lines.getFirst(),
            "LISTEN_FDS=2",
            "LISTEN_FDNAMES=a:b",
            "NOTIFY_SOCKET=/x",
            "WATCHDOG_USEC=5")
        .anyMatch(line -> line.endsWith(" 3 -> " + sandbox.directory()))
        .anyMatch(line -> line.endsWith(" 4 -> /dev/zero"));
  }

  @Test
  void newSocketsComeAfterThoseOfTheActivation() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "exec 3</dev/zero; export LISTEN_FDS=1;"
                + " bash -c 'LISTEN_PID=$$ exec $daimon run --listen tcp:"
                + port
                + "=web"
                + " sh -c \"env; ls -l /proc/self/fd\"'");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out())
        .contains(
            "LISTEN_FDS=2\n", "LISTEN_FDNAMES=unknown:web\n", " 3 -> /dev/zero", " 4 -> socket:");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "x | LISTEN_FDS is no number of descriptors: \"x\"",
        "-1 | LISTEN_FDS is no number of descriptors: \"-1\"",
        "99999999999 | LISTEN_FDS is no number of descriptors",
        "2 | LISTEN_FDS is 2, but descriptor 4 is closed"
      })
  void anActivationThatMakesNoSenseIsOneLine(String count, String message) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "exec 3</dev/zero; export LISTEN_FDS="
                + count
                + ";"
                + " bash -c 'LISTEN_PID=$$ exec $daimon run true'");

    assertThat(result.exitCode()).isEqualTo(USAGE);
    assertThat(result.err()).startsWith("daimon: " + message).hasLineCount(1);
  }

  @Test
  @Tag("systemd-socket-activate")
  void systemdSocketActivateWorksThroughRun() throws Exception {
    Process activator =
        sandbox
            .prepare(
                List.of(
                    "systemd-socket-activate",
                    "--listen=127.0.0.1:" + port,
                    "--fdname=web",
                    "--setenv=DAIMON_TEST",
                    Sandbox.DAIMON.toString(),
                    "run",
                    sandbox.file("server").toString(),
                    report.toString()),
                Map.of())
            .redirectErrorStream(true)
            .redirectOutput(sandbox.file("activator").toFile())
            .start();

    Sandbox.await(
        "the port",
        () -> {
          try {
            return answer(InetAddress.ofLiteral("127.0.0.1"), port).equals("served\n");
          } catch (java.net.ConnectException notYet) {
            return false;
          }
        });
    assertThat(awaitReport()).isEqualTo("True 1 web 3");
    assertThat(sandbox.running("server"))
        .extracting(ProcessHandle::pid)
        .containsExactly(activator.pid());
  }
}
