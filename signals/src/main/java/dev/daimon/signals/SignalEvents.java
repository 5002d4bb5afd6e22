package dev.daimon.signals;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs handlers of signals on an ordinary thread, one after the other.
 *
 * <pre>{@code
 * try (SignalEvents events = new SignalEvents()) {
 *   events.on(Signal.HUP, signal -> reload());
 *   serve();
 * }
 * }</pre>
 *
 * <p>The thread is a daemon thread. It starts with the first registration and ends with {@link
 * #close()}. It runs the handlers in the order in which the JVM reports the signals; the order of
 * different signals that are sent at the same time is undefined. A signal that arrives again before
 * its handler has begun is handled once, as in the kernel; one that arrives while the handler runs
 * is handled once more.
 *
 * <p>A signal that the process was started with blocked, as by {@code env --block-signal}, is
 * unblocked in that thread, and so reaches the handler. One that is sent to a single thread which
 * blocks it does not. Race: one that arrives while {@link #close} gives the signal its former
 * disposition back meets that, though it is blocked in the other threads.
 *
 * <p>A failure of a handler is passed to the thread's uncaught-exception handler, which prints it
 * on standard error unless the program has set another one. Later signals are still handled.
 *
 * <p>For each signal that arrives the JVM makes a thread that tells of it. A signal for which it
 * has no memory is lost; later ones are handled.
 *
 * <p>If several objects of this class handle a signal, the one that has registered it last gets it.
 * When that one is closed, the one before it gets the signal again. When the last one is closed,
 * the signal has its former disposition again.
 *
 * <p>If other code has changed the disposition meanwhile, by {@link Dispositions} or {@code
 * sun.misc.Signal}, it stays so, also after the close. The next registration of a handler takes the
 * signal back; the former disposition is then what that code has set.
 *
 * <p>Not every signal can be handled:
 *
 * <ul>
 *   <li>The JVM needs {@code ILL}, {@code TRAP}, {@code BUS}, {@code FPE}, {@code SEGV}, {@code
 *       PIPE}, {@code XFSZ} and {@code QUIT} itself; no option makes them available to Java.
 *   <li>Real-time signals cannot be handled in Java.
 *   <li>A JVM that was started with {@code -Xrs} reports no signal to Java.
 *   <li>{@code USR2} can be handled, but the JVM uses it to suspend threads for sampling, as Flight
 *       Recorder does. Do not use both; or start the JVM with the number of another signal in the
 *       environment variable {@code _JAVA_SR_SIGNUM}.
 * </ul>
 *
 * <p>Safe for use by several threads.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/signal.7.html">signal(7)</a>
 */
public final class SignalEvents implements AutoCloseable {
  /** Guards all fields. */
  private final Object lock = new Object();

  private final Map<Signal, Registration> registrations = new LinkedHashMap<>();

  /**
   * The signals that have arrived and are not yet handled, each once, in the order of arrival.
   * There is room for all of them: neither to add one nor to take one needs memory.
   */
  private final Queue<Registration> pending = new ArrayDeque<>(Signal.MAX_NUMBER);

  /** The signals that the thread has still to unblock. */
  private final Set<Signal> blocked = new HashSet<>();

  private @Nullable Thread thread;
  private boolean closed;

  /** Makes an object without handlers: no thread is started and no signal is changed. */
  public SignalEvents() {}

  /** A signal and its handler. */
  private final class Registration implements BooleanSupplier {
    final Signal signal;
    final SignalHandler handler;

    Registration(Signal signal, SignalHandler handler) {
      this.signal = signal;
      this.handler = handler;
    }

    /** The signal has arrived: for this handler, or for the one that has replaced it since. */
    @Override
    public boolean getAsBoolean() {
      synchronized (lock) {
        Registration now = registrations.get(signal);
        if (now == null) {
          return false;
        }
        if (!pending.contains(now)) {
          pending.add(now);
        }
        lock.notifyAll();
        return true;
      }
    }
  }

  /**
   * Runs a handler whenever a signal arrives. It replaces an earlier handler of this object for the
   * same signal.
   *
   * <p>A signal that was ignored, as {@code HUP} under {@code nohup}, has its default for a moment.
   *
   * @param signal the signal
   * @param handler the handler
   * @return this
   * @throws IllegalArgumentException if the signal cannot be handled; the message says why
   * @throws IllegalStateException if this object is closed
   * @throws IOException if the kernel refuses, or {@code /proc} is not mounted
   */
  public SignalEvents on(Signal signal, SignalHandler handler) throws IOException {
    Objects.requireNonNull(signal, "signal");
    Objects.requireNonNull(handler, "handler");
    Registration registration = new Registration(signal, handler);
    boolean isBlocked = HandlerTable.isBlocked(signal);
    Registration old;
    synchronized (lock) {
      if (closed) {
        throw new IllegalStateException("the signal events are closed");
      }
      HandlerTable.register(signal, registration);
      try {
        if (isBlocked) {
          blocked.add(signal);
          lock.notifyAll();
        }
        if (thread == null) {
          thread = start();
        }
        old = registrations.put(signal, registration);
      } catch (OutOfMemoryError scarce) {
        // Nobody would handle the signal: so it has no handler then.
        blocked.remove(signal);
        HandlerTable.remove(signal, registration);
        throw scarce;
      }
      if (old != null && pending.remove(old)) {
        pending.add(registration);
      }
    }
    if (old != null) {
      HandlerTable.remove(signal, old);
    }
    return this;
  }

  private Thread start() {
    Thread runner = new Runner();
    runner.start();
    return runner;
  }

  /** A class and not a lambda, which costs time: a daemon may register before it is ready. */
  private final class Runner extends Thread {
    Runner() {
      super("daimon-signals");
      setDaemon(true);
    }

    @Override
    public void run() {
      while (true) {
        // All of it: nobody would start the thread again.
        try {
          Registration next = next();
          if (next == null) {
            return;
          }
          next.handler.handle(next.signal);
        } catch (Throwable failure) {
          report(failure);
        }
      }
    }

    private void report(Throwable failure) {
      try {
        getUncaughtExceptionHandler().uncaughtException(this, failure);
      } catch (Throwable broken) {
        // The JVM ignores a failure of that handler too.
        return;
      }
    }
  }

  /** Waits for the next signal that has arrived; returns null when this object is closed. */
  private @Nullable Registration next() {
    synchronized (lock) {
      while (pending.isEmpty() && !closed) {
        unblock();
        try {
          lock.wait();
        } catch (InterruptedException stray) {
          // Only close() ends this thread.
        }
      }
      return closed ? null : pending.poll();
    }
  }

  /** One thread that does not block a signal is enough for a signal to the process. */
  private void unblock() {
    if (blocked.isEmpty()) {
      return;
    }
    try {
      SignalMask.unblock(blocked);
    } catch (PosixException impossible) {
      blocked.clear();
      throw new IllegalStateException(impossible);
    }
    blocked.clear();
  }

  /** Returns the signals that have arrived and are not yet handled. */
  Set<Signal> pending() {
    synchronized (lock) {
      Set<Signal> signals = new LinkedHashSet<>();
      for (Registration registration : pending) {
        signals.add(registration.signal);
      }
      return signals;
    }
  }

  /**
   * Restores the signals' former dispositions; a second call does nothing. No handler begins any
   * more. A handler that is running goes on; it may call this method itself.
   *
   * @throws PosixException if the kernel refuses to restore a signal; the others are restored
   */
  @Override
  public void close() throws PosixException {
    Map<Signal, Registration> own;
    synchronized (lock) {
      closed = true;
      own = Map.copyOf(registrations);
      registrations.clear();
      pending.clear();
      lock.notifyAll();
    }
    PosixException failure = null;
    for (Registration registration : own.values()) {
      try {
        HandlerTable.remove(registration.signal, registration);
      } catch (PosixException refused) {
        failure = Cleanup.first(failure, refused);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
