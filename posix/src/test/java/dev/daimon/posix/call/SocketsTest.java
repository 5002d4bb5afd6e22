package dev.daimon.posix.call;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SocketsTest {
  private final int[] pair = new int[2];

  @BeforeEach
  void connect() {
    assertThat(Sockets.socketpair(Sockets.SOCK_SEQPACKET | Sockets.SOCK_CLOEXEC, pair)).isZero();
  }

  @AfterEach
  void close() {
    Files.close(pair[0]);
    Files.close(pair[1]);
  }

  @Test
  void messagesArriveOneByOne() {
    assertThat(Sockets.send(pair[0], "first".getBytes(US_ASCII), 0)).isEqualTo(5);
    assertThat(Sockets.send(pair[0], "second".getBytes(US_ASCII), 0)).isEqualTo(6);

    byte[] buffer = new byte[20];
    assertThat(Sockets.recv(pair[1], buffer, 0)).isEqualTo(5);
    assertThat(new String(buffer, 0, 5, US_ASCII)).isEqualTo("first");
    assertThat(Sockets.recv(pair[1], buffer, 0)).isEqualTo(6);
    assertThat(Sockets.recv(pair[1], buffer, Sockets.MSG_DONTWAIT))
        .isEqualTo(-Errno.EAGAIN.number());
  }

  @Test
  void theEndOfTheOtherSideIsAMessageOfNothing() {
    Files.close(pair[0]);

    assertThat(Sockets.recv(pair[1], new byte[1], 0)).isZero();
    assertThat(Sockets.send(pair[1], new byte[1], Sockets.MSG_NOSIGNAL)).isEqualTo(-32);
  }

  @Test
  void theNameOfOneEndIsReadAtTheOther() {
    byte[] name = "daimon-test/".concat(Long.toString(System.nanoTime())).getBytes(US_ASCII);
    byte[] read = new byte[100];
    assertThat(Sockets.peerName(pair[1], read)).isZero();

    assertThat(Sockets.bindAbstract(pair[0], name)).isZero();

    int length = Sockets.peerName(pair[1], read);
    assertThat(Arrays.copyOf(read, length)).isEqualTo(name);
    assertThat(Sockets.peerName(pair[0], read)).isZero();
    assertThat(Sockets.bindAbstract(pair[1], name)).isEqualTo(-98);
  }

  @Test
  void aDescriptorThatIsNoSocketHasNoPeer() {
    int file = Files.open("/dev/null".getBytes(US_ASCII), Files.O_RDWR, 0);
    try {
      assertThat(Sockets.peerName(file, new byte[1])).isEqualTo(-88);
      assertThat(Sockets.peerCredentials(file, new int[2])).isEqualTo(-88);
    } finally {
      Files.close(file);
    }
  }

  @Test
  void whoMadeTheConnectionIsThisProcess() {
    int[] processAndUser = new int[2];
    int[] uids = new int[3];
    Credentials.getresuid(uids);

    assertThat(Sockets.peerCredentials(pair[0], processAndUser)).isZero();

    assertThat(processAndUser).containsExactly(Processes.getpid(), uids[1]);
  }

  @Test
  void pollTellsOfAMessageAndOfTheTimeThatIsOver() {
    assertThat(Sockets.poll(pair[0], Sockets.POLLIN, 0)).isZero();
    Sockets.send(pair[1], new byte[1], 0);
    assertThat(Sockets.poll(pair[0], Sockets.POLLIN, -1)).isEqualTo(1);
  }
}
