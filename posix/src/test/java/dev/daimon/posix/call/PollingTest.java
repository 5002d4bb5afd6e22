package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PollingTest {
  @Test
  void pollTellsOfSomethingToReadOfTheEndAndOfTheTimeThatIsOver() {
    int[] pair = new int[2];
    assertThat(Files.pipe(Files.O_CLOEXEC, pair)).isZero();

    assertThat(Polling.poll(pair[0], Polling.POLLIN, 0)).isZero();
    assertThat(Files.write(pair[1], new byte[1])).isEqualTo(1);
    assertThat(Polling.poll(pair[0], Polling.POLLIN, -1)).isEqualTo(1);
    assertThat(Files.read(pair[0], new byte[1])).isEqualTo(1);
    assertThat(Polling.poll(pair[0], Polling.POLLIN, 0)).isZero();
    assertThat(Files.close(pair[1])).isZero();
    assertThat(Polling.poll(pair[0], Polling.POLLIN, -1)).isEqualTo(1);
    assertThat(Files.close(pair[0])).isZero();
  }

  /** Without the count of the rest, this never ends. */
  @Test
  void signalsDoNotMakeTheWaitLonger() throws Exception {
    int[] pair = new int[2];
    assertThat(Files.pipe(Files.O_CLOEXEC, pair)).isZero();
    AtomicInteger id = new AtomicInteger();
    AtomicInteger result = new AtomicInteger(-1);
    Thread waiting =
        Thread.ofPlatform()
            .start(() -> {
              id.set(Libc.call(Libc.address("gettid")));
              result.set(Polling.poll(pair[0], Polling.POLLIN, 400));
            });
    // The JVM has a handler for SIGUSR2, which ignores those that it did not send itself.
    for (int i = 0; i < 1000 && waiting.isAlive(); i++) {
      if (id.get() != 0) {
        int _ = Libc.call(Libc.address("tgkill"), Processes.getpid(), id.get(), 12);
      }
      waiting.join(20);
    }
    assertThat(waiting.isAlive()).isFalse();
    assertThat(result).hasValue(0);
    assertThat(Files.close(pair[0])).isZero();
    assertThat(Files.close(pair[1])).isZero();
  }
}
