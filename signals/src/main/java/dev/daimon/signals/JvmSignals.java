package dev.daimon.signals;

import dev.daimon.posix.Signal;
import java.util.Set;

/** The signals by which HotSpot and the JDK on Linux work themselves. */
final class JvmSignals {
  /**
   * Null checks, safepoints, the stack's end, mapped files that were cut; TRAP on some machines.
   */
  static final Set<Signal> FAULTS =
      Set.of(Signal.ILL, Signal.TRAP, Signal.BUS, Signal.FPE, Signal.SEGV);

  /** They would end the process instead of failing a write. */
  static final Set<Signal> SWALLOWED = Set.of(Signal.PIPE, Signal.XFSZ);

  /** Wakes threads from blocking calls when a channel is closed. */
  private static final int NIO_WAKE_UP = 62;

  /** Cancels threads, and changes the credentials of all: the C library's. */
  private static final int PTHREAD_CANCEL = 32;

  private static final int SETXID = 33;

  private JvmSignals() {}

  /** Whether a handler of this signal is the JVM's, the JDK's or the C library's own. */
  static boolean isOwn(Signal signal) {
    return FAULTS.contains(signal)
        || SWALLOWED.contains(signal)
        || HandlerTable.isShutdown(signal)
        || signal.equals(Signal.QUIT)
        || signal.number() == suspend()
        || signal.number() == NIO_WAKE_UP
        || signal.number() == PTHREAD_CANCEL
        || signal.number() == SETXID;
  }

  /** Suspends threads, for their samples; HotSpot takes another one if it is told so. */
  private static int suspend() {
    String other = System.getenv("_JAVA_SR_SIGNUM");
    try {
      return other == null ? Signal.USR2.number() : Integer.parseInt(other);
    } catch (NumberFormatException ignored) {
      return Signal.USR2.number();
    }
  }
}
