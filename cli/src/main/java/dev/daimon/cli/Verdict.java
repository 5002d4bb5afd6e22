package dev.daimon.cli;

import dev.daimon.forking.Child;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The exit code, and what stands between it and a signal.
 *
 * <p>TERM, HUP and INT start the JVM's shutdown. It stops here, while the work goes on: the work
 * sees that it was interrupted, takes back what it did or finishes it, and ends the JVM with the
 * code that says which.
 */
final class Verdict implements Runnable {
  private boolean interrupted;
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

  /** Ends the JVM, also while its shutdown is waiting. */
  static void exit(int exitCode) {
    Runtime.getRuntime().halt(exitCode);
  }

  /** The JVM's shutdown: never over. */
  @Override
  public void run() {
    interrupt();
    while (true) {
      LockSupport.park();
    }
  }

  private synchronized void interrupt() {
    interrupted = true;
    if (forwardTo != null) {
      try {
        forwardTo.signal(Signal.TERM);
      } catch (PosixException gone) {
        // It is somebody else's by now, and its end, which is being waited for, tells the rest.
        return;
      }
    }
  }
}
