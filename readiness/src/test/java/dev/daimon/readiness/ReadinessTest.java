package dev.daimon.readiness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.testing.ChildJvm;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReadinessTest {
  private static final Duration LONG = Duration.ofMinutes(1);

  private LauncherEnd launcher;

  @BeforeEach
  void open() throws PosixException {
    launcher = LauncherEnd.open("hello".getBytes(UTF_8));
  }

  @AfterEach
  void close() throws PosixException {
    launcher.close();
  }

  /** In this very process: the ends do not care where they are. */
  private static DaemonEnd find() throws PosixException {
    DaemonEnd end = DaemonEnd.find();
    assertThat(end).isNotNull();
    return end;
  }

  @Test
  void theDaemonFindsItsEndAndWhatTheLauncherWantsItToKnow() throws PosixException {
    int number = launcher.daemonDescriptor().number();
    Files.fcntl(number, Files.F_SETFD, 0);

    assertThat(find().greeting()).isEqualTo("hello".getBytes(UTF_8));

    assertThat(Files.fcntl(number, Files.F_GETFD, 0)).isEqualTo(Files.FD_CLOEXEC);
  }

  @Test
  void messagesArriveInOrder() throws PosixException {
    DaemonEnd daemon = find();
    daemon.status("warming caches: ä");
    daemon.failed(78, "no\nluck");
    daemon.ready();

    assertThat(launcher.receive(LONG)).contains(new Message.Status("warming caches: ä"));
    assertThat(launcher.receive(LONG)).contains(new Message.Failed(78, "no\nluck"));
    assertThat(launcher.receive(LONG)).contains(new Message.Ready());
    assertThat(launcher.receive(Duration.ZERO)).isEmpty();
  }

  @Test
  void aDaemonThatEndsWithoutAWordHasEnded() throws PosixException {
    DaemonEnd daemon = find();
    daemon.status("still here");
    launcher.release();

    assertThat(launcher.receive(LONG)).contains(new Message.Status("still here"));
    assertThat(launcher.receive(LONG)).contains(new Message.Ended());
    assertThat(launcher.receive(LONG)).contains(new Message.Ended());
  }

  @Test
  void aDaemonThatEndsBeforeItReadTheGreetingHasEnded() throws PosixException {
    launcher.release();

    assertThat(launcher.receive(LONG)).contains(new Message.Ended());
  }

  @Test
  void theDaemonCountsAsStartedWhenTheLauncherHasConfirmed() throws PosixException {
    DaemonEnd daemon = find();
    launcher.confirm();

    assertThat(daemon.awaitLauncher()).isTrue();
  }

  @Test
  void theDaemonNoticesThatTheLauncherIsGone() throws PosixException {
    try (Descriptor copy = launcher.daemonDescriptor().duplicate()) {
      launcher.release();
      DaemonEnd daemon = find();
      launcher.close();

      assertThat(daemon.awaitLauncher()).isFalse();
      assertThatThrownBy(daemon::ready).isInstanceOf(PosixException.class);
      assertThat(copy.number()).isPositive();
    }
  }

  @Test
  void longTextsAreCutOffBetweenTwoCharacters() throws PosixException {
    DaemonEnd daemon = find();
    daemon.status("x" + "ä".repeat(Wire.MAX_TEXT));

    assertThat(launcher.receive(LONG))
        .contains(new Message.Status("x" + "ä".repeat((Wire.MAX_TEXT - 1) / 2)));
  }

  @Test
  void aLauncherThatDoesNotReadMissesTheStatusAndHoldsNobodyUp() throws PosixException {
    DaemonEnd daemon = find();
    for (int i = 0; i < 10_000; i++) {
      daemon.status("status " + i);
    }

    assertThat(launcher.receive(LONG)).contains(new Message.Status("status 0"));
  }

  @Test
  void onlyAFailureHasAFailuresExitCode() throws PosixException {
    DaemonEnd daemon = find();

    assertThatIllegalArgumentException().isThrownBy(() -> daemon.failed(0, "fine"));
    assertThatIllegalArgumentException().isThrownBy(() -> daemon.failed(256, "fine"));
  }

  @Test
  void aGreetingThatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> LauncherEnd.open(new byte[1_000_000]))
        .isInstanceOfSatisfying(
            PosixException.class, e -> assertThat(e.errno().name()).isEqualTo("EMSGSIZE"));
  }

  @Test
  void whatIsNoMessageIsAnError() {
    assertThatThrownBy(() -> Wire.decode(new byte[] {'?', 0}, 2))
        .isInstanceOf(PosixException.class);
    assertThatThrownBy(() -> Wire.decode(new byte[] {'S'}, 1)).isInstanceOf(PosixException.class);
  }

  @Test
  void strangersSocketsPipesAndFilesAreLeftAlone() throws Exception {
    String script =
        """
        import os, socket, sys
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        a.bind("\\0dev.daimon.readiness/1/ff")
        a.send(b"not for you")
        r, w = os.pipe()
        os.write(w, b"nor this")
        t = socket.socket(socket.AF_INET)
        for number in (b.fileno(), r, t.fileno()):
            os.set_inheritable(number, True)
        os.dup2(b.fileno(), 0)
        child = os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])
        left = b.recv(100, socket.MSG_DONTWAIT), os.read(r, 100)
        print(left == (b"not for you", b"nor this"), child)
        """;

    assertThat(ChildJvm.of(Stranger.class).startedBy("python3", "-c", script).run().lines())
        .containsExactly("true", "True 0");
  }

  static final class Stranger {
    public static void main(String[] args) throws PosixException {
      System.out.println(DaemonEnd.find() == null);
    }
  }
}
