package dev.daimon.signals;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Signals;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;

/**
 * The signals that the calling thread holds back.
 *
 * <p>A mask belongs to one thread; a thread or a program that it starts begins with a copy. A
 * virtual thread has none of its own: it sees and changes that of its carrier.
 *
 * @see <a
 *     href="https://man7.org/linux/man-pages/man3/pthread_sigmask.3.html">pthread_sigmask(3)</a>
 */
public final class SignalMask {
  private SignalMask() {}

  /**
   * Returns the signals that are blocked in the calling thread, which are also those that a program
   * starts with that this thread executes: an exec keeps the mask. What is started by {@code
   * posix_spawn} with an empty mask, as {@code Program.spawn} of Daimon's module {@code forking}
   * does, or by {@link ProcessBuilder}, has none of them.
   *
   * <p>32 and 33 appear if the process was started with them blocked.
   *
   * @return a set of its own, in the order of the numbers
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
   * Blocks nothing any more in the calling thread. Signals that were held back arrive before this
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
   * <p>Four cannot be blocked and are passed over without a word: {@link Signal#KILL} and {@link
   * Signal#STOP} by the kernel, 32 and 33 by the C library, which needs them for its own work.
   *
   * @param signals the signals to add
   * @throws PosixException if the call fails
   */
  public static void block(Signal... signals) throws PosixException {
    Objects.requireNonNull(signals, "signals");
    long mask = 0;
    for (Signal signal : signals) {
      mask |= bit(signal.number());
    }
    change(Signals.SIG_BLOCK, mask);
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
