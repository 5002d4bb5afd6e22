package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class SignalsTest {
  private static final long USR1 = 1L << 9;

  @Test
  void theMaskIsOfTheCallingThreadAndTheOldOneComesBack() throws Exception {
    long[] before = new long[1];
    long[] after = new long[1];
    assertThat(Signals.sigmask(Signals.SIG_BLOCK, USR1, before)).isZero();
    try {
      assertThat(status("thread-self", "SigBlk")).isEqualTo(before[0] | USR1);
      assertThat(Signals.sigmask(Signals.SIG_SETMASK, 0, after)).isZero();
      assertThat(after[0]).isEqualTo(before[0] | USR1);
      assertThat(status("thread-self", "SigBlk")).isZero();
    } finally {
      assertThat(Signals.sigmask(Signals.SIG_SETMASK, before[0], after)).isZero();
    }
    assertThat(status("thread-self", "SigBlk")).isEqualTo(before[0]);
    assertThat(Signals.sigmask(99, 0, after)).isEqualTo(-Errno.EINVAL.number());
  }

  @Test
  void handlersAreThoseOfTheKernelsTable() throws Exception {
    long caught = status("self", "SigCgt");
    long ignored = status("self", "SigIgn");
    long[] handler = new long[1];
    for (int signal = 1; signal <= Signal.MAX_NUMBER; signal++) {
      assertThat(Signals.getHandler(signal, handler)).as("of %s", signal).isZero();
      long bit = 1L << (signal - 1);
      if ((caught & bit) != 0) {
        assertThat(handler[0]).as("of %s", signal).isNotIn(Signals.SIG_DFL, Signals.SIG_IGN);
      } else {
        assertThat(handler[0])
            .as("of %s", signal)
            .isEqualTo((ignored & bit) != 0 ? Signals.SIG_IGN : Signals.SIG_DFL);
      }
    }
    assertThat(Signals.getHandler(Signal.PIPE.number(), handler)).isZero();
    assertThat(handler[0]).as("HotSpot catches SIGPIPE").isNotIn(Signals.SIG_DFL, Signals.SIG_IGN);
  }

  @Test
  void aDispositionIsPutBackWithItsFlagsAndItsMask() throws Exception {
    Signals.SignalAction jvms = new Signals.SignalAction();
    Signals.SignalAction none = new Signals.SignalAction();
    Signals.SignalAction after = new Signals.SignalAction();
    int pipe = Signal.PIPE.number();
    assertThat(Signals.getAction(pipe, jvms)).isZero();
    try {
      assertThat(Signals.setHandler(pipe, Signals.SIG_IGN)).isZero();
      assertThat(Signals.getAction(pipe, none)).isZero();
    } finally {
      assertThat(Signals.setAction(pipe, jvms)).isZero();
    }
    assertThat(Signals.getAction(pipe, after)).isZero();
    assertThat(after).usingRecursiveComparison().isEqualTo(jvms).isNotEqualTo(none);
    assertThat(Signals.setAction(Signal.STOP.number(), none)).isEqualTo(-Errno.EINVAL.number());
  }

  @Test
  void whatIsNoSignalOrCannotBeCaughtIsRefused() {
    assertThat(Signals.getHandler(0, new long[1])).isEqualTo(-Errno.EINVAL.number());
    assertThat(Signals.getHandler(65, new long[1])).isEqualTo(-Errno.EINVAL.number());
    assertThat(Signals.setHandler(Signal.KILL.number(), Signals.SIG_IGN))
        .isEqualTo(-Errno.EINVAL.number());
  }

  @Test
  void anIgnoredSignalDoesNothingAndADefaultOneKills() throws Exception {
    ChildJvm.Result result = ChildJvm.of(IgnoreThenDie.class).run();

    assertThat(result.out()).isEqualTo("0 0 1 true\n0 0 0 false\n");
    assertThat(result.exit()).as("128 and SIGUSR2").isEqualTo(128 + 12);
  }

  static final class IgnoreThenDie {
    public static void main(String[] args) throws IOException {
      for (long handler : new long[] {Signals.SIG_IGN, Signals.SIG_DFL}) {
        long[] now = new long[1];
        int set = Signals.setHandler(12, handler);
        int get = Signals.getHandler(12, now);
        boolean ignored = (status("self", "SigIgn") & 1 << 11) != 0;
        System.out.println(set + " " + get + " " + now[0] + " " + ignored);
        Signals.kill(Processes.getpid(), 12);
      }
    }
  }

  @Test
  void signalZeroAsksAndSendsNothing() {
    assertThat(Signals.kill(Processes.getpid(), 0)).isZero();
    assertThat(Signals.kill(1 << 30, 0)).isEqualTo(-Errno.ESRCH.number());
    assertThat(Signals.kill(Processes.getpid(), 65)).isEqualTo(-Errno.EINVAL.number());
  }

  private static long status(String process, String field) throws IOException {
    return Long.parseUnsignedLong(Proc.status(process, field), 16);
  }
}
