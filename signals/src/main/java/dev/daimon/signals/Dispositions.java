package dev.daimon.signals;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Signals;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;

/**
 * The dispositions of a process at one moment: which signals are ignored, which are caught by a
 * handler, and which have their default. Immutable.
 *
 * <p>Dispositions belong to the whole process. All 64 signals are included, also 32 and 33, which
 * the C library uses itself and hides. A JVM catches some signals, such as {@code SIGUSR2}, even if
 * it was started with them ignored; then nothing shows that its caller ignored them.
 *
 * <p>HotSpot, the JDK and the C library catch these signals, and do not work without:
 *
 * <ul>
 *   <li>{@code ILL}, {@code BUS}, {@code FPE}, {@code SEGV}, on some machines {@code TRAP}: for
 *       null checks, safepoints and stack overflows
 *   <li>{@code PIPE}, {@code XFSZ}: so that a write fails and does not end the process
 *   <li>{@code HUP}, {@code INT}, {@code TERM}: to run shutdown hooks; {@code QUIT}: to print all
 *       threads; none of these four with {@code -Xrs}
 *   <li>{@code USR2}, or the signal that {@code _JAVA_SR_SIGNUM} names: to suspend threads
 *   <li>{@code RTMAX-2}, once a channel has been used: to wake up blocked threads
 *   <li>32 and 33, once there are threads: the C library uses them to cancel threads and to change
 *       the credentials of all threads
 * </ul>
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/sigaction.2.html">sigaction(2)</a>
 */
public final class Dispositions {
  private final Set<Signal> ignored;
  private final Set<Signal> caught;

  private Dispositions(Set<Signal> ignored, Set<Signal> caught) {
    this.ignored = Collections.unmodifiableSet(ignored);
    this.caught = Collections.unmodifiableSet(caught);
  }

  /**
   * Reads the dispositions of this process.
   *
   * @return its dispositions
   * @throws PosixException if the kernel refuses
   */
  public static Dispositions current() throws PosixException {
    Set<Signal> ignored = new LinkedHashSet<>();
    Set<Signal> caught = new LinkedHashSet<>();
    for (int number = 1; number <= Signal.MAX_NUMBER; number++) {
      long handler = handler(number);
      if (handler == Signals.SIG_IGN) {
        ignored.add(Signal.of(number));
      } else if (handler != Signals.SIG_DFL) {
        caught.add(Signal.of(number));
      }
    }
    return new Dispositions(ignored, caught);
  }

  /** {@return the signals that are ignored, in the order of their numbers} */
  public Set<Signal> ignored() {
    return ignored;
  }

  /** {@return the signals that have a handler, in the order of their numbers} */
  public Set<Signal> caught() {
    return caught;
  }

  /**
   * Returns the dispositions that a program would start with if this process, or a child that it
   * has forked, executed it. Caught signals have their default then, and ignored signals stay
   * ignored, which is how {@code nohup} works.
   *
   * <p>There are two exceptions. A program that {@code Program.spawn} of Daimon's module {@code
   * forking} starts ignores no signal. A child of {@link ProcessBuilder} ignores 32 and 33 too with
   * glibc before 2.41, which does not reset them.
   *
   * @return the dispositions after an {@code execve}
   * @see <a href="https://man7.org/linux/man-pages/man2/execve.2.html">execve(2)</a>
   */
  public Dispositions afterExec() {
    return new Dispositions(ignored, Set.of());
  }

