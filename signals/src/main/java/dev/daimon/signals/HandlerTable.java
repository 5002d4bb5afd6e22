package dev.daimon.signals;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.ProcStatus;
import dev.daimon.posix.call.Signals;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The signals that this JVM's {@link SignalEvents} handle, and their former dispositions. A signal
 * goes to the last receiver that was registered; when the last receiver is removed, the former
 * disposition is restored.
 *
 * <p>This is the only class that calls {@code sun.misc.Signal}. It makes native calls only where
 * {@code sun.misc.Signal} would lose something: the first one takes time that a daemon does not
 * have before it is ready.
 */
final class HandlerTable implements sun.misc.SignalHandler {
  /** The first signal for which the JDK has no name. */
  private static final int FIRST_UNNAMED = 32;

  private static final Map<Signal, HandlerTable> TABLES = new HashMap<>();

  private final sun.misc.Signal signal;

  private final sun.misc.SignalHandler previous;

  /** The disposition, if {@code sun.misc.Signal} would not restore it exactly; otherwise null. */
  private final Signals.@Nullable SignalAction previousAction;

  /**
   * In the order of registration; the last one gets the signal. It says false if it was closed
   * meanwhile, and has not taken it.
   */
  private final List<BooleanSupplier> receivers = new ArrayList<>();

  /** Whether the JVM's own handler begins the shutdown. */
  private final boolean shutdown;

  private HandlerTable(Signal name) throws IOException {
    int number = name.number();
    shutdown = JvmSignals.isShutdown(name);
    signal = new sun.misc.Signal(name.name().substring("SIG".length()));
    boolean ignored = isIn("SigIgn", number);
    // A native handler has flags, which may give it arguments.
    previousAction = isIn("SigCgt", number) && !shutdown ? action(name) : null;
    if (name.equals(Signal.CHLD)) {
      letJdkSetDefault();
    }
    if (ignored) {
      // The JDK keeps signals of a shutdown ignored if they are, even with a new handler.
      PosixException.check(Signals.setHandler(number, Signals.SIG_DFL), "rt_sigaction", name);
    }
    sun.misc.SignalHandler before = sun.misc.Signal.handle(signal, this);
    previous = ignored ? sun.misc.SignalHandler.SIG_IGN : before;
  }

  /** The JDK's first start of a process would take the handler of {@code CHLD} away. */
  private static void letJdkSetDefault() {
    try {
      Class<?> _ = Class.forName("java.lang.ProcessImpl");
    } catch (ClassNotFoundException | LinkageError other) {
      // Another JDK starts processes by another class, or this one cannot start any.
      return;
    }
  }

  /**
   * Requires that the JVM reports signals. With {@code -Xrs} it accepts handlers and never calls
   * them, but it refuses to change a signal of the shutdown. So this asks for the disposition that
   * such a signal has already.
   */
  private static void requireReports() throws IOException {
    int number = Signal.TERM.number();
    if (isIn("SigCgt", number)) {
      return;
    }
    try {
      sun.misc.SignalHandler _ =
          sun.misc.Signal.handle(
              new sun.misc.Signal("TERM"),
              isIn("SigIgn", number)
                  ? sun.misc.SignalHandler.SIG_IGN
                  : sun.misc.SignalHandler.SIG_DFL);
    } catch (IllegalArgumentException reduced) {
      throw new IllegalArgumentException(
          "a JVM with -Xrs reports no signal: start it without that option", reduced);
    }
  }

  /**
   * Adds a receiver, which gets the signal from now on.
   *
   * @throws IllegalArgumentException if the signal cannot be handled in Java
   */
  static void register(Signal signal, BooleanSupplier receiver) throws IOException {
    requireFree(signal);
    synchronized (TABLES) {
      HandlerTable table = TABLES.get(signal);
      if (table == null) {
        requireReports();
        table = new HandlerTable(signal);
        TABLES.put(signal, table);
      } else if (!table.isInstalledExactly(signal)) {
        List<BooleanSupplier> earlier = table.receivers;
        table = new HandlerTable(signal);
        table.receivers.addAll(earlier);
        TABLES.put(signal, table);
      }
      table.receivers.add(receiver);
    }
  }

