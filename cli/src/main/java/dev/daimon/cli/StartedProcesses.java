package dev.daimon.cli;

import dev.daimon.forking.Descendants;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The program of a start that has failed, with everything that it has started. This JVM has adopted
 * their orphans, so they are its descendants. The programs that read their output are left out.
 */
final class StartedProcesses {
  /** How long processes may take to end by SIGTERM, in ns; then they get SIGKILL. */
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(5);

  /** How long SIGKILL may take to be seen; a process in a system call on a dead disk ignores it. */
  private static final long LAST_PATIENCE = TimeUnit.SECONDS.toNanos(5);

  private static final long PAUSE_MILLIS = 5;

  private StartedProcesses() {}

  /** Ends them after a failure, and says what is left. */
  static void end(Throwable reason, Terminal terminal) {
    try {
      String left = end();
      if (!left.isEmpty()) {
        terminal.error(left);
      }
    } catch (PosixException second) {
      reason.addSuppressed(second);
    }
  }

  /** Ends them; returns what is left, in words; empty if nothing is. */
  static String end() throws PosixException {
    long begin = System.nanoTime();
    List<Long> denied = Descendants.signal(Signal.TERM, Signal.CONT);
    while (isLeft(denied)) {
      long waited = System.nanoTime() - begin;
      if (waited > PATIENCE + LAST_PATIENCE) {
        break;
      }
      if (waited > PATIENCE) {
        denied = Descendants.signal(Signal.KILL);
      }
      pause();
    }
    Descendants.reap();
    List<Long> left = Descendants.list();
    StringBuilder words = new StringBuilder();
    for (long pid : left) {
      words.append(words.isEmpty() ? "not stopped: process " : ", ").append(pid);
    }
    return words.toString();
  }

  /**
   * Whether a process is left that may be signalled. One that is started meanwhile may be missing
   * in a list, so two empty ones are needed.
   */
  private static boolean isLeft(List<Long> denied) throws PosixException {
    for (int i = 0; i < 2; i++) {
      Descendants.reap();
      List<Long> left = Descendants.list();
      left.removeAll(denied);
      if (!left.isEmpty()) {
        return true;
      }
    }
    return false;
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    } catch (InterruptedException impossible) {
      throw new IllegalStateException("nobody interrupts this thread", impossible);
    }
  }
}
