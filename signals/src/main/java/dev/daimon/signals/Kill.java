package dev.daimon.signals;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Signals;

/**
 * Signals sent by number: to a process or to a process group.
 *
 * <p>A pid is only a number. As soon as its process has ended and was waited for, the kernel may
 * give it to another, and nothing here can tell the two apart. The number is sure only while the
 * sender is the parent and has not waited yet; for every other process use a pidfd. That a signal
 * could be sent does not show that the process is alive: a zombie takes it too.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/kill.2.html">kill(2)</a>
 */
public final class Kill {
  private Kill() {}

  /**
   * Sends a signal to one process.
   *
   * @param pid the process, from 1 up
   * @param signal the signal
   * @throws PosixException if there is no such process ({@code ESRCH}), or the caller may not
   *     signal it ({@code EPERM})
   * @throws IllegalArgumentException if the number is no pid: 0 and negative ones would mean whole
   *     groups, or every process
   */
  public static void send(long pid, Signal signal) throws PosixException {
    if (pid < 1 || pid > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a process id: " + pid);
    }
    PosixException.check(Signals.kill((int) pid, signal.number()), "kill", pid);
  }

  /**
   * Sends a signal to every process of a process group that the caller may signal.
   *
   * <p>A group's number is its leader's pid, and stays taken until the last member has ended.
   *
   * @param processGroup the group, from 2 up
   * @param signal the signal
   * @throws PosixException if there is no such group ({@code ESRCH}), or the caller may signal none
   *     of its members ({@code EPERM})
   * @throws IllegalArgumentException if the number is no group to signal: 0 would mean the caller's
   *     own, and 1 every process there is
   */
  public static void sendGroup(long processGroup, Signal signal) throws PosixException {
    if (processGroup < 2 || processGroup > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a process group to signal: " + processGroup);
    }
    PosixException.check(Signals.kill((int) -processGroup, signal.number()), "kill", -processGroup);
  }
}
