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
 * A program that this JVM has spawned.
 *
 * <p>Until {@link #waitFor()} has returned, its pid cannot be given to another process, so a signal
 * sent here never reaches a stranger. A child that is never waited for stays a zombie when it has
 * ended, until this JVM ends too.
 */
public final class Child {
  private final int pid;
  private final Path program;
  private @Nullable ExitStatus ended;

  /** Somebody else has waited for it: its pid may be a stranger's. */
  private boolean lost;

  Child(int pid, Path program) {
    this.pid = pid;
    this.program = program;
  }

  /**
   * A child that was not started by {@link Program}: by a shell, before it became this JVM.
   *
   * @param pid a child of this process that nobody has waited for, and nobody else will, as the JDK
   *     does for those of {@link ProcessBuilder}
   * @return the child
   * @throws IllegalArgumentException if it is no process id: 0 and less stand for many processes
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
   * <p>The thread cannot be interrupted meanwhile.
   *
   * @return how it ended; the same again on later calls
   * @throws PosixException {@code ECHILD} if somebody else waited for it, or the JVM ignores {@code
   *     SIGCHLD}
   */
  public ExitStatus waitFor() throws PosixException {
    synchronized (this) {
      if (ended != null) {
        return ended;
      }
    }
    // Not reaped while others may send signals: the pid could be a stranger's at once.
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
   * Sends a signal, unless {@link #waitFor()} has seen the end of the program, or has found it
   * gone.
   *
   * @param signal the signal
   * @throws PosixException {@code EPERM} if the program belongs to somebody else by now, {@code
   *     ESRCH} if somebody else waited for it
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
