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
 * <p>The kernel cannot give the child's process id to another process before the child was waited
 * for, and Daimon knows when it has done so; so {@link #signal} never reaches another process,
 * unless {@link #adopt} was given one that is no child. A child that has ended is a zombie until it
 * is waited for, or until this JVM ends.
 */
public final class Child {
  private final int pid;
  private final Path program;

  /** The child's mark in {@link OwnChildren}, as long as nobody has reaped it. */
  private final Object mark;

  private @Nullable ExitStatus ended;

  Child(int pid, Path program) {
    this.pid = pid;
    this.program = program;
    // Another thread may have reaped it already.
    mark = Objects.requireNonNullElseGet(OwnChildren.mark(pid), Object::new);
  }

  /**
   * Returns the object for a child of this process that {@link Program} has not started; one that a
   * shell started before it became this JVM, for instance.
   *
   * @param pid a child of this process, which is not checked. No other code may wait for it, as the
   *     JDK does for the children of {@link ProcessBuilder}
   * @return the child
   * @throws IllegalArgumentException if the number is not a process id: 0 and negative numbers
   *     stand for several processes
   */
  public static Child adopt(long pid) {
    if (pid <= 0 || pid > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a process id: " + pid);
    }
    OwnChildren.adopt((int) pid);
    return new Child((int) pid, Path.of("/proc/" + pid));
  }

  /** {@return the process id} */
  public long pid() {
    return pid;
  }

  /**
   * Waits until the program has ended.
   *
   * <p>An interrupt does not end the wait. A virtual thread that waits keeps its carrier.
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
    int result = isThere() ? Processes.awaitEnd(pid) : -Errno.ECHILD.number();
    synchronized (this) {
      if (ended == null) {
        ended = reap(result);
      }
      return ended;
    }
  }

  /** Takes the exit status after a wait with this result. */
  private ExitStatus reap(int result) throws PosixException {
    synchronized (mark) {
      if (result == -Errno.ECHILD.number() || !isThere()) {
        // Its id may be another process's.
        OwnChildren.remove(pid, mark);
        throw new PosixException("waitid", Integer.toString(pid), Errno.ECHILD);
      }
      PosixException.check(result, "waitid", pid);
      int[] status = new int[1];
      PosixException.check(Processes.waitpid(pid, status, 0), "waitpid", pid);
      return new ExitStatus(status[0]);
    }
  }

  /** Whether nobody has reaped it, as far as Daimon knows. */
  private boolean isThere() {
    return mark.equals(OwnChildren.mark(pid));
  }

  /**
   * Sends a signal. Does nothing if the program was waited for, by {@link #waitFor()} or by a
   * {@code PidFd} of daimon-pidfd, or if {@link #waitFor()} has found that other code had done so.
   *
   * @param signal the signal
   * @throws PosixException {@code EPERM} if the program has another user now, {@code ESRCH} if code
   *     other than Daimon's has waited for it
   */
  public void signal(Signal signal) throws PosixException {
    Objects.requireNonNull(signal, "signal");
    // Nobody reaps it meanwhile.
    synchronized (mark) {
      if (isThere()) {
        PosixException.check(Signals.kill(pid, signal.number()), "kill", pid);
      }
    }
  }

  @Override
  public String toString() {
    return program + ", process " + pid;
  }
}
