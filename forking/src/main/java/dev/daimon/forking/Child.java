package dev.daimon.forking;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.OwnChildren;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Signals;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A program that runs as a child of this JVM.
 *
 * <p>The kernel cannot give the child's process id to another process before {@link #waitFor()} has
 * returned, so {@link #signal} never reaches another process. A child that has ended is a zombie
 * until it is waited for, or until this JVM ends.
 */
public final class Child {
  private final int pid;
  private final Path program;
  private @Nullable ExitStatus ended;

  /** Whether other code has waited for it: then its pid may be another process's. */
  private boolean lost;

  Child(int pid, Path program) {
    this.pid = pid;
    this.program = program;
  }

  /**
   * Returns the object for a child of this process that {@link Program} has not started; one that a
   * shell started before it became this JVM, for instance.
   *
   * @param pid a child of this process. No other code may wait for it, as the JDK does for the
   *     children of {@link ProcessBuilder}
   * @return the child
   * @throws IllegalArgumentException if the number is not a process id: 0 and negative numbers
   *     stand for several processes
   */
  public static Child adopt(long pid) {
    if (pid <= 0 || pid > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a process id: " + pid);
    }
    OwnChildren.add((int) pid);
    return new Child((int) pid, Path.of("/proc/" + pid));
  }

  /** {@return the process id} */
  public long pid() {
    return pid;
  }

  /**
   * Waits until the program has ended.
   *
   * <p>An interrupt does not end the wait.
   *
   * @return how the program ended; later calls return the same
   * @throws PosixException {@code ECHILD} if other code has waited for it, or the JVM ignores
   *     {@code SIGCHLD}
   */
  public ExitStatus waitFor() throws PosixException {
    synchronized (this) {
      if (ended != null) {
        return ended;
      }
    }
    // Not reaped outside the lock: another thread could signal the process that gets the pid next.
    int result = Processes.awaitEnd(pid);
    synchronized (this) {
      if (ended == null) {
        lost = result == -Errno.ECHILD.number();
        PosixException.check(result, "waitid", pid);
        int[] status = new int[1];
        PosixException.check(Processes.waitpid(pid, status, 0), "waitpid", pid);
        ended = new ExitStatus(status[0]);
      }
      return ended;
    }
  }

  /**
   * Sends a signal. Does nothing if {@link #waitFor()} has returned, or has found that other code
   * had waited for the program.
   *
   * @param signal the signal
   * @throws PosixException {@code EPERM} if the program has another user now, {@code ESRCH} if
   *     other code has waited for it
   */
  public synchronized void signal(Signal signal) throws PosixException {
    Objects.requireNonNull(signal, "signal");
    if (ended == null && !lost) {
      PosixException.check(Signals.kill(pid, signal.number()), "kill", pid);
    }
  }

  @Override
  public String toString() {
    return program + ", process " + pid;
  }
}
