package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

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
}
