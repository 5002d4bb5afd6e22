package dev.daimon.privileges;

import dev.daimon.posix.Errno;
import dev.daimon.posix.Pause;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.call.Limits;
import java.io.File;
import org.jspecify.annotations.Nullable;

/** Checks and changes all threads of this process, as {@code /proc} lists them. */
final class AllThreads {
  /** How long a thread that is ending may show other credentials. */
  private static final long ENDING_NANOS = 3_000_000_000L;

  /** The same for a thread that waits for a processor: with a low priority that may take long. */
  private static final long STARVED_NANOS = 60_000_000_000L;

  private static final long PAUSE_NANOS = 100_000;

  private AllThreads() {}

  /** A requirement on every thread. */
  interface Requirement {
    /** Returns what is wrong with a thread, as text that follows its name; null if nothing is. */
    @Nullable String fault(ThreadStatus thread) throws CredentialsException;
  }

  /**
   * Requires the calling thread's credentials of all threads, and if they are to be changed, its
   * right to do so.
   */
  static final class Alike implements Requirement {
    private final ThreadStatus own;
    private final boolean change;

    Alike(ThreadStatus own, boolean change) {
      this.own = own;
      this.change = change;
    }

    @Override
    public @Nullable String fault(ThreadStatus thread) {
      String difference = thread.difference(own, change);
      return difference == null ? null : "has credentials of its own: " + difference;
    }
  }

  /**
   * Checks every thread of the process. A thread that is ending may show its old credentials for a
   * while, since the C library does not change it any more; so the check is repeated.
   */
  static void require(Requirement requirement) throws PosixException, CredentialsException {
    long begin = System.nanoTime();
    Fault fault;
    while ((fault = firstFault(requirement)) != null) {
      if (System.nanoTime() - begin > (fault.sleeps ? ENDING_NANOS : STARVED_NANOS)) {
        throw new CredentialsException(fault.text);
      }
      Pause.nanos(PAUSE_NANOS);
    }
  }

  /** A failed requirement. */
  private static final class Fault {
    final String text;

    /** Whether the thread sleeps. */
    final boolean sleeps;

    Fault(String text, boolean sleeps) {
      this.text = text;
      this.sleeps = sleeps;
    }
  }

  /** Returns the first failed requirement; null if all threads fulfil it. */
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

  /** The threads' ids, for system calls: those of this PID namespace. */
  private static String[] ids() throws PosixException, CredentialsException {
    String _ = ProcDirectory.ofAll();
    return list();
  }

  /**
   * Sets the niceness of every thread. A new thread has the niceness of the thread that started it.
   * So all threads have the new one as soon as a whole pass has found no other.
   */
  static void setNiceness(int niceness) throws PosixException, CredentialsException {
    boolean found = false;
    while (!found) {
      found = true;
      for (String thread : ids()) {
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

  /** Returns which thread has another niceness; null if none has. */
  static @Nullable String otherNiceness(int niceness) throws PosixException, CredentialsException {
    for (String thread : ids()) {
      int[] actual = {niceness};
      int result = Limits.getpriority(Integer.parseInt(thread), actual);
      if (result >= 0 && actual[0] != niceness) {
        return "thread " + thread + " has niceness " + actual[0];
      }
    }
    return null;
  }
}
