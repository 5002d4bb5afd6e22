package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code restart --overlap}: the new daemon is ready before the old one gets its signal. */
@Tag("python3")
class OverlapIT {
  private static final int RESTARTS = 25;

  /** The lines of a Python program by which it is ready. */
  private static final String READY =
      """
      import socket
      address = os.environ['NOTIFY_SOCKET'].replace('@', '\\0', 1)
      socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', address)
      """;

  /** More than the command may have descriptors in one test. */
  private static final int CONNECTIONS = 150;

  private static final int CANNOT_TELL = 4;
  private static final int USAGE = 64;
  private static final int DAEMON_FAILED = 70;
  private static final int FILE = 73;
  private static final int TIMED_OUT = 75;
  private static final int NO_PERMISSION = 77;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private Path server;
  private int port;

  @BeforeEach
  void writeServer() throws Exception {
    // Answers with its process id; on TERM it answers what it has accepted, and ends.
    server =
        sandbox.script(
            "server",
            "#!/usr/bin/python3",
            "import os, select, signal, socket",
            "wake, woken = os.pipe()",
            "os.set_blocking(woken, False)",
            "signal.set_wakeup_fd(woken)",
            "signal.signal(signal.SIGTERM, lambda *_: None)",
            "s = socket.socket(fileno=3)",
            "s.setblocking(False)",
            "address = os.environ['NOTIFY_SOCKET'].replace('@', '\\0', 1)",
            "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', address)",
            "while True:",
            "  ready = select.select([s, wake], [], [])[0]",
            "  if wake in ready: break",
            "  try: connection, _ = s.accept()",
            "  except BlockingIOError: continue",
            "  connection.recv(1)",
            "  connection.sendall(b'%d\\n' % os.getpid())",
            "  connection.close()");
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
  }

  private long start() throws Exception {
    return sandbox.start("--ready", "notify", "--listen", "tcp:" + port, server.toString());
  }

  private ProcessSandbox.Result restart(List<String> options, String... program) throws Exception {
    List<String> words =
        new ArrayList<>(
            List.of(
                "restart",
                "--overlap",
                "-p",
                sandbox.file("pid").toString(),
                "--listen",
                "tcp:" + port));
    words.addAll(options);
    words.addAll(List.of(program));
    return sandbox.daimon(words.toArray(new String[0]));
  }

  private ProcessSandbox.Result restart() throws Exception {
    return restart(List.of("--ready", "notify"), server.toString());
  }

  private long named() throws Exception {
    return Sandbox.pid(sandbox.file("pid"));
  }

