package dev.daimon.privileges;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Limits;
import java.io.File;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** All threads of this process, as {@code /proc} lists them. */
final class AllThreads {
  /** How long a thread that is just ending may still show other credentials. */
  private static final long ENDING_NANOS = 3_000_000_000L;

  /** The same for one that gets no processor: on a busy machine one of low priority waits long. */
  private static final long STARVED_NANOS = 60_000_000_000L;

  private static final long PAUSE_NANOS = 100_000;

  private AllThreads() {}

  /** What every thread must fulfil. */
  interface Requirement {
    /** What is wrong with a thread, to follow its name; null for nothing. */
    @Nullable String fault(ThreadStatus thread) throws CredentialsException;
  }

  /** The credentials of the thread that asks, as a requirement on all. */
  static final class Alike implements Requirement {
    private final ThreadStatus own;

    Alike(ThreadStatus own) {
      this.own = own;
    }

    @Override
    public @Nullable String fault(ThreadStatus thread) {
      String difference = thread.difference(own);
      return difference == null ? null : "has credentials of its own: " + difference;
    }
  }

  /**
   * Looks at every thread of the process. One that is on its way out is no longer changed by the C
   * library, and may show its old credentials until it is gone.
   */
  static void require(Requirement requirement) throws PosixException, CredentialsException {
    long begin = System.nanoTime();
    Fault fault;
    while ((fault = firstFault(requirement)) != null) {
      if (System.nanoTime() - begin > (fault.sleeps ? ENDING_NANOS : STARVED_NANOS)) {
        throw new CredentialsException(fault.text);
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /** What is wrong with one of the threads. */
  private static final class Fault {
    final String text;

    /** Whether that thread sleeps. */
    final boolean sleeps;

    Fault(String text, boolean sleeps) {
      this.text = text;
      this.sleeps = sleeps;
    }
  }

  /** Null if nothing is wrong with any of the threads. */
  private static @Nullable Fault firstFault(Requirement requirement)
      throws PosixException, CredentialsException {
    for (String thread : list()) {
      ThreadStatus status = ThreadStatus.of(thread);
      if (status != null && !status.hasEnded()) {
        String fault = requirement.fault(status);
        if (fault != null) {
          return new Fault(status.name().concat(" ").concat(fault), status.sleeps());
        }
      }
    }
    return null;
  }

  private static String[] list() throws CredentialsException {
    String @Nullable [] threads = new File("/proc/self/task").list();
    if (threads == null) {
      throw new CredentialsException("the threads cannot be read from /proc/self/task");
    }
    return threads;
  }

  /**
   * Sets the niceness of every thread. A new one has that of the thread that started it, so all
   * have it when a whole pass has found it everywhere.
   */
  static void setNiceness(int niceness) throws PosixException, CredentialsException {
    boolean found = false;
    while (!found) {
      found = true;
      for (String thread : list()) {
        int id = Integer.parseInt(thread);
        int[] actual = {niceness};
        int result = Limits.getpriority(id, actual);
        if (result >= 0 && actual[0] != niceness) {
          found = false;
          result = Limits.setpriority(id, niceness);
        }
        if (result != -Errno.ESRCH.number()) {
          PosixException.check(result, "setpriority", "thread " + thread + " " + niceness);
        }
      }
    }
  }

  /** What thread has another niceness; null for none. */
  static @Nullable String otherNiceness(int niceness) throws CredentialsException {
    for (String thread : list()) {
      int[] actual = {niceness};
      int result = Limits.getpriority(Integer.parseInt(thread), actual);
      if (result >= 0 && actual[0] != niceness) {
        return "thread " + thread + " has niceness " + actual[0];
      }
    }
    return null;
  }
}
