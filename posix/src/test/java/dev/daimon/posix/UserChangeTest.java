package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UserChangeTest {
  @Test
  void nothingIsNoChangeAndEachPartIsOne() {
    assertThat(UserChange.NONE.isNone()).isTrue();
    assertThat(new UserChange(OptionalLong.of(0), OptionalLong.empty()).isNone()).isFalse();
    assertThat(new UserChange(OptionalLong.empty(), OptionalLong.of(0)).isNone()).isFalse();
  }

  /** -1 would leave the id as it is, which is root's. */
  @ParameterizedTest
  @ValueSource(longs = {-1, 0xffff_ffffL, 1L << 32, Long.MIN_VALUE})
  void whatIsNoIdIsRefused(long uid) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new UserChange(OptionalLong.of(uid), OptionalLong.empty()))
        .withMessage("user id out of range: " + uid);
  }
}
