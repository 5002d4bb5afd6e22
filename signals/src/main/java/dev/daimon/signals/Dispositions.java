package dev.daimon.signals;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Signals;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * What this process does on each signal: default, ignored, or caught by a handler.
 *
 * <p>Dispositions belong to the whole process. A program that it executes starts with the ignored
 * ones still ignored ({@code nohup} works that way), while handlers become defaults by themselves.
 * All 64 signals count, 32 and 33 too, which the C library keeps for itself and hides.
 *
 * <p>A JVM catches some signals even if it was started with them ignored, such as {@code SIGUSR2}:
 * that the caller ignored them can no longer be seen.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/sigaction.2.html">sigaction(2)</a>
 */
public final class Dispositions {
  private Dispositions() {}

  /**
   * Returns the signals that are ignored.
   *
   * @return a set of its own, in the order of the numbers
   * @throws PosixException if the kernel does not let the process ask
   */
  public static Set<Signal> ignored() throws PosixException {
    return with(true);
  }

  /**
   * Returns the signals that have a handler; most of a JVM's are the JVM's own.
   *
   * @return a set of its own, in the order of the numbers
   * @throws PosixException if the kernel does not let the process ask
   */
  public static Set<Signal> caught() throws PosixException {
    return with(false);
  }

  /**
   * Sets every ignored signal to its default, so that a program executed next starts with defaults
   * alone.
   *
   * <p>Handlers stay: a JVM lives by those for {@code SIGSEGV} and its kin, and they vanish with
   * the exec anyway. What was ignored ends the process from now on, if that is the signal's
   * default: {@code SIGHUP} under {@code nohup}, for instance, and without shutdown hooks.
   *
   * <p>The handler of 33 stays too: the C library changes the credentials of all threads by it.
   *
   * <p>A handler that another thread installs for an ignored signal meanwhile may be lost.
   *
   * @throws PosixException if the kernel refuses; the signals before that one are done
   */
  public static void resetIgnored() throws PosixException {
    for (int number = 1; number <= Signal.MAX_NUMBER; number++) {
      if (handler(number) == Signals.SIG_IGN) {
        PosixException.check(
            Signals.setHandler(number, Signals.SIG_DFL), "rt_sigaction", Signal.of(number));
      }
    }
  }

  /**
   * Ignores signals from now on, in every thread, whatever handler there was.
   *
   * <p>One that came before may still be on its way to a handler of the JVM's: to its shutdown, for
   * {@code SIGHUP}, {@code SIGINT} and {@code SIGTERM}, unless the JVM was started with {@code
   * -Xrs}.
   *
   * @param signals any but KILL and STOP
   * @throws PosixException {@code EINVAL} for KILL and STOP; the signals before that one are done
   */
  public static void ignore(Signal... signals) throws PosixException {
    for (Signal signal : signals) {
      PosixException.check(
          Signals.setHandler(signal.number(), Signals.SIG_IGN), "rt_sigaction", signal);
    }
  }

  private static Set<Signal> with(boolean ignored) throws PosixException {
    Set<Signal> signals = new LinkedHashSet<>();
    for (int number = 1; number <= Signal.MAX_NUMBER; number++) {
      long handler = handler(number);
      if (handler != Signals.SIG_DFL && (handler == Signals.SIG_IGN) == ignored) {
        signals.add(Signal.of(number));
      }
    }
    return Collections.unmodifiableSet(signals);
  }

  private static long handler(int number) throws PosixException {
    long[] handler = new long[1];
    PosixException.check(Signals.getHandler(number, handler), "rt_sigaction", Signal.of(number));
    return handler[0];
  }
}
