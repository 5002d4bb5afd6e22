package dev.daimon.readiness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Sockets;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ListenSocketTest {
  private static final long SELF = Integer.toUnsignedLong(Credentials.fsuid());

  @TempDir Path directory;

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static ListenSocket open(ListenAddress address) throws IOException {
    return ListenSocket.open(address, SELF, true);
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1"})
  void aPortWithoutAHostIsOpenInBothFamilies(String host) throws Exception {
    ListenAddress address = ListenAddress.tcp(freePort(), "web");
    try (ListenSocket socket = open(address);
        Socket client = new Socket()) {
      assertThat(Files.fcntl(socket.descriptor().number(), Files.F_GETFD, 0))
          .isEqualTo(Files.FD_CLOEXEC);
      client.connect(new InetSocketAddress(InetAddress.ofLiteral(host), address.port()));
      assertThat(client.isConnected()).isTrue();
      assertThat(ListenSocket.listensAt(address, socket.descriptor())).isTrue();
      assertThat(ListenSocket.listensAt(ListenAddress.tcp(1, "x"), socket.descriptor())).isFalse();
      assertThatThrownBy(() -> open(address))
          .isInstanceOfSatisfying(
              PosixException.class, taken -> assertThat(taken.errno()).isEqualTo(Errno.EADDRINUSE))
          .hasMessageStartingWith("bind tcp:" + address.port() + ": ");
    }
  }

  /** Anybody can choose a name with a line feed, which is then in the kernel's list. */
  @Test
  void aNameThatLooksLikeALineOfTheListChangesNothing() throws Exception {
    Path path = directory.resolve("socket");
    ListenAddress address = ListenAddress.unix(path, "web");
    byte[] forged = Sockets.unixAddress(("\0\n " + path).getBytes(UTF_8));
    int stranger = Sockets.socket(Sockets.AF_UNIX, Sockets.SOCK_DGRAM, 0);
    try (ListenSocket socket = open(address);
        Descriptor _ = Descriptor.adopt(stranger)) {
      assertThat(Sockets.bind(stranger, forged)).isZero();

      assertThat(ListenSocket.listensAt(address, socket.descriptor())).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1", "::"})
  void aPortWithAHostIsOpenThereAlone(String host) throws Exception {
    ListenAddress address = ListenAddress.tcp(InetAddress.ofLiteral(host), freePort(), "web");
    ListenAddress every = ListenAddress.tcp(address.port(), "web");
    try (ListenSocket socket = open(address)) {
      assertThat(ListenSocket.listensAt(address, socket.descriptor())).isTrue();
      assertThat(ListenSocket.listensAt(every, socket.descriptor())).isFalse();
      if (host.contains(":")) {
        // Another family's port is free.
        open(ListenAddress.tcp(InetAddress.ofLiteral("127.0.0.1"), address.port(), "x")).close();
      }
    }
  }

  @Test
  void everybodyMayConnectToAPathWhateverTheUmaskIs() throws Exception {
    Path path = directory.resolve("socket");
    int umask = Processes.umask(077);
    try (ListenSocket socket = open(ListenAddress.unix(path, "x"));
        SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      assertThat(client.isConnected()).isTrue();
      assertThat(PosixFilePermissions.toString(java.nio.file.Files.getPosixFilePermissions(path)))
          .isEqualTo("rw-rw-rw-");
      assertThat(ListenSocket.listensAt(socket.address(), socket.descriptor())).isTrue();
      assertThat(
              ListenSocket.listensAt(
                  ListenAddress.unix(directory.resolve("other"), "x"), socket.descriptor()))
          .isFalse();
    } finally {
      assertThat(Processes.umask(umask)).isEqualTo(077);
    }
  }

  @Test
  void aStaleFileIsReplacedByWhoMayAndARemovalSparesOthers() throws Exception {
    Path path = directory.resolve("socket");
    ListenAddress address = ListenAddress.unix(path, "x");
    open(address).close();
    assertThat(path).exists();

    assertThatThrownBy(() -> ListenSocket.open(address, SELF, false))
        .hasMessageContaining("nobody listens on");
    try (ListenSocket second = open(address)) {
      java.nio.file.Files.delete(path);
      try (ListenSocket third = open(address)) {
        second.removeFile();
        assertThat(path).exists();
        third.removeFile();
        assertThat(path).doesNotExist();
      }
    }
  }

  @Test
  void whatAnotherProcessHasIsLeftAlone() throws Exception {
    Path stream = directory.resolve("stream");
    Path packets = directory.resolve("packets");
    try (ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        Descriptor datagrams =
            Descriptor.adopt(Sockets.socket(Sockets.AF_UNIX, Sockets.SOCK_DGRAM, 0))) {
      channel.bind(UnixDomainSocketAddress.of(stream));
      assertThat(Sockets.bind(datagrams.number(), Sockets.unixAddress(NativePath.bytes(packets))))
          .isZero();
      for (Path path : new Path[] {stream, packets}) {
        assertThatThrownBy(() -> open(ListenAddress.unix(path, "x")))
            .hasMessage(path + ": another process has this socket; it is left as it is");
        assertThatThrownBy(() -> ListenSocket.requireReplaceable(path, SELF, true))
            .hasMessageContaining("another process has this socket");
        assertThat(path).exists();
      }
    }
  }

  @Test
  void aFullQueueIsNoDeadSocket() throws Exception {
    Path path = directory.resolve("socket");
    byte[] address = Sockets.unixAddress(NativePath.bytes(path));
    int type = Sockets.SOCK_STREAM | Sockets.SOCK_NONBLOCK;
    try (Descriptor server = Descriptor.adopt(Sockets.socket(Sockets.AF_UNIX, type, 0));
        Descriptor one = Descriptor.adopt(Sockets.socket(Sockets.AF_UNIX, type, 0))) {
      assertThat(Sockets.bind(server.number(), address)).isZero();
      assertThat(Sockets.listen(server.number(), 0)).isZero();
      assertThat(Sockets.connect(one.number(), address)).isZero();

      assertThatThrownBy(() -> open(ListenAddress.unix(path, "x")))
          .hasMessageContaining("another process has this socket");
    }
  }

  @Test
  void aDatagramChannelIsNoListener() throws Exception {
    try (DatagramChannel channel = DatagramChannel.open()) {
      channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      try (Descriptor file =
          Descriptor.adopt(Sockets.socket(Sockets.AF_INET, Sockets.SOCK_DGRAM, 0))) {
        assertThat(ListenSocket.listensAt(ListenAddress.tcp(1, "x"), file)).isFalse();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.0.0.0", "::"})
  void aSocketOfOneFamilyIsNoneOfBoth(String host) throws Exception {
    int port = freePort();
    ListenAddress one = ListenAddress.tcp(InetAddress.ofLiteral(host), port, "x");
    ListenAddress both = ListenAddress.tcp(port, "x");
    try (ListenSocket socket = open(one)) {
      assertThat(ListenSocket.listensAt(one, socket.descriptor())).isTrue();
      assertThat(ListenSocket.listensAt(both, socket.descriptor())).isFalse();
    }
    try (ListenSocket socket = open(both)) {
      assertThat(ListenSocket.listensAt(both, socket.descriptor())).isTrue();
      assertThat(ListenSocket.listensAt(one, socket.descriptor())).isFalse();
    }
  }

  @Test
  void aPathThatIsAnotherSocketsByNowIsNotListenedAt() throws Exception {
    Path path = directory.resolve("socket");
    ListenAddress address = ListenAddress.unix(path, "x");
    try (ListenSocket first = open(address)) {
      assertThat(ListenSocket.listensAt(address, first.descriptor())).isTrue();
      java.nio.file.Files.delete(path);
      assertThat(ListenSocket.listensAt(address, first.descriptor())).isFalse();
      java.nio.file.Files.createFile(path);
      assertThat(ListenSocket.listensAt(address, first.descriptor())).isFalse();
      java.nio.file.Files.delete(path);
      try (ListenSocket second = open(address)) {
        assertThat(ListenSocket.listensAt(address, first.descriptor())).isFalse();
        // The first one still listens with this path, where nobody reaches it.
        assertThat(ListenSocket.listensAt(address, second.descriptor())).isFalse();
        first.descriptor().close();
        assertThat(ListenSocket.listensAt(address, second.descriptor())).isTrue();
      }
    }
  }

  @Test
  void packetsAreNoStream() throws Exception {
    Path path = directory.resolve("socket");
    try (Descriptor packets =
        Descriptor.adopt(Sockets.socket(Sockets.AF_UNIX, Sockets.SOCK_SEQPACKET, 0))) {
      byte[] bytes = Sockets.unixAddress(NativePath.bytes(path));
      assertThat(Sockets.bind(packets.number(), bytes)).isZero();
      assertThat(Sockets.listen(packets.number(), 1)).isZero();
      assertThat(ListenSocket.listensAt(ListenAddress.unix(path, "x"), packets)).isFalse();
    }
  }

  @Test
  void whatIsNoPathOfASocketIsRefused() {
    assertThatThrownBy(() -> ListenAddress.unix(Path.of("socket"), "x"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("not an absolute path: socket");
    Path longest = Path.of("/" + "ä".repeat(53));
    assertThat(ListenAddress.unix(longest, "x").path()).isEqualTo(longest);
    Path tooLong = Path.of("/" + "x".repeat(107));
    assertThatThrownBy(() -> ListenAddress.unix(tooLong, "x"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a path of 108 bytes; 107 fit");
  }

  @ParameterizedTest
  @CsvSource({"127.0.0.1, tcp:127.0.0.1:80", "::1, tcp:[0:0:0:0:0:0:0:1]:80"})
  void anAddressIsTextAsAnOptionTakesIt(String host, String text) {
    assertThat(ListenAddress.tcp(InetAddress.ofLiteral(host), 80, "x")).hasToString(text);
    assertThat(ListenAddress.tcp(65_535, "x")).hasToString("tcp:65535");
    assertThat(ListenAddress.tcp(1, "x")).hasToString("tcp:1");
    assertThat(ListenAddress.unix(Path.of("/run/s"), "x")).hasToString("unix:/run/s");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 65_536})
  void whatIsNoPortIsRefused(int port) {
    assertThatThrownBy(() -> ListenAddress.tcp(port, "x"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("not a port from 1 to 65535: " + port);
  }

  @Test
  void aCheckLeavesNothingOpenAndSoDoesAFailure() throws Exception {
    ListenAddress port = ListenAddress.tcp(freePort(), "x");
    ListenAddress path = ListenAddress.unix(directory.resolve("socket"), "x");
    ListenSocket.checkPort(port);
    ListenSocket.checkPort(path);
    assertThat(directory).isEmptyDirectory();
    try (ListenSocket _ = open(port);
        ListenSocket _ = open(path)) {
      assertThatThrownBy(() -> ListenSocket.checkPort(port)).isInstanceOf(PosixException.class);
      int before = Proc.descriptors("self").size();
      for (int i = 0; i < 100; i++) {
        assertThatThrownBy(() -> open(port)).isInstanceOf(PosixException.class);
        assertThatThrownBy(() -> open(path)).isInstanceOf(IOException.class);
      }
      assertThat(Proc.descriptors("self")).hasSizeLessThan(before + 100);
    }
    for (int i = 0; i < 100; i++) {
      ListenSocket.checkPort(port);
    }
    open(port).close();
  }

  /** As a server that is started again, whose old connections the kernel still knows. */
  @Test
  void aPortWithOldConnectionsIsFree() throws Exception {
    ListenAddress address = ListenAddress.tcp(freePort(), "x");
    InetAddress here = InetAddress.getLoopbackAddress();
    try (ServerSocket server = new ServerSocket(address.port());
        Socket client = new Socket(here, address.port())) {
      // The side that closes a connection first keeps its port for a minute.
      server.accept().close();
      assertThat(client.getInputStream().read()).isEqualTo(-1);
    }
    open(address).close();
  }

  @Test
  @Tag("root")
  void rootReplacesNoSocketOfAnotherUserButTheNamedOne() throws Exception {
    Path path = directory.resolve("socket");
    ListenAddress address = ListenAddress.unix(path, "x");
    open(address).close();
    java.nio.file.Files.setAttribute(path, "unix:uid", 65_534);

    assertThatThrownBy(() -> ListenSocket.open(address, 1, true))
        .isExactlyInstanceOf(IOException.class)
        .hasMessage(path + " belongs to user 65534: remove it");
    ListenSocket.open(address, 65_534, true).close();
  }
}
