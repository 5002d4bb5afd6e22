package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.daimon.forking.Descendants;
import dev.daimon.posix.NativePath;
import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReadyConditionTest {
  @Test
  void valuesThatCanNeverBeMetAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReadyCondition.Alive(Duration.ofNanos(-1)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReadyCondition.Unix(Path.of("relative")));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReadyCondition.Written(Path.of("relative")));
    assertThatIllegalArgumentException().isThrownBy(() -> new ReadyCondition.Line(""));
    assertThatIllegalArgumentException().isThrownBy(() -> new ReadyCondition.Line("a\nb"));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 2})
  void aStandardStreamIsNoDescriptor(int number) {
    assertThatIllegalArgumentException().isThrownBy(() -> new ReadyCondition.Newline(number));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 65_536})
  void whatIsNoPortIsRefused(int port) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReadyCondition.Tcp(Optional.empty(), port));
  }

  @ParameterizedTest
  @CsvSource({"127.0.0.1, 127.0.0.1:80", "::1, [0:0:0:0:0:0:0:1]:80"})
  void anAddressIsWrittenWithItsPort(String literal, String text) {
    assertThat(new ReadyCondition.Tcp(Optional.of(InetAddress.ofLiteral(literal)), 80))
        .hasToString(text);
    assertThat(new ReadyCondition.Tcp(Optional.empty(), 80)).hasToString("port 80");
  }

  /** The kernel prints a socket's name as it is: a stranger's can look like another line. */
  @Test
  @Tag("python3")
  @Tag("attack")
  void aForgedLineMakesNoUnixSocketOfATcpSocket(@TempDir Path directory) throws Exception {
    Path path = directory.resolve("s");
    ServerSocketChannel.open(StandardProtocolFamily.UNIX)
        .bind(UnixDomainSocketAddress.of(path))
        .close();
    try (ServerSocket own = new ServerSocket(0)) {
      String script =
          """
          import socket, sys
          s = socket.socket(socket.AF_UNIX)
          line = '0: 2 0 10000 1 1 ' + sys.argv[1] + ' ' + sys.argv[2]
          s.bind(b'\\0\\n' + line.encode())
          s.listen()
          print()
          sys.stdout.flush()
          sys.stdin.read()
          """;
      Process stranger =
          new ProcessBuilder("python3", "-c", script, inode(own), path.toString()).start();
      try {
        assertThat(stranger.inputReader().readLine()).isEmpty();
        UnixCheck check = new UnixCheck(new ReadyCondition.Unix(path));
        long self = ProcessHandle.current().pid();
        assertThat(check.sockets(self)).containsExactly(Long.parseLong(inode(own)));

        assertThat(check.isReady(self)).isFalse();
      } finally {
        stranger.outputWriter().close();
        stranger.waitFor();
      }
    }
  }

  /** All sockets of the name are sought at once, and then by halves. */
  @Test
  void ofSocketsOfOneNameTheOneAtThePathCounts(@TempDir Path directory) throws Exception {
    List<ServerSocketChannel> channels = new ArrayList<>();
    try {
      for (String place : List.of("a", "b", "c", "closed")) {
        Path path = Files.createDirectory(directory.resolve(place)).resolve("s");
        channels.add(
            ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(path)));
      }
      channels.getLast().close();

      for (String place : List.of("a", "b", "c")) {
        assertThat(isReady(directory.resolve(place).resolve("s"))).as(place).isTrue();
      }
      assertThat(isReady(directory.resolve("closed").resolve("s"))).isFalse();
    } finally {
      for (ServerSocketChannel channel : channels) {
        channel.close();
      }
    }
  }

  /** The kernel lists its bytes, and that path may be no text. */
  @ParameterizedTest
  @ValueSource(strings = {"C", "C.UTF-8"})
  @Tag("python3")
  void aSocketIsFoundByItsBytesInEveryLocale(String locale, @TempDir Path directory)
      throws Exception {
    String script =
        "import os, socket, sys; s = socket.socket(socket.AF_UNIX);"
            + " s.bind(sys.argv[1].encode() + b'/\\xf6\\xc3\\xb6'); s.listen();"
            + " print(os.getpid(), flush=True); sys.stdin.read()";
    Process listener = new ProcessBuilder("python3", "-c", script, directory.toString()).start();
    try {
      String pid = listener.inputReader().readLine();

      assertThat(
              ChildJvm.of(IsReady.class)
                  .startedBy("env", "LC_ALL=" + locale)
                  .run(directory, pid)
                  .output())
          .isEqualTo("true");
    } finally {
      listener.outputWriter().close();
      listener.waitFor();
    }
  }

  static final class IsReady {
    public static void main(String[] args) throws IOException {
      byte[] path = (args[0] + "/\u00f6\u00c3\u00b6").getBytes(StandardCharsets.ISO_8859_1);
      try (UnixCheck check = new UnixCheck(new ReadyCondition.Unix(NativePath.of(path)))) {
        System.out.println(check.isReady(Long.parseLong(args[1])));
      }
    }
  }

  private static boolean isReady(Path socket) throws IOException {
    try (UnixCheck check = new UnixCheck(new ReadyCondition.Unix(socket))) {
      return check.isReady(ProcessHandle.current().pid());
    }
  }

  /** A check that has time for one process, and then no more. */
  private static final class Hasty extends ListenerCheck {
    private final List<Long> examined = new ArrayList<>();

    @Override
    Set<Long> sockets(long main) {
      return Set.of(1L);
    }

    @Override
    String where() {
      return "port 1";
    }

    @Override
    boolean listens(long pid, Set<Long> sockets) {
      examined.add(pid);
      return false;
    }

    @Override
    boolean isOver() {
      return true;
    }
  }

  @Test
  void anExaminationGoesOnWhereTheLastOneHadNoMoreTime() throws Exception {
    long self = ProcessHandle.current().pid();
    Process child = new ProcessBuilder("sleep", "1000").start();
    try (Hasty check = new Hasty()) {
      assertThat(check.isReady(self)).isFalse();
      assertThat(check.examined).containsExactly(self);
      check.examined.clear();

      // Each descendant, and then this process again.
      for (int i = Descendants.list().size(); i >= 0; i--) {
        assertThat(check.isReady(self)).isFalse();
      }
      assertThat(check.examined).contains(child.pid(), self);
    } finally {
      child.destroyForcibly().waitFor();
    }
  }

  private static String inode(ServerSocket socket) throws IOException {
    String port = String.format(":%04X ", socket.getLocalPort());
    for (String list : List.of("/proc/self/net/tcp", "/proc/self/net/tcp6")) {
      if (!Files.exists(Path.of(list))) {
        continue;
      }
      for (String line : Files.readAllLines(Path.of(list))) {
        if (line.contains(port)) {
          return line.strip().split(" +", -1)[9];
        }
      }
    }
    throw new IOException("no socket on " + port);
  }

  /** As the kernel of a little-endian machine, such as x86-64 and AArch64, writes them. */
  @ParameterizedTest
  @CsvSource({
    "0100007F, 127.0.0.1",
    "00000000000000000000000001000000, ::1",
    "B80D0120000000000000000078563412, 2001:db8::1234:5678",
  })
  void theTablesAddressesAreRead(String digits, String literal) {
    assertThat(TcpCheck.address(digits)).isEqualTo(InetAddress.ofLiteral(literal).getAddress());
  }
}
