package dev.daimon.signals;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Handlers of signals, run on an ordinary thread one after the other.
 *
 * <pre>{@code
 * try (SignalEvents events = new SignalEvents()) {
 *   events.on(Signal.HUP, signal -> reload());
 *   serve();
 * }
 * }</pre>
 *
 * <p>The thread is a daemon thread of the usual priority; it starts with the first registration and
 * ends with {@link #close()}. It runs the handlers in the order in which the JVM has told of the
 * signals; of different signals that are sent at the same time, neither the kernel nor the JVM says
 * which came first. A signal that comes again before its handler was begun counts once, as in the
 * kernel, and one that comes while it runs counts once more.
 *
 * <p>A failure of a handler is reported to the thread's uncaught-exception handler, which prints it
 * on standard error unless the program has another one, and the events go on.
 *
 * <p>Whoever registers a signal last gets it, also among several of these objects; when that one is
 * closed, the one before gets it again, and when the last one is closed, the signal does what it
 * did before. What {@code sun.misc.Signal} has installed meanwhile stays.
 *
 * <p>Not every signal can be handled. The JVM keeps {@code ILL}, {@code TRAP}, {@code BUS}, {@code
 * FPE}, {@code SEGV}, {@code PIPE}, {@code XFSZ} and {@code QUIT} for itself, and no option frees
 * them for Java; real-time signals have no way into Java; and one that was started with {@code
 * -Xrs} tells Java of no signal at all. {@code USR2} can be taken from the JVM, which suspends
 * threads by it when it takes samples of them, for Flight Recorder for instance: do not use both,
 * or start the JVM with the number of another signal in the environment variable {@code
 * _JAVA_SR_SIGNUM}.
 *
 * <p>Safe for use by several threads.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/signal.7.html">signal(7)</a>
 */
public final class SignalEvents implements AutoCloseable {
  /** Guards everything here. */
  private final Object lock = new Object();

  private final Map<Signal, Registration> registrations = new LinkedHashMap<>();

  /** Those that have come, the first one first. */
  private final Set<Registration> pending = new LinkedHashSet<>();

  private @Nullable Thread thread;
  private boolean closed;

  /** Events without a handler yet: no thread, and no signal changed. */
  public SignalEvents() {}

  /** A signal of these events, and what is done with it. */
  private final class Registration implements Runnable {
    final Signal signal;
    final SignalHandler handler;

    Registration(Signal signal, SignalHandler handler) {
      this.signal = signal;
      this.handler = handler;
    }

    @Override
    public void run() {
      synchronized (lock) {
        if (registrations.get(signal) == this) {
          pending.add(this);
          lock.notifyAll();
        }
      }
    }
  }

  /**
   * Lets a handler run whenever a signal comes. A signal that these events handle already gets the
   * new handler instead of the old one.
   *
   * <p>One that was ignored, as {@code HUP} under {@code nohup}, has its default for a moment.
   *
   * @param signal the signal
   * @param handler what is done
   * @return this
   * @throws IllegalArgumentException if the signal cannot be handled, with the reason
   * @throws IllegalStateException if these events are closed
   * @throws IOException if the kernel refuses, or {@code /proc} is not mounted
   */
  public SignalEvents on(Signal signal, SignalHandler handler) throws IOException {
    Objects.requireNonNull(signal, "signal");
    Objects.requireNonNull(handler, "handler");
    Registration registration = new Registration(signal, handler);
    Registration old;
    synchronized (lock) {
      if (closed) {
        throw new IllegalStateException("the signal events are closed");
      }
      HandlerTable.register(signal, registration);
      old = registrations.put(signal, registration);
      if (old != null && pending.remove(old)) {
        pending.add(registration);
      }
      if (thread == null) {
        thread = new Runner();
        thread.start();
      }
    }
    if (old != null) {
      HandlerTable.remove(signal, old);
    }
    return this;
  }

  /** A class, not a lambda: a daemon may register before it is ready. */
  private final class Runner extends Thread {
    Runner() {
      super("daimon-signals");
      setDaemon(true);
    }

    @Override
    public void run() {
      Registration next;
      while ((next = next()) != null) {
        try {
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
        // As the JVM does: there is nobody left to tell.
        return;
      }
    }
  }

  /** The one that came first, when one has come; null at the end. */
  private @Nullable Registration next() {
    synchronized (lock) {
      while (pending.isEmpty() && !closed) {
        try {
          lock.wait();
        } catch (InterruptedException stray) {
          // A handler's business: this thread ends with its events alone.
        }
      }
      return closed ? null : first();
    }
  }

  private Registration first() {
    Registration first = pending.iterator().next();
    pending.remove(first);
    return first;
  }

  /** The signals that wait for their handlers. */
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
   * Gives the signals back; a second call does nothing. No handler begins any more, and one that is
   * running goes on: it may be the one that calls this.
   *
   * @throws PosixException if the kernel refuses to put something back; the others are
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
