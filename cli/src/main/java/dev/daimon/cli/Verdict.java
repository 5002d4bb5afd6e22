package dev.daimon.cli;

import dev.daimon.forking.Child;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import org.jspecify.annotations.Nullable;

/**
 * The exit code, agreed upon between the work and a signal that interrupts it.
 *
 * <p>TERM, HUP and INT start the JVM's shutdown. It waits here until the work has seen that, and
 * has either taken back what it did or finished, and it ends with the code that says which.
 */
final class Verdict implements Runnable {
  private boolean interrupted;
  private boolean decided;
  private int code;
  private @Nullable Child forwardTo;

  private Verdict() {}

  /** Stands between signals and the end of the JVM from now on. */
  static Verdict guard() {
    Verdict verdict = new Verdict();
    Runtime.getRuntime().addShutdownHook(new Thread(verdict, "verdict"));
    return verdict;
  }

  synchronized boolean isInterrupted() {
    return interrupted;
  }

  /** From now on it is this child that decides: it gets the signal. */
  synchronized void forwardTo(Child child) throws PosixException {
    forwardTo = child;
    if (interrupted) {
      child.signal(Signal.TERM);
    }
  }

  /** Ends the JVM. */
  void exit(int exitCode) {
    synchronized (this) {
      code = exitCode;
      decided = true;
      notifyAll();
    }
    // Waits for ever if the JVM is ending already: then run() ends it.
    System.exit(exitCode);
  }

  /** The JVM's shutdown, by a signal or by {@link #exit}. */
  @Override
  public synchronized void run() {
    if (!decided) {
      interrupted = true;
      awaitDecision();
    }
    // A signal may have begun the shutdown just before the decision, and its code is not ours.
    Runtime.getRuntime().halt(code);
  }

  private synchronized void awaitDecision() {
    try {
      if (forwardTo != null) {
        forwardTo.signal(Signal.TERM);
      }
      while (!decided) {
        wait();
      }
    } catch (PosixException | InterruptedException failure) {
      code = Failure.INTERRUPTED;
    }
  }
}
