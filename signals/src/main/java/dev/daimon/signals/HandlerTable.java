package dev.daimon.signals;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Signals;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sun.misc.SignalHandler;

/**
 * The signals that this JVM's {@link SignalEvents} handle, and what was there before. A signal goes
 * to who has registered it last; when the last one is gone, it is as before the first.
 *
 * <p>The one class that calls {@code sun.misc.Signal}. Native calls are made only where it would
 * lose something: they are not free before a daemon is ready.
 */
final class HandlerTable implements SignalHandler {
  /** The first signal that the JDK has no name for. */
  private static final int FIRST_UNNAMED = 32;

  private static final Map<Signal, HandlerTable> TABLES = new HashMap<>();

  private final sun.misc.Signal signal;

  private final SignalHandler previous;

  /** What {@code sun.misc.Signal} does not put back as it was; null if it does. */
  private final Signals.@Nullable SignalAction previousAction;

  /** The last one gets the signal. */
  private final List<Runnable> receivers = new ArrayList<>();

  /** Whether the JVM's own handler ends it. */
  private final boolean shutdown;

  private HandlerTable(Signal name) throws IOException {
    int number = name.number();
    shutdown = isShutdown(name);
    signal = new sun.misc.Signal(name.name().substring("SIG".length()));
    boolean ignored = isIn("SigIgn", number);
    // A native handler has flags, and perhaps arguments, that come with them.
    previousAction = isIn("SigCgt", number) && !shutdown ? action(name) : null;
    if (ignored) {
      // Those of a shutdown stay ignored otherwise, whatever handler they are given.
      PosixException.check(Signals.setHandler(number, Signals.SIG_DFL), "rt_sigaction", name);
    }
    SignalHandler before = sun.misc.Signal.handle(signal, this);
    previous = ignored ? SignalHandler.SIG_IGN : before;
  }

  /**
   * With {@code -Xrs} the JVM still installs handlers, and tells nobody of what they get. It shows
   * in its refusal of those for a shutdown, asked for with what is there already.
   */
  private static void requireTold() throws IOException {
    int number = Signal.TERM.number();
    if (isIn("SigCgt", number)) {
      return;
    }
    try {
      SignalHandler _ =
          sun.misc.Signal.handle(
              new sun.misc.Signal("TERM"),
              isIn("SigIgn", number) ? SignalHandler.SIG_IGN : SignalHandler.SIG_DFL);
    } catch (IllegalArgumentException reduced) {
      throw new IllegalArgumentException(
          "a JVM with -Xrs tells of no signal: start it without that option", reduced);
    }
  }

  /**
   * Lets a signal go to a receiver, from the next one that comes.
   *
   * @throws IllegalArgumentException if it cannot be handled in Java
   */
  static void register(Signal signal, Runnable receiver) throws IOException {
    requireFree(signal);
    synchronized (TABLES) {
      HandlerTable table = TABLES.get(signal);
      if (table == null) {
        requireTold();
        table = new HandlerTable(signal);
        TABLES.put(signal, table);
      }
      table.receivers.add(receiver);
    }
  }

  /** Takes a receiver away, wherever it is in the row. */
  static void remove(Signal signal, Runnable receiver) throws PosixException {
    synchronized (TABLES) {
      HandlerTable table = TABLES.get(signal);
      if (table != null && table.receivers.remove(receiver) && table.receivers.isEmpty()) {
        TABLES.remove(signal);
        table.restore(signal);
      }
    }
  }

  /** Whether somebody has registered it. */
  static boolean isRegistered(Signal signal) {
    synchronized (TABLES) {
      return TABLES.containsKey(signal);
    }
  }

  /** Called by the JVM, on a thread of the highest priority that it makes for each signal. */
  @Override
  public void handle(sun.misc.Signal arrived) {
    Runnable receiver;
    synchronized (TABLES) {
      receiver = receivers.isEmpty() ? null : receivers.getLast();
    }
    if (receiver != null) {
      receiver.run();
    } else if (shutdown && !previous.equals(SignalHandler.SIG_IGN)) {
      // It came while the last receiver was going: nobody asks this JVM to end in vain.
      previous.handle(arrived);
    }
  }

  private void restore(Signal name) throws PosixException {
    SignalHandler current = sun.misc.Signal.handle(signal, previous);
    if (current != this) {
      // Somebody else's by now, who does not know of this one.
      SignalHandler _ = sun.misc.Signal.handle(signal, current);
    } else if (previousAction != null) {
      PosixException.check(Signals.setAction(name.number(), previousAction), "rt_sigaction", name);
    }
  }

  private static Signals.SignalAction action(Signal name) throws PosixException {
    Signals.SignalAction action = new Signals.SignalAction();
    PosixException.check(Signals.getAction(name.number(), action), "rt_sigaction", name);
    return action;
  }

  /** The three by which a JVM is asked to run its shutdown hooks. */
  static boolean isShutdown(Signal signal) {
    return signal.equals(Signal.HUP) || signal.equals(Signal.INT) || signal.equals(Signal.TERM);
  }

  /** Also where the JDK would not refuse, and break something. */
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

  /** Asked of a file, not by a system call: that would be the first native call of some daemons. */
  private static boolean isIn(String field, int number) throws IOException {
    Path status = Path.of("/proc/self/status");
    // The program's name may be any bytes.
    for (String line : Files.readAllLines(status, StandardCharsets.ISO_8859_1)) {
      if (line.startsWith(field)) {
        long set = Long.parseUnsignedLong(line.substring(field.length() + 1).strip(), 16);
        return (set >>> (number - 1) & 1) != 0;
      }
    }
    throw new IOException(status + " has no " + field);
  }
}