  /**
   * Sets every signal to its default, real-time signals included, except those whose handlers this
   * JVM needs: the signals that the class documentation lists, and those of {@link SignalEvents}
   * that are not closed.
   *
   * <p>Handlers of native code are removed. A signal that was ignored ends the process from now on,
   * if that is its default. Race: a handler that another thread installs meanwhile may be lost.
   *
   * @return the signals that have kept their handlers, in the order of their numbers
   * @throws PosixException if the kernel refuses; signals with lower numbers may have changed
   */
  public static Set<Signal> resetToDefault() throws PosixException {
    Dispositions before = current();
    Set<Signal> kept = new LinkedHashSet<>();
    for (Signal signal : before.caught) {
      if (JvmSignals.isOwn(signal) || HandlerTable.isRegistered(signal)) {
        kept.add(signal);
      } else {
        set(signal, Signals.SIG_DFL);
      }
    }
    for (Signal signal : before.ignored) {
      set(signal, Signals.SIG_DFL);
    }
    return Collections.unmodifiableSet(kept);
  }

  /**
   * Sets every ignored signal to its default, so that a program that this process executes next
   * starts with all signals at their defaults. Handlers do not change; the {@code execve} removes
   * them.
   *
   * <p>A signal that was ignored ends the process from now on, if that is its default, and shutdown
   * hooks do not run: {@code SIGHUP} under {@code nohup}, for instance. Race: a handler that
   * another thread installs for an ignored signal meanwhile may be lost.
   *
   * @throws PosixException if the kernel refuses; signals with lower numbers may have changed
   */
  public static void resetIgnored() throws PosixException {
    for (int number = 1; number <= Signal.MAX_NUMBER; number++) {
      if (handler(number) == Signals.SIG_IGN) {
        set(Signal.of(number), Signals.SIG_DFL);
      }
    }
  }

  /**
   * Ignores signals from now on, in the whole process. Their handlers are removed; one of {@link
   * SignalEvents} is called again once a handler is registered anew.
   *
   * <p>A signal that arrived before may still reach a handler of the JVM: {@code SIGHUP}, {@code
   * SIGINT} and {@code SIGTERM} then begin its shutdown, unless it was started with {@code -Xrs}.
   *
   * <p>With {@code CHLD} ignored the kernel keeps no exit status: {@link Process#waitFor()} returns
   * 0, whatever a child has exited with.
   *
   * @param signals any but KILL and STOP, and 32 and 33, which the C library uses itself
   * @throws PosixException {@code EINVAL} for one of these; the signals before it have changed
   */
  public static void ignore(Signal... signals) throws PosixException {
    setAll(signals, Signals.SIG_IGN);
  }

  /**
   * Sets signals to their defaults, in the whole process. Their handlers are removed; one of {@link
   * SignalEvents} is called again once a handler is registered anew.
   *
   * @param signals any but KILL and STOP, and 32 and 33, which the C library uses itself
   * @throws PosixException {@code EINVAL} for one of these; the signals before it have changed
   */
  public static void reset(Signal... signals) throws PosixException {
    setAll(signals, Signals.SIG_DFL);
  }

  private static void setAll(Signal[] signals, long handler) throws PosixException {
    // All of them before any is changed.
    for (Signal signal : Objects.requireNonNull(signals, "signals")) {
      Objects.requireNonNull(signal, "signals");
    }
    for (Signal signal : signals) {
      if (JvmSignals.isOfCLibrary(signal)) {
        throw new PosixException(
            "rt_sigaction", signal.toString(), Errno.EINVAL, "; the C library needs it itself");
      }
      set(signal, handler);
    }
  }

  private static void set(Signal signal, long handler) throws PosixException {
    PosixException.check(Signals.setHandler(signal.number(), handler), "rt_sigaction", signal);
  }

  private static long handler(int number) throws PosixException {
    long[] handler = new long[1];
    PosixException.check(Signals.getHandler(number, handler), "rt_sigaction", Signal.of(number));
    return handler[0];
  }

  /** {@return whether the same signals are ignored and caught; handlers are not compared} */
  @Override
  public boolean equals(Object other) {
    return other instanceof Dispositions dispositions
        && ignored.equals(dispositions.ignored)
        && caught.equals(dispositions.caught);
  }

  @Override
  public int hashCode() {
    return Objects.hash(ignored, caught);
  }

  @Override
  public String toString() {
    return "ignored " + ignored + ", caught " + caught;
  }
}