  /**
   * Whether the main thread blocks a signal, and so most likely all do: the process was started so.
   */
  static boolean isBlocked(Signal signal) throws IOException {
    return isIn("SigBlk", signal.number());
  }

  /** Removes a receiver, even if later ones are registered. */
  static void remove(Signal signal, BooleanSupplier receiver) throws PosixException {
    synchronized (TABLES) {
      HandlerTable table = TABLES.get(signal);
      if (table != null && table.receivers.remove(receiver) && table.receivers.isEmpty()) {
        TABLES.remove(signal);
        table.restore(signal);
      }
    }
  }

  /** Whether the signal has a receiver. */
  static boolean isRegistered(Signal signal) {
    synchronized (TABLES) {
      return TABLES.containsKey(signal);
    }
  }

  /** Called by the JVM, which starts a thread of the highest priority for each signal. */
  @Override
  public void handle(sun.misc.Signal arrived) {
    List<BooleanSupplier> all;
    synchronized (TABLES) {
      all = List.copyOf(receivers);
    }
    boolean taken = false;
    for (int i = all.size() - 1; i >= 0 && !taken; i--) {
      taken = all.get(i).getAsBoolean();
    }
    if (!taken && shutdown && !previous.equals(sun.misc.SignalHandler.SIG_IGN)) {
      // It arrived while the last receiver was removed; a request to end must not be lost.
      previous.handle(arrived);
    }
  }

  /** Whether the signal still has this handler; if other code has changed that, it stays so. */
  private boolean isInstalled() {
    sun.misc.SignalHandler current = sun.misc.Signal.handle(signal, this);
    if (current == this) {
      return true;
    }
    sun.misc.SignalHandler _ = sun.misc.Signal.handle(signal, current);
    return false;
  }

  /** As {@link #isInstalled}, and the handler of other code keeps its flags. */
  private boolean isInstalledExactly(Signal name) throws PosixException {
    Signals.SignalAction action = action(name);
    boolean installed = isInstalled();
    if (!installed) {
      PosixException.check(Signals.setAction(name.number(), action), "rt_sigaction", name);
    }
    return installed;
  }

  private void restore(Signal name) throws PosixException {
    if (!isInstalled()) {
      return;
    }
    sun.misc.SignalHandler current = sun.misc.Signal.handle(signal, previous);
    if (current != this) {
      // Other code has installed a handler in this moment: keep it.
      sun.misc.SignalHandler _ = sun.misc.Signal.handle(signal, current);
    } else if (previousAction != null) {
      PosixException.check(Signals.setAction(name.number(), previousAction), "rt_sigaction", name);
    }
  }

  private static Signals.SignalAction action(Signal name) throws PosixException {
    Signals.SignalAction action = new Signals.SignalAction();
    PosixException.check(Signals.getAction(name.number(), action), "rt_sigaction", name);
    return action;
  }

  /** Refuses the signals that the JVM needs, even those that the JDK would accept. */
  private static void requireFree(Signal signal) {
    String reason = null;
    if (signal.equals(Signal.KILL) || signal.equals(Signal.STOP)) {
      reason = " can be neither caught, blocked nor ignored";
    } else if (JvmSignals.FAULTS.contains(signal)) {
      reason = " is for a fault of the running thread, which the JVM handles; no option frees it";
    } else if (JvmSignals.SWALLOWED.contains(signal)) {
      reason = " is swallowed by the JVM, so that the write itself fails; no option frees it";
    } else if (signal.equals(Signal.QUIT)) {
      reason = " makes the JVM print its threads; -Xrs frees it for native code alone";
    } else if (signal.number() >= FIRST_UNNAMED) {
      reason = " cannot be handled in Java, as no real-time signal can";
    }
    if (reason != null) {
      throw new IllegalArgumentException(signal + reason);
    }
  }

  /** Whether a signal is in one of the sets that {@code /proc} shows of this process. */
  private static boolean isIn(String field, int number) throws IOException {
    String set = ProcStatus.own().field(field);
    if (set == null) {
      throw new IOException("/proc/self/status has no " + field);
    }
    return (Long.parseUnsignedLong(set, 16) >>> (number - 1) & 1) != 0;
  }
}