  /** The process id of the daemon that answers. */
  private long answer() throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 60_000);
      socket.setSoTimeout(60_000);
      socket.getOutputStream().write('x');
      byte[] answer = socket.getInputStream().readAllBytes();
      return Long.parseLong(new String(answer, StandardCharsets.US_ASCII).strip());
    }
  }

  @Test
  void noClientSeesAnErrorAndTheLockIsNeverFree() throws Exception {
    start();
    AtomicBoolean over = new AtomicBoolean();
    Process locker =
        sandbox
            .prepare(
                List.of(
                    "bash",
                    "-c",
                    "while [ -e $dir/pid ]; do flock -n $dir/pid echo free; done >$dir/free 2>&1"),
                Map.of("dir", sandbox.directory().toString()))
            .start();
    try (ExecutorService threads = Executors.newSingleThreadExecutor()) {
      Future<Integer> client =
          threads.submit(() -> {
            int answers = 0;
            while (!over.get()) {
              answer();
              answers++;
            }
            return answers;
          });
      try {
        for (int i = 0; i < RESTARTS; i++) {
          long before = named();
          assertThat(restart()).isEqualTo(new ProcessSandbox.Result(0, "", ""));
          assertThat(named()).isNotEqualTo(before);
          assertThat(sandbox.running("server"))
              .extracting(ProcessHandle::pid)
              .containsExactly(named());
          assertThat(answer()).isEqualTo(named());
        }
      } finally {
        over.set(true);
      }
      // An error of one connection would be thrown here.
      assertThat(client.get()).isPositive();
    }
    locker.destroyForcibly().waitFor();
    assertThat(sandbox.file("free")).isEmptyFile();
    assertThat(sandbox.running("server")).hasSize(1);
    assertThat(sandbox.daimon("status", "-p", sandbox.file("pid").toString()).exitCode()).isZero();
    assertThat(sandbox.daimon("stop", "-p", sandbox.file("pid").toString()).exitCode()).isZero();
  }

  @Test
  void whereNoneRunsItIsStarted() throws Exception {
    ProcessSandbox.Result result = restart();

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(answer()).isEqualTo(named());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"exec sleep 1000 | 75", "exit 3 | 70", "kill -KILL $$ | 70"})
  void aNewOneThatFailsChangesNothing(String script, int status) throws Exception {
    long old = start();
    String guard = Files.readString(sandbox.file("pid.guard"));

    ProcessSandbox.Result result =
        restart(List.of("--ready", "notify", "--ready-timeout", "1s"), "sh", "-c", script);

    assertThat(result.exitCode()).as(result.err()).isEqualTo(status).isIn(TIMED_OUT, DAEMON_FAILED);
    assertThat(named()).isEqualTo(old);
    assertThat(answer()).isEqualTo(old);
    assertThat(Files.readString(sandbox.file("pid.guard"))).isEqualTo(guard);
    assertThat(sandbox.running("sleep")).isEmpty();
    assertThat(sandbox.daimon("status", "-p", sandbox.file("pid").toString()).exitCode()).isZero();
    assertThat(restart().exitCode()).isZero();
    assertThat(answer()).isEqualTo(named()).isNotEqualTo(old);
  }

  @Test
  void theFileOfAUnixSocketStaysTheSame() throws Exception {
    Path path = sandbox.file("socket");
    sandbox.start("--ready", "notify", "--listen", "unix:" + path, server.toString());
    Object inode = Files.getAttribute(path, "unix:ino");

    ProcessSandbox.Result result =
        sandbox.daimon(
            "restart",
            "--overlap",
            "-p",
            sandbox.file("pid").toString(),
            "--ready",
            "notify",
            "--listen",
            "unix:" + path,
            server.toString());

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(Files.getAttribute(path, "unix:ino")).isEqualTo(inode);
  }

  @Test
  @Tag("strace")
  void withoutTheRightToShareNothingIsChanged() throws Exception {
    long old = start();

    ProcessSandbox.Result result =
        sandbox.shell(
            "strace -f -qq -o /dev/null -e trace=pidfd_getfd -e inject=pidfd_getfd:error=EPERM"
                + " $daimon restart --overlap -p $dir/pid --ready notify --listen tcp:"
                + port
                + " $dir/server");

    assertThat(result.exitCode()).isEqualTo(NO_PERMISSION);
    assertThat(result.err())
        .contains("to share its descriptors takes the right to trace it")
        .hasLineCount(1);
    assertThat(named()).isEqualTo(old);
    assertThat(answer()).isEqualTo(old);
  }

  /** A copy has to be closed, and the close of a FUSE file may never end. */
  @Test
  @Tag("strace")
  void noCopyIsMadeOfTheOldOnesStandardStreams() throws Exception {
    long old = start();

    ProcessSandbox.Result result =
        sandbox.shell(
            "strace -f -qq -o $dir/trace -e trace=pidfd_getfd"
                + " $daimon restart --overlap -p $dir/pid --ready notify --listen tcp:"
                + port
                + " sh -c 'exit 3'");

    assertThat(result.exitCode()).as(result.err()).isEqualTo(DAEMON_FAILED);
    assertThat(named()).isEqualTo(old);
    // The socket has number 3.
    assertThat(sandbox.file("trace"))
        .content()
        .containsPattern("pidfd_getfd\\(\\d+, 3,")
        .doesNotContainPattern("pidfd_getfd\\(\\d+, [012],");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void locksOfOtherFilesStayAsTheyAre(boolean isRead) throws Exception {
    Path other = Files.createFile(sandbox.file("other"));
    // Descriptor 0 comes before that of the pidfile.
    Path holder =
        sandbox.script(
            "holder",
            "#!/usr/bin/python3",
            "import fcntl, os, signal, socket",
            "os.dup2(os.open('" + other + "', os.O_RDONLY), 0)",
            "fcntl.flock(0, fcntl.LOCK_SH)",
            "address = os.environ['NOTIFY_SOCKET'].replace('@', '\\0', 1)",
            "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', address)",
            "while True: signal.pause()");
    long old = sandbox.start("--ready", "notify", "--listen", "tcp:" + port, holder.toString());
    Process reader = null;
    if (isRead) {
      reader =
          sandbox
              .prepare(
                  List.of("flock", "-s", other.toString(), "sh", "-c", "echo; exec sleep 1000"),
                  Map.of())
              .start();
      assertThat(reader.getInputStream().read()).isEqualTo('\n');
    }

    ProcessSandbox.Result result = restart(List.of("--ready", "notify"), "sh", "-c", "exit 3");

    assertThat(result.exitCode()).as(result.err()).isEqualTo(DAEMON_FAILED);
    assertThat(named()).isEqualTo(old);
    assertThat(Path.of("/proc/" + old + "/fdinfo/0"))
        .content()
        .containsPattern("lock:.*FLOCK +ADVISORY +READ");
    if (reader != null) {
      reader.destroyForcibly().waitFor();
    }
  }

  /** A daemon that greets each client, and closes a connection when the client has written. */
  private long startGreeter() throws Exception {
    Path greeter =
        sandbox.script(
            "greeter",
            "#!/usr/bin/python3",
            "import os, select, socket",
            "s = socket.socket(fileno=3)",
            "address = os.environ['NOTIFY_SOCKET'].replace('@', '\\0', 1)",
            "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', address)",
            "held = []",
            "while True:",
            "  for r in select.select([s, *held], [], [])[0]:",
            "    if r is s: c = s.accept()[0]; c.sendall(b'a'); held.append(c)",
            "    else: r.recv(1); r.close(); held.remove(r)");
    return sandbox.start("--ready", "notify", "--listen", "tcp:" + port, greeter.toString());
  }

  /** A connection that the greeter has accepted. */
  private Socket greeted() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(60_000);
    assertThat(socket.getInputStream().read()).isEqualTo('a');
    return socket;
  }

  @Test
  void aConnectionThatTheOldOneClosesEndsWhileTheNewOneIsAwaited() throws Exception {
    long old = startGreeter();
    try (Socket client = greeted()) {
      Process restart =
          sandbox
              .prepare(
                  List.of(
                      Sandbox.DAIMON.toString(),
                      "restart",
                      "--overlap",
                      "-p",
                      sandbox.file("pid").toString(),
                      "--listen",
                      "tcp:" + port,
                      "--ready",
                      "notify",
                      "--ready-timeout",
                      "1h",
                      "sleep",
                      "1000"),
                  Map.of())
              .start();
      sandbox.awaitProgram("sleep");
      client.getOutputStream().write('x');

      assertThat(client.getInputStream().read()).isEqualTo(-1);

      restart.destroy();
      restart.waitFor();
    }
    assertThat(sandbox.running("sleep")).isEmpty();
    assertThat(named()).isEqualTo(old);
  }

  @Test
  void connectionsTakeNoDescriptorsOfTheCommand() throws Exception {
    startGreeter();
    List<Socket> clients = new ArrayList<>();
    try {
      for (int i = 0; i < CONNECTIONS; i++) {
        clients.add(greeted());
      }
      ProcessSandbox.Result result =
          sandbox.shell(
              "ulimit -n "
                  + CONNECTIONS
                  + "; $daimon restart --overlap -p $dir/pid --ready notify --listen tcp:"
                  + port
                  + " $dir/server");

      assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
      assertThat(answer()).isEqualTo(named());
    } finally {
      for (Socket client : clients) {
        client.close();
      }
    }
  }

  @Test
  void anOldOneThatDoesNotEndIsTimedOutAndTheNewOneRuns() throws Exception {
    Path stubborn =
        sandbox.script("stubborn", "#!/bin/sh", "trap '' TERM", "while :; do sleep 1; done");
    long old = sandbox.start("--listen", "tcp:" + port, stubborn.toString());

    ProcessSandbox.Result result =
        restart(
            List.of("--ready", "notify", "--timeout", "500ms", "--then", "none"),
            server.toString());

    assertThat(result.exitCode()).as(result.err()).isEqualTo(TIMED_OUT);
    assertThat(result.err()).contains("has not ended", "process " + named() + " is the daemon");
    assertThat(Files.readString(sandbox.file("pid.guard"))).contains(" " + named() + " ");
    assertThat(named()).isNotEqualTo(old);
    assertThat(answer()).isEqualTo(named());
    assertThat(ProcessHandle.of(old)).isPresent();
  }

  /** A restart to a new daemon, begun when the old one has got SIGTERM and does not end. */
  private Process restartOfAStubbornOne() throws Exception {
    Path asked = sandbox.file("asked");
    Path stubborn =
        sandbox.script(
            "stubborn",
            "#!/usr/bin/python3",
            "import os, signal",
            "signal.signal(signal.SIGTERM, lambda *_: open('" + asked + "', 'w').close())",
            READY,
            "while True: signal.pause()");
    sandbox.start("--ready", "notify", "--listen", "tcp:" + port, stubborn.toString());
    List<String> words =
        List.of(
            Sandbox.DAIMON.toString(),
            "restart",
            "--overlap",
            "-p",
            sandbox.file("pid").toString(),
            "--ready",
            "notify",
            "--timeout",
            "1h",
            "--listen",
            "tcp:" + port,
            server.toString());
    Process restart =
        sandbox.prepare(words, Map.of()).redirectError(sandbox.file("told").toFile()).start();
    Sandbox.await("SIGTERM for the old one", () -> Files.exists(asked));
    return restart;
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143", "HUP, 129"})
  void aSignalEndsTheWaitForTheOldOneAndTheNewOneStays(String signal, int status) throws Exception {
    Process restart = restartOfAStubbornOne();
    long old = sandbox.running("stubborn").getFirst().pid();

    sandbox.shell("kill -s " + signal + " " + restart.pid());

    assertThat(restart.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(restart.exitValue()).isEqualTo(status);
    assertThat(Files.readString(sandbox.file("told")))
        .isEqualTo(
            "daimon: interrupted; what was sent to the daemon is not taken back,"
                + " and the new daemon is not stopped\n");
    assertThat(sandbox.running("server")).extracting(ProcessHandle::pid).containsExactly(named());
    assertThat(Sandbox.status(old, "State")).doesNotStartWith("Z");
  }

  @Test
  void theEndOfTheLauncherEndsTheWaitForTheOldOneAndTheNewOneStays() throws Exception {
    Process restart = restartOfAStubbornOne();

    restart.destroyForcibly().waitFor();

    Sandbox.await("the end of its JVM", () -> sandbox.running("java").isEmpty());
    assertThat(sandbox.running("server")).extracting(ProcessHandle::pid).containsExactly(named());
    assertThat(sandbox.running("stubborn")).hasSize(1);
  }

  @Test
  void aNewOneThatEndsWhileTheOldOneIsAwaitedIsTold() throws Exception {
    Process restart = restartOfAStubbornOne();
    long old = sandbox.running("stubborn").getFirst().pid();
    long next = named();

    sandbox.shell("kill -s KILL " + next);

    // It is asked for each second.
    assertThat(restart.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(restart.exitValue()).isEqualTo(DAEMON_FAILED);
    assertThat(sandbox.file("told"))
        .content()
        .matches(
            "daimon: process "
                + next
                + " was ready, and has ended; the old daemon, process "
                + old
                + ", has not ended after [0-9.]+ s and SIGTERM\n");
    assertThat(named()).isEqualTo(old);
    assertThat(sandbox.daimon("status", "-p", sandbox.file("pid").toString()).exitCode()).isZero();
  }

  @Test
  void childrenOfTheOldOneThatHaveTheLockEndWithIt() throws Exception {
    Path parent =
        sandbox.script(
            "parent",
            "#!/usr/bin/python3",
            "import os, signal, subprocess",
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
            "subprocess.Popen(['sleep', '1000'], close_fds=False)",
            "signal.signal(signal.SIGTERM, signal.SIG_DFL)",
            READY,
            "while True: signal.pause()");
    sandbox.start("--ready", "notify", "--listen", "tcp:" + port, parent.toString());
    sandbox.awaitProgram("sleep");

    ProcessSandbox.Result result =
        restart(List.of("--ready", "notify", "--timeout", "1s"), server.toString());

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(sandbox.running("sleep")).isEmpty();
    assertThat(answer()).isEqualTo(named());
    assertThat(sandbox.daimon("stop", "-p", sandbox.file("pid").toString()))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));
  }

  /** Whoever calls the command has the old daemon's lock then, and is in its session. */
  @Test
  void aDaemonMayRestartItself() throws Exception {
    Path told = sandbox.file("told");
    Path selfish =
        sandbox.script(
            "selfish",
            "#!/usr/bin/python3",
            "import os, signal, subprocess",
            "again = '" + Sandbox.DAIMON + " restart --overlap -p " + sandbox.file("pid") + "'",
            "again += ' --ready notify --listen tcp:" + port + " " + server + "'",
            "again += '; echo $? >" + told + ".new; mv " + told + ".new " + told + "'",
            "signal.signal(signal.SIGUSR1, lambda *_: subprocess.Popen(again, shell=True,"
                + " close_fds=False))",
            READY,
            "while True: signal.pause()");
    long old = sandbox.start("--ready", "notify", "--listen", "tcp:" + port, selfish.toString());

    sandbox.shell("kill -s USR1 " + old);

    Sandbox.await("the restart", () -> Files.exists(told));
    assertThat(told).hasContent("0\n");
    assertThat(named()).isNotEqualTo(old);
    assertThat(answer()).isEqualTo(named());
  }

  /**
   * It ends as soon as the pidfile names it, and leaves a child that has all descriptors of its
   * own.
   */
  @Test
  void nothingOfANewOneStaysThatEndsBeforeTheOldOne() throws Exception {
    Path stubborn =
        sandbox.script(
            "stubborn",
            "#!/usr/bin/python3",
            "import os, signal",
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
            READY,
            "while True: signal.pause()");
    long old = sandbox.start("--ready", "notify", "--listen", "tcp:" + port, stubborn.toString());
    String guard = Files.readString(sandbox.file("pid.guard"));
    Path brief =
        sandbox.script(
            "brief",
            "#!/usr/bin/python3",
            "import os, subprocess",
            "subprocess.Popen(['sleep', '1000'], close_fds=False)",
            READY,
            "while open('" + sandbox.file("pid") + "').read() != '%d\\n' % os.getpid(): pass");

    ProcessSandbox.Result result =
        restart(
            List.of(
                "--ready",
                "notify",
                "-o",
                sandbox.file("log").toString(),
                "--listen",
                "unix:" + sandbox.file("socket"),
                "--timeout",
                "1m",
                "--then",
                "none"),
            brief.toString());

    assertThat(result.exitCode()).as(result.err()).isEqualTo(DAEMON_FAILED);
    assertThat(result.err())
        .matches(
            "daimon: process \\d+ was ready, and has ended; the old daemon, process "
                + old
                + ", (runs|has not ended after [0-9.]+ s and SIGTERM)\n");
    assertThat(named()).isEqualTo(old);
    assertThat(Files.readString(sandbox.file("pid.guard"))).isEqualTo(guard);
    assertThat(sandbox.file("log")).doesNotExist();
    assertThat(sandbox.file("socket")).doesNotExist();
    assertThat(sandbox.running("sleep")).isEmpty();
    ProcessSandbox.Result stop =
        sandbox.daimon("stop", "-p", sandbox.file("pid").toString(), "--timeout", "100ms");
    assertThat(stop.exitCode()).as(stop.err()).isZero();
    assertThat(stop.err()).contains("process " + old + " did not end by SIGTERM, and was killed");
  }

  /** A program that does something to its pidfile when it gets SIGTERM, and ends. */
  private Path endingWith(String change) throws IOException {
    return sandbox.script(
        "ending",
        "#!/usr/bin/python3",
        "import os, signal, sys",
        "def end(*_): " + change + "; sys.exit()",
        "signal.signal(signal.SIGTERM, end)",
        READY,
        "while True: signal.pause()");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "os.remove('%s')",
        "os.truncate('%s', 0)",
        "os.replace('%s', '%<s.old'); open('%<s', 'w').close()"
      })
  void aPidfileThatTheOldOneTakesAwayIsToldWithTheProcessThatRuns(String change) throws Exception {
    Path ending = endingWith(change.formatted(sandbox.file("pid")));
    long old = sandbox.start("--ready", "notify", "--listen", "tcp:" + port, ending.toString());

    ProcessSandbox.Result result = restart();

    assertThat(result.exitCode()).as(result.err()).isEqualTo(CANNOT_TELL);
    assertThat(result.err())
        .isEqualTo(
            "daimon: process "
                + answer()
                + " is the daemon, and runs, but "
                + sandbox.file("pid")
                + " no longer names it: end that process by its id before the next start\n");
    assertThat(answer()).isNotEqualTo(old);
    assertThat(sandbox.running("ending")).isEmpty();
    assertThat(Files.readString(sandbox.file("pid.guard"))).contains(" " + answer() + " ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"os.remove('%s')", "os.replace(os.path.dirname('%s') + '/other', '%<s')"})
  void aPidfileThatIsTakenAwayBeforeTheHandOverKeepsTheOldOne(String change) throws Exception {
    long old = start();
    Files.createFile(sandbox.file("other"));
    Path remover =
        sandbox.script(
            "remover",
            "#!/usr/bin/python3",
            "import os, signal",
            change.formatted(sandbox.file("pid")),
            READY,
            "while True: signal.pause()");

    ProcessSandbox.Result result = restart(List.of("--ready", "notify"), remover.toString());

    assertThat(result.exitCode()).as(result.err()).isEqualTo(FILE);
    assertThat(result.err())
        .contains("was removed or replaced during the start; the program was stopped again")
        .hasLineCount(1);
    assertThat(answer()).isEqualTo(old);
    assertThat(sandbox.running("remover")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--listen tcp:1 | --overlap needs --ready",
        "--listen tcp:1 --ready exec | --overlap needs --ready",
        "--ready notify | --overlap needs --listen",
        "--listen tcp:1 --ready notify -l $dir/lock | --overlap and --lock exclude each other",
        "--listen tcp:1 --ready notify -o $dir/log --truncate | --overlap and --truncate exclude",
        "--listen tcp:1 -o $dir/log --ready log:up | --overlap and --ready log: exclude each other",
        "--listen tcp:1 --ready file:$dir/up | --overlap and --ready file: exclude each other",
        "--listen tcp:1 --ready notify --pid-only | --overlap and --pid-only exclude each other"
      })
  void whatItNeedsAndExcludesIsAUsageError(String options, String message) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("$daimon restart --overlap -p $dir/pid " + options + " true");

    assertThat(result.exitCode()).isEqualTo(USAGE);
    assertThat(result.err()).startsWith("daimon: " + message).hasLineCount(1);
  }
}
