package dev.daimon.signals;

import dev.daimon.posix.Signal;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The signals that HotSpot and the JDK use themselves on Linux. */
final class JvmSignals {
  /**
   * For null checks, safepoints, stack overflows and truncated mapped files; TRAP on some machines.
   */
  static final Set<Signal> FAULTS =
      Set.of(Signal.ILL, Signal.TRAP, Signal.BUS, Signal.FPE, Signal.SEGV);

  /** Caught so that a write fails and does not end the process. */
  static final Set<Signal> SWALLOWED = Set.of(Signal.PIPE, Signal.XFSZ);

  /** The signal that wakes threads from blocking calls when a channel is closed. */
  private static final int NIO_WAKE_UP = 62;

  /** The signal by which the C library cancels threads. */
  private static final int PTHREAD_CANCEL = 32;

  /** The signal by which the C library changes the credentials of all threads. */
  private static final int SETXID = 33;

  /** The signals that HotSpot takes for suspending threads; other numbers do not count. */
  private static final int FIRST_SUSPENDING = 12;

  private static final int LAST = 64;

  private JvmSignals() {}

  /** Whether a handler of this signal is the JVM's, the JDK's or the C library's own. */
  static boolean isOwn(Signal signal) {
    return FAULTS.contains(signal)
        || SWALLOWED.contains(signal)
        || isShutdown(signal)
        || signal.equals(Signal.QUIT)
        || signal.number() == suspend()
        || signal.number() == NIO_WAKE_UP
        || isOfCLibrary(signal);
  }

  /** Whether the C library handles the signal, in a process that has threads. */
  static boolean isOfCLibrary(Signal signal) {
    return signal.number() == PTHREAD_CANCEL || signal.number() == SETXID;
  }

  /** Whether the JVM begins its shutdown on this signal. */
  static boolean isShutdown(Signal signal) {
    return signal.equals(Signal.HUP) || signal.equals(Signal.INT) || signal.equals(Signal.TERM);
  }

  private static int suspend() {
    return suspend(System.getenv("_JAVA_SR_SIGNUM"));
  }

  /** The signal by which HotSpot suspends threads; a variable can name another one. */
  static int suspend(@Nullable String variable) {
    try {
      int number = variable == null ? 0 : Integer.parseInt(variable);
      return number >= FIRST_SUSPENDING && number <= LAST ? number : Signal.USR2.number();
    } catch (NumberFormatException ignored) {
      return Signal.USR2.number();
    }
  }
}
