package dev.daimon.posix.call;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SocketMessagesTest {
  private static final int TYPE = Sockets.SOCK_DGRAM | Sockets.SOCK_CLOEXEC | Sockets.SOCK_NONBLOCK;

  private static final int ENOPROTOOPT = 92;

  /** The kernel's limit for one message. */
  private static final int MOST = 253;

  private final List<Integer> open = new ArrayList<>();
  private int sender;
  private int receiver;

  @BeforeEach
  void connect() {
    byte[] address = Sockets.unixAddress(("\0daimon test " + System.nanoTime()).getBytes(UTF_8));
    receiver = opened(Sockets.socket(Sockets.AF_UNIX, TYPE, 0));
    assertThat(Sockets.bind(receiver, address)).isZero();
    sender = opened(Sockets.socket(Sockets.AF_UNIX, TYPE, 0));
    assertThat(Sockets.connect(sender, address)).isZero();
  }

  @AfterEach
  void close() {
    for (int number : open) {
      assertThat(Files.close(number)).isZero();
    }
  }

  private int opened(int number) {
    assertThat(number).isPositive();
    open.add(number);
    return number;
  }

  private int send(String text, int... descriptors) {
    return SocketMessages.send(
        sender, text.getBytes(UTF_8), descriptors, SocketMessages.MSG_NOSIGNAL);
  }

  private SocketMessage receive(int room, int descriptorRoom) {
    SocketMessage message = new SocketMessage(room, descriptorRoom);
    assertThat(
            SocketMessages.receive(
                receiver, message, SocketMessages.MSG_DONTWAIT | SocketMessages.MSG_CMSG_CLOEXEC))
        .isNotNegative();
    for (int descriptor : message.descriptors()) {
      opened(descriptor);
    }
    if (message.pidfd() >= 0) {
      opened(message.pidfd());
    }
    return message;
  }

  private void pass(int option) {
    assertThat(Sockets.setsockopt(receiver, Sockets.SOL_SOCKET, option, 1)).isZero();
  }

  /** Asks for pidfds; returns whether the kernel has them, which it does from Linux 6.5 on. */
  private boolean passPidfd() {
    int result = Sockets.setsockopt(receiver, Sockets.SOL_SOCKET, Sockets.SO_PASSPIDFD, 1);
    assertThat(result).isIn(0, -ENOPROTOOPT);
    return result == 0;
  }

  @Test
  void aMessageArrivesWithoutAnythingElse() {
    assertThat(send("hello")).isEqualTo(5);

    SocketMessage message = receive(10, MOST);
    assertThat(message.bytes()).isEqualTo("hello".getBytes(UTF_8));
    assertThat(message.isCut()).isFalse();
    assertThat(message.lacksControl()).isFalse();
    assertThat(message.descriptors()).isEmpty();
    assertThat(message.pid()).isEqualTo(-1);
    assertThat(message.pidfd()).isEqualTo(-1);
  }

  @Test
  void anEmptyMessageIsAMessage() {
    assertThat(send("")).isZero();
    assertThat(receive(0, 0).bytes()).isEmpty();
  }

  @Test
  void nothingThereIsAnError() {
    assertThat(SocketMessages.receive(receiver, new SocketMessage(1, 0), 0))
        .isEqualTo(-Errno.EAGAIN.number());
  }

  @Test
  void whatHasNoRoomIsCut() {
    assertThat(send("hello")).isEqualTo(5);

    SocketMessage message = receive(4, 0);
    assertThat(message.bytes()).isEqualTo("hell".getBytes(UTF_8));
    assertThat(message.isCut()).isTrue();
  }

  @Test
  void credentialsAreTheSenders() {
    pass(Sockets.SO_PASSCRED);
    assertThat(send("x")).isEqualTo(1);

    SocketMessage message = receive(1, 0);
    assertThat(message.pid()).isEqualTo(Processes.getpid());
    assertThat(message.uid()).isEqualTo(Credentials.fsuid());
  }

  @Test
  void aPidfdIsTheSenders() throws IOException {
    pass(Sockets.SO_PASSCRED);
    boolean passes = passPidfd();
    assertThat(send("x")).isEqualTo(1);

    SocketMessage message = receive(1, 1);
    assertThat(message.lacksControl()).isFalse();
    assertThat(message.pidfd() >= 0).isEqualTo(passes);
    if (!passes) {
      return;
    }
    assertThat(Proc.descriptors("self")).containsEntry(message.pidfd(), "anon_inode:[pidfd]");
    assertThat(Files.fcntl(message.pidfd(), Files.F_GETFD, 0)).isEqualTo(Files.FD_CLOEXEC);
    String info =
        java.nio.file.Files.readString(
            java.nio.file.Path.of("/proc/self/fdinfo/" + message.pidfd()));
    assertThat(info).contains("Pid:\t" + Processes.getpid() + "\n");
  }

  @Test
  void descriptorsAreTheSameOpenFilesAndCloseOnExec() {
    int[] pipe = new int[2];
    assertThat(Files.pipe(Files.O_CLOEXEC, pipe)).isZero();
    opened(pipe[0]);
    opened(pipe[1]);
    pass(Sockets.SO_PASSCRED);
    boolean passes = passPidfd();
    assertThat(send("x", pipe[0], pipe[1])).isEqualTo(1);

    SocketMessage message = receive(1, 2);
    assertThat(message.descriptors()).hasSize(2);
    assertThat(message.lacksControl()).isFalse();
    assertThat(message.pidfd() >= 0).isEqualTo(passes);
    assertThat(Files.fcntl(message.descriptors()[0], Files.F_GETFD, 0)).isEqualTo(1);
    assertThat(Files.write(message.descriptors()[1], new byte[] {7})).isEqualTo(1);
    byte[] read = new byte[1];
    assertThat(Files.read(pipe[0], read)).isEqualTo(1);
    assertThat(read[0]).isEqualTo((byte) 7);
  }

  @Test
  void asManyDescriptorsAsTheKernelAllowsGoInOneMessage() {
    int[] descriptors = new int[MOST];
    Arrays.fill(descriptors, sender);
    assertThat(send("x", descriptors)).isEqualTo(1);

    assertThat(receive(1, MOST).descriptors()).hasSize(MOST);

    int[] more = new int[MOST + 1];
    Arrays.fill(more, sender);
    assertThat(send("x", more)).isEqualTo(-Errno.EINVAL.number());
    assertThat(send("x", -1)).isEqualTo(-Errno.EBADF.number());
  }

  @Test
  void descriptorsThatHaveNoRoomAreLost() {
    int[] descriptors = new int[20];
    Arrays.fill(descriptors, sender);
    assertThat(send("x", descriptors)).isEqualTo(1);

    SocketMessage message = receive(1, 0);
    assertThat(message.lacksControl()).isTrue();
    assertThat(message.bytes()).hasSize(1);
  }

  @Test
  void withoutRoomForDescriptorsNoneIsOpenedAndNoPidfdEither() {
    pass(Sockets.SO_PASSCRED);
    boolean _ = passPidfd();
    assertThat(send("x", sender)).isEqualTo(1);

    SocketMessage message = receive(1, 0);
    assertThat(message.lacksControl()).isTrue();
    assertThat(message.descriptors()).isEmpty();
    assertThat(message.pidfd()).isEqualTo(-1);
    assertThat(message.pid()).isEqualTo(Processes.getpid());
  }

  @Test
  void aMessageToASocketThatIsGoneIsAnError() {
    open.remove(Integer.valueOf(receiver));
    assertThat(Files.close(receiver)).isZero();

    assertThat(send("x")).isEqualTo(-Errno.ECONNREFUSED.number());
    assertThat(send("x")).isEqualTo(-Errno.ENOTCONN.number());
  }

  @Test
  void aFullQueueIsAnErrorUntilSomebodyReads() {
    int sent = 0;
    int result;
    while ((result = send("x")) == 1) {
      sent++;
    }
    assertThat(result).isEqualTo(-Errno.EAGAIN.number());
    assertThat(sent).isPositive();
    assertThat(Polling.poll(sender, Polling.POLLOUT, 0)).isZero();

    for (int i = 0; i < sent; i++) {
      receive(1, 0);
    }
    assertThat(Polling.poll(sender, Polling.POLLOUT, 0)).isEqualTo(1);
    assertThat(send("x")).isEqualTo(1);
  }
}
