package dev.daimon.pidfd;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.ProcStat;
import java.util.Optional;

/**
 * When a process was started, and in which session it is. The kernel tells this of a zombie too.
 *
 * <p>Process id and start time together identify a process until the machine is booted again: the
 * next process with the same id has another start time. Setting the clock does not change it.
 *
 * @param ticks the time from the boot of the machine to the start of the process, in hundredths of
 *     a second
 * @param session the session's id; 0 if it is of another PID namespace
 * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html">proc_pid_stat(5)</a>
 */
public record ProcessStart(long ticks, long session) {
  /**
   * Reads it of the process that has this id now.
   *
   * <p>Race: the id may be another process's by now. To rule that out, open a {@link PidFd} of the
   * process first, and after this check that the process is still alive.
   *
   * @param pid the process id
   * @return when that process was started; empty if there is no such process, or {@code /proc}
   *     hides it or is of another PID namespace
   * @throws PosixException if this JVM has no descriptor or the kernel no memory left ({@code
   *     EMFILE}, {@code ENFILE}, {@code ENOMEM}): then it is unknown whether there is one
   */
  public static Optional<ProcessStart> of(long pid) throws PosixException {
    try {
      ProcStat stat = ProcStat.of(pid);
      return Optional.of(new ProcessStart(stat.startTicks(), stat.session()));
    } catch (PosixException failure) {
      failure.throwIfShortage();
      return Optional.empty();
    }
  }
}
