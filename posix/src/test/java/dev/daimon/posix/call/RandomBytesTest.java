package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RandomBytesTest {
  @Test
  void allBytesAreFilledAndNeverTheSame() {
    byte[] first = new byte[16];
    byte[] second = new byte[16];

    assertThat(RandomBytes.get(first)).isEqualTo(16);
    assertThat(RandomBytes.get(second)).isEqualTo(16);

    assertThat(first).isNotEqualTo(second).isNotEqualTo(new byte[16]);
  }
}
