package dev.daimon.signals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.UserChange;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Signals;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DispositionsTest {
  /**
   * Hidden by the C library. With glibc before 2.41 {@code ProcessBuilder} starts its children with
   * 32 and 33 ignored; in a child that has threads, 33 then has the C library's own handler.
   */
  private static final long SIGNAL_32 = ignoredInAChild() & 1L << 31;

  private static final long SIGNAL_33 = 1L << 32;

  private static long ignoredInAChild() {
    try {
      String ignored = Command.run("sed", "-n", "s/^SigIgn:\t//p", "/proc/self/status");
      return Long.parseUnsignedLong(ignored, 16);
    } catch (IOException | InterruptedException failure) {
      throw new IllegalStateException(failure);
    }
  }

  @Test
  void everyIgnoredSignalBecomesDefaultAndTheJvmKeepsItsHandlers() throws Exception {
    String ignored = SignalsProgram.hex(1L | 1L << 9 | 1L << 13 | 1L << 33 | 1L << 63 | SIGNAL_32);
    List<String> lines =
        SignalsProgram.run(
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
            "ignored " + SignalsProgram.hex(0),
            "caught " + caught,
            "kernel " + SignalsProgram.hex(0),
            "kernel " + caught);
  }

  @Test
  void signalsThatAShellIgnoresAreSeenAndReset() throws Exception {
    List<String> lines =
        SignalsProgram.run(
            List.of("env", "--default-signal", "sh", "-c", "trap '' ALRM HUP; exec \"$@\"", "sh"),
            "reset");

    assertThat(lines.get(0)).isEqualTo("ignored " + SignalsProgram.hex(1L | 1L << 13 | SIGNAL_32));
    assertThat(lines.get(4)).isEqualTo("ignored " + SignalsProgram.hex(0));
  }

  @Test
  void theHangupThatNohupIgnoresIsSeenAndReset() throws Exception {
    List<String> lines = SignalsProgram.run(List.of("env", "--default-signal", "nohup"), "reset");

    assertThat(lines)
        .contains(
            "ignored " + SignalsProgram.hex(1L | SIGNAL_32), "ignored " + SignalsProgram.hex(0));
  }

  @Test
  void anIgnoredSignalDoesNothing() throws Exception {
    List<String> lines = SignalsProgram.run(List.of("env", "--default-signal"), "ignore");

    assertThat(lines)
        .containsExactly(
            "ignored " + SignalsProgram.hex(SIGNAL_32),
            "ignored " + SignalsProgram.hex(1L | 1L << 1 | 1L << 14 | SIGNAL_32),
            "kernel " + SignalsProgram.hex(1L | 1L << 1 | 1L << 14 | SIGNAL_32),
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
    assertThat(SignalsProgram.run(List.of("env", "--default-signal"), "ignore-too-much"))
        .containsExactly("refused", "ignored " + SignalsProgram.hex(1L << 13 | SIGNAL_32));
  }

  @Test
  void theSetsCannotBeChanged() throws Exception {
    assertThatThrownBy(() -> Dispositions.current().caught().add(Signal.TERM))
        .isInstanceOf(UnsupportedOperationException.class);
  }

  /** Has handlers of native code, which here are those of the JVM under other numbers. */
  static final class ResetsAll {
    public static void main(String[] args) throws Exception {
      long[] handler = new long[1];
      int _ = Signals.getHandler(Signal.PIPE.number(), handler);
      for (int number : List.of(10, 17, 34, 40, 64)) {
        int _ = Signals.setHandler(number, handler[0]);
      }
      CountDownLatch handled = new CountDownLatch(1);
      try (SignalEvents events = new SignalEvents()) {
        events.on(Signal.WINCH, signal -> handled.countDown());
        System.out.println(Dispositions.resetToDefault());
        System.out.println(Dispositions.current().ignored());
        System.out.println(Dispositions.current().caught());
        Kill.send(ProcessHandle.current().pid(), Signal.WINCH);
        handled.await();
      }
      // What a JVM needs its signals for.
      System.gc();
      Object nothing = args.length == 0 ? null : args;
      try {
        System.out.println(nothing.hashCode());
      } catch (NullPointerException alive) {
        System.out.println("alive");
      }
    }
  }

  @Test
  void everySignalBecomesDefaultButThoseThatTheJvmNeeds() throws Exception {
    List<String> lines =
        ChildJvm.of(ResetsAll.class)
            .startedBy("env", "--default-signal", "--ignore-signal=HUP,ALRM,RTMIN+1,RTMAX-1")
            .run()
            .lines();

    // 33 only with the C library's own reasons, RTMAX-2 with the JDK's.
    String kept = lines.get(0).replace(", SIG33", "").replace(", SIGRTMIN+28", "");
    assertThat(kept)
        .isEqualTo(
            "[SIGINT, SIGQUIT, SIGILL, SIGBUS, SIGFPE, SIGSEGV, SIGUSR2, SIGPIPE, SIGTERM,"
                + " SIGXFSZ, SIGWINCH]");
    assertThat(lines.get(1)).isEqualTo("[]");
    assertThat(lines.get(2)).isEqualTo(lines.get(0));
    assertThat(lines.get(3)).isEqualTo("alive");
  }

  @Test
  void theSignalThatSuspendsThreadsMayBeAnother() throws Exception {
    assertThat(
            ChildJvm.of(ResetsAll.class)
                .startedBy("env", "--default-signal", "_JAVA_SR_SIGNUM=16")
                .run()
                .lines()
                .get(0))
        .contains("SIGSTKFLT")
        .doesNotContain("SIGUSR2");
  }

  /** HotSpot warns of another number, and takes USR2. */
  @ParameterizedTest
  @CsvSource({", 12", "16, 16", "12, 12", "64, 64", "11, 12", "65, 12", "-1, 12", "x, 12"})
  void anotherNumberDoesNotCount(String variable, int signal) {
    assertThat(JvmSignals.suspend(variable)).isEqualTo(signal);
  }

  /** Says what a program will start with, and becomes it. */
  static final class Executes {
    public static void main(String[] args) throws Exception {
      // Not in the main thread, whose mask is as the process's was.
      Thread thread = new Thread(Executes::execute);
      thread.start();
      thread.join();
    }

    private static void execute() {
      try {
        SignalMask.block(Signal.TERM, Signal.of(40));
        Dispositions after = Dispositions.current().afterExec();
        System.out.println(SignalsProgram.hex(SignalsProgram.bits(SignalMask.current())));
        System.out.println(SignalsProgram.hex(SignalsProgram.bits(after.ignored())));
        System.out.println(SignalsProgram.hex(SignalsProgram.bits(after.caught())));
        System.out.flush();
        List<byte[]> words = new ArrayList<>();
        for (String word : List.of("sed", "-n", "/^Sig[BIC]/p", "/proc/self/status")) {
          words.add(word.getBytes(StandardCharsets.US_ASCII));
        }
        byte[] sed = "/bin/sed".getBytes(StandardCharsets.US_ASCII);
        int _ =
            Processes.execve(UserChange.NONE, new long[0][], new int[0][], sed, words, List.of());
      } catch (PosixException failure) {
        throw new IllegalStateException(failure);
      }
    }
  }

  @Test
  void whatAProgramStartsWithIsKnownBefore() throws Exception {
    List<String> lines =
        ChildJvm.of(Executes.class)
            .startedBy("env", "--default-signal", "--ignore-signal=ALRM,RTMAX")
            .startedBy("env", "--block-signal=USR1")
            .run()
            .lines();

    assertThat(lines.subList(3, 6))
        .containsExactly(
            "SigBlk:\t" + lines.get(0), "SigIgn:\t" + lines.get(1), "SigCgt:\t" + lines.get(2));
    assertThat(Long.parseUnsignedLong(lines.get(0), 16))
        .as("USR1, TERM and 40 are blocked")
        .matches(blocked ->
            (blocked & (1L << 9 | 1L << 14 | 1L << 39)) == (1L << 9 | 1L << 14 | 1L << 39));
    assertThat(lines.get(1)).isEqualTo(SignalsProgram.hex(1L << 13 | 1L << 63 | SIGNAL_32));
    assertThat(lines.get(2)).isEqualTo(SignalsProgram.hex(0));
  }

  @Test
  void twoLooksAtTheSameAreEqual() throws Exception {
    Dispositions now = Dispositions.current();
    assertThat(now).isEqualTo(Dispositions.current()).hasSameHashCodeAs(Dispositions.current());
    assertThat(now)
        .isNotEqualTo(now.afterExec())
        .hasToString("ignored " + now.ignored() + ", caught " + now.caught());
  }

  /** With another disposition the C library could not change the user of all threads. */
  @ParameterizedTest
  @ValueSource(ints = {32, 33})
  void aSignalOfTheCLibraryIsLeftToIt(int number) {
    Signal signal = Signal.of(number);
    String message =
        "rt_sigaction " + signal + ": Invalid argument (EINVAL, 22); the C library needs it itself";

    assertThatThrownBy(() -> Dispositions.ignore(signal)).hasMessage(message);
    assertThatThrownBy(() -> Dispositions.reset(signal)).hasMessage(message);
  }

  @Test
  @SuppressWarnings("NullAway") // It is what is tested.
  void nothingHasChangedIfOneSignalIsNull() throws Exception {
    Set<Signal> before = Dispositions.current().ignored();

    assertThatThrownBy(() -> Dispositions.ignore(Signal.WINCH, null))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("signals");
    assertThat(Dispositions.current().ignored()).isEqualTo(before);
  }
}
