package dev.daimon.signals;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Signals;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;

/**
 * Reads and changes the set of signals that are blocked in the calling thread.
 *
 * <p>Each thread has a mask of its own; a thread or a program that it starts begins with a copy. A
 * virtual thread has none: it reads and changes the mask of its carrier thread.
 *
 * @see <a
 *     href="https://man7.org/linux/man-pages/man3/pthread_sigmask.3.html">pthread_sigmask(3)</a>
 */
public final class SignalMask {
  private SignalMask() {}

  /**
   * Returns the signals that are blocked in the calling thread.
   *
   * <p>A program that this thread executes starts with the same signals blocked, since an {@code
   * execve} keeps the mask. A program that is started with an empty mask, by {@code Program.spawn}
   * of Daimon's module {@code forking} or by {@link ProcessBuilder}, has none of them blocked.
   *
   * <p>The signals 32 and 33 are among them if the process was started with them blocked.
   *
   * @return the signals, in the order of their numbers
   * @throws PosixException if the call fails
   */
  public static Set<Signal> current() throws PosixException {
    long mask = change(Signals.SIG_BLOCK, 0);
    Set<Signal> signals = new LinkedHashSet<>();
    for (int number = 1; number <= Signal.MAX_NUMBER; number++) {
      if ((mask & bit(number)) != 0) {
        signals.add(Signal.of(number));
      }
    }
    return Collections.unmodifiableSet(signals);
  }

  /**
   * Unblocks all signals in the calling thread. Pending signals are delivered before this method
   * returns.
   *
   * @throws PosixException if the call fails
   */
  public static void clear() throws PosixException {
    change(Signals.SIG_SETMASK, 0);
  }

  /**
   * Blocks more signals in the calling thread.
   *
   * <p>Four signals cannot be blocked, and are ignored silently: {@link Signal#KILL} and {@link
   * Signal#STOP}, and the signals 32 and 33, which the C library uses itself.
   *
   * @param signals the signals to add
   * @throws PosixException if the call fails
   */
  public static void block(Signal... signals) throws PosixException {
    Objects.requireNonNull(signals, "signals");
    change(Signals.SIG_BLOCK, bits(Arrays.asList(signals)));
  }

  /** Unblocks signals in the calling thread. */
  static void unblock(Collection<Signal> signals) throws PosixException {
    change(Signals.SIG_UNBLOCK, bits(signals));
  }

  private static long bits(Collection<Signal> signals) {
    long mask = 0;
    for (Signal signal : signals) {
      mask |= bit(Objects.requireNonNull(signal, "signals").number());
    }
    return mask;
  }

  private static long change(int how, long mask) throws PosixException {
    long[] old = new long[1];
    PosixException.check(Signals.sigmask(how, mask, old), "pthread_sigmask", "");
    return old[0];
  }

  private static long bit(int number) {
    return 1L << (number - 1);
  }
}
