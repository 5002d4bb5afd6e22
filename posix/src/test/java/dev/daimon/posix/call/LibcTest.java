package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LibcTest {
  @Test
  void aFunctionThatMayBeMissingIsZeroThen() {
    assertThat(Libc.optionalAddress("no_such_function")).isZero();
    assertThat(Libc.optionalAddress("getpid")).isEqualTo(Libc.address("getpid")).isNotZero();
  }

  @ParameterizedTest
  @CsvSource({
    "'', true true",
    "close_range, false true",
    "'posix_spawn_file_actions_addclosefrom_np,close_range', false false",
    "'close,range,close_rang', true true",
  })
  void anOptionalFunctionIsMissingWhereTheTestSaysSo(String without, String capabilities)
      throws Exception {
    assertThat(
            ChildJvm.of(Capabilities.class)
                .option("-Ddev.daimon.posix.without=" + without)
                .run()
                .output())
        .isEqualTo(capabilities);
  }

  static final class Capabilities {
    public static void main(String[] args) {
      System.out.println(Files.hasCloseRange() + " " + Spawning.hasCloseFrom());
    }
  }

  @Test
  void aFunctionThatIsMissingIsNeverJumpedTo() throws Exception {
    assertThat(
            ChildJvm.of(CallMissing.class)
                .option("-Ddev.daimon.posix.without=close_range")
                .run()
                .output())
        .isEqualTo("refused");
  }

  static final class CallMissing {
    public static void main(String[] args) {
      try {
        System.out.println(Files.closeRange(1000, 1001, 0));
      } catch (AssertionError e) {
        System.out.println("refused");
      }
    }
  }

  @Test
  void aResultOfSixtyFourBitsIsKeptAndAnIntIsNarrowed() {
    long text = Libc.raw(Libc.address("strerrorname_np"), 2);
    assertThat(Libc.string(text)).isEqualTo(new byte[] {'E', 'N', 'O', 'E', 'N', 'T'});
    assertThat(Libc.string(0)).isNull();
    assertThat(Libc.call(Libc.address("close"), -1)).isEqualTo(-9);
  }
}
