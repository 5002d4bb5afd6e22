package dev.daimon.posix.call;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketsTest {
  private static final int TYPE = Sockets.SOCK_DGRAM | Sockets.SOCK_CLOEXEC | Sockets.SOCK_NONBLOCK;

  private int socket;

  @BeforeEach
  void open() {
    socket = Sockets.socket(Sockets.AF_UNIX, TYPE, 0);
    assertThat(socket).isPositive();
  }

  @AfterEach
  void close() {
    assertThat(Files.close(socket)).isZero();
  }

  @Test
  void aNewSocketHasTheFlagsOfItsType() {
    assertThat(Files.fcntl(socket, Files.F_GETFD, 0)).isEqualTo(Files.FD_CLOEXEC);
    assertThat(Files.fcntl(socket, Files.F_GETFL, 0) & Files.O_NONBLOCK).isNotZero();
  }

  @Test
  void anUnknownFamilyIsAnError() {
    assertThat(Sockets.socket(12345, TYPE, 0)).isNegative();
  }

  @Test
  void aPathIsAFileAndEndsWithNul(@TempDir Path directory) {
    byte[] path = directory.resolve("socket").toString().getBytes(UTF_8);
    byte[] address = Sockets.unixAddress(path);

    assertThat(Sockets.bind(socket, address)).isZero();

    assertThat(directory.resolve("socket")).exists();
    assertThat(name()).isEqualTo(address).hasSize(2 + path.length + 1).endsWith(0);
    assertThat(Sockets.unixPath(name())).isEqualTo(path);
    assertThat(connection(address)).isZero();
  }

  @Test
  void anAbstractNameHasNoFileAndAllItsBytesCount() {
    byte[] name = ("\0daimon test " + System.nanoTime() + "\0x").getBytes(UTF_8);
    byte[] address = Sockets.unixAddress(name);

    assertThat(Sockets.bind(socket, address)).isZero();

    assertThat(name()).isEqualTo(address).hasSize(2 + name.length).endsWith('x');
    assertThat(Sockets.unixPath(name())).isEqualTo(name);
    assertThat(connection(address)).isZero();
    assertThat(connection(Sockets.unixAddress(Arrays.copyOf(name, name.length - 1))))
        .isEqualTo(-Errno.ECONNREFUSED.number());
  }

  @Test
  void aStreamSocketListensAtTheAddressThatItHas() {
    byte[] loopback = {127, 0, 0, 1};
    int type = Sockets.SOCK_STREAM | Sockets.SOCK_CLOEXEC;
    int server = Sockets.socket(Sockets.AF_INET, type, 0);
    int client = Sockets.socket(Sockets.AF_INET, type, 0);
    try {
      assertThat(option(server, Sockets.SOL_SOCKET, Sockets.SO_ACCEPTCONN)).isZero();
      assertThat(Sockets.bind(server, Sockets.inetAddress(loopback, 0, 0))).isZero();
      byte[] address = new byte[Layouts.sockaddr_in.SIZE];
      assertThat(Sockets.getsockname(server, address)).isEqualTo(address.length);
      assertThat(Sockets.family(address)).isEqualTo(Sockets.AF_INET);
      assertThat(Sockets.host(address)).isEqualTo(loopback);
      assertThat(Sockets.inetAddress(loopback, Sockets.port(address), 0)).isEqualTo(address);
      assertThat(Sockets.connect(client, address)).isEqualTo(-Errno.ECONNREFUSED.number());

      assertThat(Sockets.listen(server, 5)).isZero();

      assertThat(Sockets.connect(client, address)).isZero();
      assertThat(option(server, Sockets.SOL_SOCKET, Sockets.SO_ACCEPTCONN)).isOne();
      assertThat(option(server, Sockets.SOL_SOCKET, Sockets.SO_TYPE))
          .isEqualTo(Sockets.SOCK_STREAM);
      assertThat(option(server, Sockets.SOL_SOCKET, Sockets.SO_DOMAIN)).isEqualTo(Sockets.AF_INET);
      int other = Sockets.socket(Sockets.AF_INET, type, 0);
      assertThat(Sockets.bind(other, address)).isEqualTo(-Errno.EADDRINUSE.number());
      Files.close(other);
    } finally {
      Files.close(client);
      Files.close(server);
    }
  }

  @Test
  void anAddressOfIpv6HasItsHostPortAndScope() {
    byte[] host = new byte[16];
    host[0] = (byte) 0xfe;
    host[1] = (byte) 0x80;
    host[15] = 7;

    byte[] address = Sockets.inetAddress(host, 65535, 3);

    assertThat(address).hasSize(Layouts.sockaddr_in6.SIZE).endsWith(3, 0, 0, 0);
    assertThat(Sockets.family(address)).isEqualTo(Sockets.AF_INET6);
    assertThat(Sockets.host(address)).isEqualTo(host);
    assertThat(Sockets.port(address)).isEqualTo(65535);
  }

  private static int option(int socket, int level, int option) {
    int[] value = new int[1];
    assertThat(Sockets.getsockopt(socket, level, option, value)).isZero();
    return value[0];
  }

  private byte[] name() {
    byte[] address = new byte[Layouts.sockaddr_un.SIZE];
    return Arrays.copyOf(address, Sockets.getsockname(socket, address));
  }

  /** What a connection to an address returns. */
  private static int connection(byte[] address) {
    int other = Sockets.socket(Sockets.AF_UNIX, TYPE, 0);
    try {
      return Sockets.connect(other, address);
    } finally {
      Files.close(other);
    }
  }

  @Test
  void theNameOfASocketThatHasNoneIsItsFamilyAlone() {
    byte[] address = new byte[16];
    assertThat(Sockets.getsockname(socket, address)).isEqualTo(2);
    assertThat(address).startsWith(1, 0);
    assertThat(Sockets.getsockname(-1, address)).isEqualTo(-Errno.EBADF.number());
  }

  @Test
  void aNameThatDoesNotFitIsCut() {
    byte[] name = ("\0daimon long test " + System.nanoTime()).getBytes(UTF_8);
    assertThat(Sockets.bind(socket, Sockets.unixAddress(name))).isZero();
    byte[] address = new byte[5];

    assertThat(Sockets.getsockname(socket, address)).isEqualTo(2 + name.length);
    assertThat(address).endsWith('d', 'a');
  }

  @Test
  void anOptionHasTheValueThatWasSet() {
    int[] value = new int[1];
    assertThat(option(Sockets.SO_PASSCRED, value)).isZero();
    assertThat(value[0]).isZero();

    assertThat(Sockets.setsockopt(socket, Sockets.SOL_SOCKET, Sockets.SO_PASSCRED, 1)).isZero();

    assertThat(option(Sockets.SO_PASSCRED, value)).isZero();
    assertThat(value[0]).isEqualTo(1);
    assertThat(option(12345, value)).isNegative();
    assertThat(Sockets.setsockopt(socket, Sockets.SOL_SOCKET, 12345, 1)).isNegative();
  }

  private int option(int name, int[] value) {
    return Sockets.getsockopt(socket, Sockets.SOL_SOCKET, name, value);
  }
}
