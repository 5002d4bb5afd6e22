package dev.daimon.signals;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.ProcStat;
import dev.daimon.posix.call.Signals;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Sends signals to a process, a process group or a session, by its number.
 *
 * <p>Race: when a process has ended and its parent has waited for it, the kernel may give its pid
 * to another process, and this class cannot distinguish the two. A pid is certain only as long as
 * the caller is the parent and has not waited. For other processes use a pidfd: {@code PidFd} of
 * Daimon's module {@code pidfd}. Success does not show that the process is alive: a zombie accepts
 * signals too.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/kill.2.html">kill(2)</a>
 */
public final class Kill {
  /**
   * How often a session is searched at most: new processes may start faster than they are found.
   */
  private static final int ROUNDS = 100;

  private Kill() {}

  /**
   * Sends a signal to one process.
   *
   * @param pid the process, from 1 up
   * @param signal the signal
   * @throws PosixException if there is no such process ({@code ESRCH}), or the caller may not
   *     signal it ({@code EPERM})
   * @throws IllegalArgumentException if the number is not a pid: 0 and negative numbers would mean
   *     a group, or every process
   */
  public static void send(long pid, Signal signal) throws PosixException {
    Objects.requireNonNull(signal, "signal");
    if (pid < 1 || pid > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a process id: " + pid);
    }
    PosixException.check(Signals.kill((int) pid, signal.number()), "kill", pid);
  }

  /**
   * Sends a signal to every process of a process group that the caller may signal.
   *
   * <p>A group's number is its leader's pid. The kernel does not reuse it before the last member
   * has ended.
   *
   * @param processGroup the group, from 2 up
   * @param signal the signal
   * @throws PosixException if there is no such group ({@code ESRCH}), or the caller may signal none
   *     of its members ({@code EPERM})
   * @throws IllegalArgumentException if the number is less than 2: 0 would mean the caller's own
   *     group, and 1 every process
   */
  public static void sendGroup(long processGroup, Signal signal) throws PosixException {
    Objects.requireNonNull(signal, "signal");
    if (processGroup < 2 || processGroup > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a process group to signal: " + processGroup);
    }
    PosixException.check(Signals.kill((int) -processGroup, signal.number()), "kill", -processGroup);
  }

  /**
   * Sends a signal to every process of a session that the caller may signal, and to those that they
   * start meanwhile. If the calling process is one of them, it gets the signal last.
   *
   * <p>The kernel has no call for this. So the processes are searched in {@code /proc}, repeatedly
   * until no new one is found, 100 times at most. Each process is signalled through a pidfd that
   * was opened before its session was read, so no process outside of the session gets the signal.
   *
   * <p>Race: when the last process of a session has ended, the kernel may reuse the number, and
   * this method cannot distinguish the two sessions. To stop a daemon and its session, use {@code
   * DaemonControl} of Daimon's module {@code control}, which identifies the daemon by its lock.
   *
   * @param session the session, from 2 up: the process id of its leader
   * @param signal the signal
   * @return how many processes got the signal
   * @throws PosixException if there is no such session ({@code ESRCH}), or the caller may signal
   *     none of its processes ({@code EPERM}), or {@code /proc} hides them or is of another PID
   *     namespace
   * @throws IllegalArgumentException if the number is less than 2: 0 would mean the sessions of an
   *     outer PID namespace
   */
  public static int sendSession(long session, Signal signal) throws PosixException {
    Objects.requireNonNull(signal, "signal");
    if (session < 2 || session > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a session to signal: " + session);
    }
    Map<String, Boolean> found = new HashMap<>();
    long self = ProcessHandle.current().pid();
    boolean own = member(self, session) != null;
    int known;
    int round = 0;
    do {
      known = found.size();
      for (String name : ProcFiles.list(ProcDirectory.ofAll())) {
        if (Character.isDigit(name.charAt(0)) && Long.parseLong(name) != self) {
          sendMember(Integer.parseInt(name), session, signal, found);
        }
      }
    } while (found.size() > known && ++round < ROUNDS);
    int sent = Collections.frequency(found.values(), true);
    if (own) {
      send(self, signal);
      sent++;
    }
    if (sent == 0) {
      Errno errno = found.isEmpty() ? Errno.ESRCH : Errno.EPERM;
      throw new PosixException("kill", "session " + session, errno);
    }
    return sent;
  }

  /** Signals a process if it is in the session and was not found before. */
  private static void sendMember(int pid, long session, Signal signal, Map<String, Boolean> found)
      throws PosixException {
    int number = PidFds.open(pid);
    if (number == -Errno.ESRCH.number()) {
      return;
    }
    try (Descriptor process = Descriptor.adopt(PosixException.check(number, "pidfd_open", pid))) {
      String member = member(pid, session);
      if (member == null || found.containsKey(member)) {
        return;
      }
      // The process has ended if the one that was read just now is the next one with its pid.
      int result = PidFds.sendSignal(process.number(), signal.number());
      if (result == -Errno.EPERM.number()) {
        found.put(member, false);
      } else if (result != -Errno.ESRCH.number()) {
        PosixException.check(result, "pidfd_send_signal", pid);
        found.put(member, true);
      }
    }
  }

  /** Returns pid and start time of a process in the session; null if it is not, or has ended. */
  private static @Nullable String member(long pid, long session) throws PosixException {
    ProcStat stat;
    try {
      stat = ProcStat.of(pid);
    } catch (PosixException failure) {
      failure.throwIfShortage();
      return null;
    }
    return stat.session() == session ? pid + " " + stat.startTicks() : null;
  }
}
