package dev.daimon.signals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DispositionsTest {
  /**
   * Hidden by the C library. {@code ProcessBuilder} starts its children with 32 and 33 ignored; in
   * a child that has threads, 33 then has the C library's own handler.
   */
  private static final long SIGNAL_32 = 1L << 31;

  private static final long SIGNAL_33 = 1L << 32;

  @Test
  void everyIgnoredSignalBecomesDefaultAndTheJvmKeepsItsHandlers() throws Exception {
    String ignored = Child.hex(1L | 1L << 9 | 1L << 13 | 1L << 33 | 1L << 63 | SIGNAL_32);
    List<String> lines =
        Child.run(
            List.of("env", "--default-signal", "--ignore-signal=HUP,USR1,USR2,ALRM,RTMIN,RTMAX"),
            "reset");

    assertThat(lines.get(0)).isEqualTo("ignored " + ignored);
    assertThat(lines.get(2)).isEqualTo("kernel " + ignored);
    String caught = lines.get(1).substring("caught ".length());
    assertThat(lines.get(3)).isEqualTo("kernel " + caught);
    assertThat(Long.parseUnsignedLong(caught, 16) & (1L << 10 | 1L << 11 | SIGNAL_33))
        .as("SIGSEGV, SIGUSR2 and 33 are caught")
        .isEqualTo(1L << 10 | 1L << 11 | SIGNAL_33);
    assertThat(lines.subList(4, 8))
        .containsExactly(
            "ignored " + Child.hex(0),
            "caught " + caught,
            "kernel " + Child.hex(0),
            "kernel " + caught);
  }

  @Test
  void signalsThatAShellIgnoresAreSeenAndReset() throws Exception {
    List<String> lines =
        Child.run(
            List.of("env", "--default-signal", "sh", "-c", "trap '' ALRM HUP; exec \"$@\"", "sh"),
            "reset");

    assertThat(lines.get(0)).isEqualTo("ignored " + Child.hex(1L | 1L << 13 | SIGNAL_32));
    assertThat(lines.get(4)).isEqualTo("ignored " + Child.hex(0));
  }

  @Test
  void theHangupThatNohupIgnoresIsSeenAndReset() throws Exception {
    List<String> lines = Child.run(List.of("env", "--default-signal", "nohup"), "reset");

    assertThat(lines).contains("ignored " + Child.hex(1L | SIGNAL_32), "ignored " + Child.hex(0));
  }

  @Test
  void anIgnoredSignalDoesNothing() throws Exception {
    List<String> lines = Child.run(List.of("env", "--default-signal"), "ignore");

    assertThat(lines)
        .containsExactly(
            "ignored " + Child.hex(SIGNAL_32),
            "ignored " + Child.hex(1L | 1L << 1 | 1L << 14 | SIGNAL_32),
            "kernel " + Child.hex(1L | 1L << 1 | 1L << 14 | SIGNAL_32),
            "is still here");
  }

  @ParameterizedTest
  @ValueSource(ints = {9, 19})
  void killAndStopCannotBeIgnored(int number) throws Exception {
    assertThatThrownBy(() -> Dispositions.ignore(Signal.of(number)))
        .asInstanceOf(InstanceOfAssertFactories.type(PosixException.class))
        .returns(Errno.EINVAL, PosixException::errno)
        .returns("rt_sigaction", PosixException::call);
  }

  @Test
  void theSignalsBeforeTheRefusedOneAreIgnored() throws Exception {
    assertThat(Child.run(List.of("env", "--default-signal"), "ignore-too-much"))
        .containsExactly("refused", "ignored " + Child.hex(1L << 13 | SIGNAL_32));
  }

  @Test
  void theSetsCannotBeChanged() throws Exception {
    assertThatThrownBy(() -> Dispositions.caught().add(Signal.TERM))
        .isInstanceOf(UnsupportedOperationException.class);
  }
}
