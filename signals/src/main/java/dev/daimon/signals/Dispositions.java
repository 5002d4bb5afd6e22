package dev.daimon.signals;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Signals;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;

/**
 * What a process does on each signal, at one moment: default, ignored, or caught by a handler.
 * Immutable.
 *
 * <p>Dispositions belong to the whole process. All 64 signals count, 32 and 33 too, which the C
 * library keeps for itself and hides. A JVM catches some signals even if it was started with them
 * ignored, such as {@code SIGUSR2}: that the caller ignored them can no longer be seen.
 *
 * <p>HotSpot and the JDK catch these for their own work, and do not go on without:
 *
 * <ul>
 *   <li>{@code ILL}, {@code BUS}, {@code FPE}, {@code SEGV}, on some machines {@code TRAP}: null
 *       checks, safepoints, the end of a stack
 *   <li>{@code PIPE}, {@code XFSZ}: so that a write fails instead of the process
 *   <li>{@code HUP}, {@code INT}, {@code TERM}: shutdown hooks; {@code QUIT}: a print of all
 *       threads; none of these four with {@code -Xrs}
 *   <li>{@code USR2}, or the one that {@code _JAVA_SR_SIGNUM} names: threads are suspended by it
 *   <li>{@code RTMAX-2}, once a channel has been used: threads that block are woken by it
 *   <li>32 and 33, once there are threads: the C library cancels threads by the one and changes the
 *       credentials of all by the other
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
   * Looks at this process.
   *
   * @return its dispositions
   * @throws PosixException if the kernel does not let the process ask
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
   * Returns what a program starts with that this process executes, or that a child executes which
   * it has forked: handlers have become defaults, and what was ignored stays so; {@code nohup}
   * works that way.
   *
   * <p>Of what is started by {@code posix_spawn} with every signal reset, as {@code Program.spawn}
   * of Daimon's module {@code forking} does, this is not true: it ignores nothing. And a child of
   * {@link ProcessBuilder} ignores 32 and 33 as well, which the C library does not reset.
   *
   * @return the dispositions after an {@code execve}
   * @see <a href="https://man7.org/linux/man-pages/man2/execve.2.html">execve(2)</a>
   */
  public Dispositions afterExec() {
    return new Dispositions(ignored, Set.of());
  }

  /**
   * Sets every signal to its default, real-time ones included, but for {@code KILL} and {@code
   * STOP}, which have nothing else, and the handlers that this JVM needs: those that are named
   * above, and those of {@link SignalEvents}, which go when these are closed.
   *
   * <p>What native code has installed is gone with this call; what was ignored ends the process
   * from now on, if that is the signal's default. A handler that another thread installs meanwhile
   * may be lost.
   *
   * @return the signals that have kept their handlers, in the order of their numbers
   * @throws PosixException if the kernel refuses; the signals before that one are done
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
   * Sets every ignored signal to its default, so that a program executed next starts with defaults
   * alone: handlers, which all stay, vanish with the exec anyway.
   *
   * <p>What was ignored ends the process from now on, if that is the signal's default: {@code
   * SIGHUP} under {@code nohup}, for instance, and without shutdown hooks. A handler that another
   * thread installs for an ignored signal meanwhile may be lost.
   *
   * @throws PosixException if the kernel refuses; the signals before that one are done
   */
  public static void resetIgnored() throws PosixException {
    for (int number = 1; number <= Signal.MAX_NUMBER; number++) {
      if (handler(number) == Signals.SIG_IGN) {
        set(Signal.of(number), Signals.SIG_DFL);
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
    Objects.requireNonNull(signals, "signals");
    for (Signal signal : signals) {
      set(signal, Signals.SIG_IGN);
    }
  }

  /**
   * Sets signals to their defaults from now on, in every thread, whatever handler there was.
   *
   * @param signals any but KILL and STOP
   * @throws PosixException {@code EINVAL} for KILL and STOP; the signals before that one are done
   */
  public static void reset(Signal... signals) throws PosixException {
    Objects.requireNonNull(signals, "signals");
    for (Signal signal : signals) {
      set(signal, Signals.SIG_DFL);
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

  /** Whether the same signals are ignored, and the same ones caught; not by which handlers. */
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
