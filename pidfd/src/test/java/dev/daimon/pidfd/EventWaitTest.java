package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Epoll;
import dev.daimon.posix.call.Files;
import dev.daimon.testing.ChildJvm;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EventWaitTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final Children children = new Children();

  @AfterEach
  void end() {
    children.close();
  }

  @Test
  void withoutAnEventTheTimeEndsTheWait() throws Exception {
    try (EventWait wait = EventWait.open();
        PidFd process = PidFd.open(children.sleeper())) {
      wait.add(process);

      assertThat(wait.await(Duration.ofMillis(1))).isFalse();
      assertThat(wait.await(Duration.ofSeconds(-1))).isFalse();
    }
  }

  @Test
  void theEndOfAProcessIsReportedAgainAndAgainUntilItIsRemoved() throws Exception {
    try (EventWait wait = EventWait.open();
        PidFd process = PidFd.open(children.sleeper())) {
      wait.add(process);
      process.send(Signal.KILL);

      assertThat(wait.await(MINUTE)).isTrue();
      assertThat(wait.await(MINUTE)).isTrue();

      wait.remove(process);
      assertThat(wait.await(Duration.ZERO)).isFalse();
    }
  }

  @Test
  void aDescriptorIsToldFromTheOthers() throws Exception {
    int[] one = new int[2];
    int[] other = new int[2];
    PosixException.check(Files.pipe(Files.O_CLOEXEC, one), "pipe2", "");
    PosixException.check(Files.pipe(Files.O_CLOEXEC, other), "pipe2", "");
    Descriptor firstWriter = Descriptor.adopt(one[1]);
    try (EventWait wait = EventWait.open();
        Descriptor first = Descriptor.adopt(one[0]);
        Descriptor second = Descriptor.adopt(other[0]);
        Descriptor secondWriter = Descriptor.adopt(other[1])) {
      wait.add(first);
      wait.add(second);
      Files.write(secondWriter.number(), "x".getBytes(StandardCharsets.US_ASCII));

      assertThat(wait.await(MINUTE)).isTrue();
      assertThat(wait.isReadable(second)).isTrue();
      assertThat(wait.isReadable(first)).isFalse();

      firstWriter.close();
      assertThat(wait.await(MINUTE)).isTrue();
      assertThat(wait.isReadable(first)).as("the other end is closed").isTrue();
    }
  }

  static final class Stopped {
    public static void main(String[] args) throws Exception {
      String script =
          "while kill -STOP $0; do sleep 0.1; kill -CONT $0; sleep 0.3; done 2>/dev/null";
      String self = Long.toString(ProcessHandle.current().pid());
      Process stops = new ProcessBuilder("sh", "-c", script, self).start();
      try (EventWait wait = EventWait.open()) {
        System.out.println(wait.await(Duration.ofSeconds(2)));
      } finally {
        stops.destroyForcibly();
      }
    }
  }

  /** Each stop interrupts the wait: it would never end. */
  @Test
  void theTimeGoesOnWhileTheProcessIsStoppedAndContinued() throws Exception {
    assertThat(ChildJvm.of(Stopped.class).run().output()).isEqualTo("false");
  }

  @Test
  void aRegularFileIsRefused() throws Exception {
    int file = Files.open("/etc/passwd".getBytes(StandardCharsets.US_ASCII), Files.O_CLOEXEC, 0);
    try (EventWait wait = EventWait.open();
        Descriptor regular = Descriptor.adopt(file)) {
      assertThatThrownBy(() -> wait.add(regular))
          .isInstanceOf(PosixException.class)
          .hasMessageContaining("EPERM");
    }
  }

  @Test
  void howeverManyEventsThereAreAllAreReportedUntilTheyAreRemoved() throws Exception {
    List<Descriptor> readable = new ArrayList<>();
    try (EventWait wait = EventWait.open()) {
      for (int i = 0; i < 40; i++) {
        Descriptor event = Descriptor.adopt(Epoll.eventfd(Epoll.EFD_CLOEXEC));
        readable.add(event);
        assertThat(Files.write(event.number(), new byte[] {1, 0, 0, 0, 0, 0, 0, 0})).isEqualTo(8);
        wait.add(event);
      }

      assertThat(wait.await(Duration.ZERO)).isTrue();
      assertThat(readable).allMatch(wait::isReadable);

      wait.remove(readable.getFirst());
      assertThat(wait.isReadable(readable.getFirst())).isFalse();
      assertThat(wait.await(Duration.ZERO)).isTrue();
      assertThat(wait.isReadable(readable.getFirst())).isFalse();
      assertThat(readable.subList(1, 40)).allMatch(wait::isReadable);
    } finally {
      for (Descriptor event : readable) {
        event.close();
      }
    }
  }
}
