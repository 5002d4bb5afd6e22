package dev.daimon.signals;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.Signals;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Signals sent by number: to a process, a process group or a session.
 *
 * <p>A pid is only a number. As soon as its process has ended and was waited for, the kernel may
 * give it to another, and nothing here can tell the two apart. The number is sure only while the
 * sender is the parent and has not waited yet; for every other process the safe way is a pidfd, as
 * {@code PidFd} of Daimon's module {@code pidfd} has it. That a signal could be sent does not show
 * that the process is alive: a zombie takes it too.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/kill.2.html">kill(2)</a>
 */
public final class Kill {
  /** How often a session is searched at most: one may grow faster than it is found. */
  private static final int ROUNDS = 100;

  /** Of {@code /proc/PID/stat}, counted from the field after the name. */
  private static final int SESSION = 3;

  private static final int START_TIME = 19;

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
    Objects.requireNonNull(signal, "signal");
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
    Objects.requireNonNull(signal, "signal");
    if (processGroup < 2 || processGroup > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a process group to signal: " + processGroup);
    }
    PosixException.check(Signals.kill((int) -processGroup, signal.number()), "kill", -processGroup);
  }

  /**
   * Sends a signal to every process of a session that the caller may signal, and to those that they
   * start meanwhile. The calling process gets it last, if it is one of them.
   *
   * <p>The kernel has no call for that, so the processes are looked for in {@code /proc}, again and
   * again until no new one is found, 100 times at most. Each is signalled through a pidfd that was
   * opened before its session was looked at, so nobody outside of the session gets it.
   *
   * <p>A session's number stays taken until its last process has ended; which session it is by then
   * nothing here can tell. To stop a daemon with its session, and wait for it, there is {@code
   * DaemonControl} of Daimon's module {@code control}, which knows the daemon by its lock.
   *
   * @param session the session, from 2 up: its first process's id
   * @param signal the signal
   * @return how many processes got it
   * @throws PosixException if there is no such session ({@code ESRCH}), or the caller may signal
   *     none of its processes ({@code EPERM}), or {@code /proc} hides them
   * @throws IllegalArgumentException if the number is no session to signal: 0 would be all those of
   *     an outer PID namespace
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
      for (String name : ProcFiles.list("/proc")) {
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

  /** Signals a process if it is in the session and is not among those that were found before. */
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
      // Not there any more if it was the next one of that number that was looked at.
      int result = PidFds.sendSignal(process.number(), signal.number());
      if (result == -Errno.EPERM.number()) {
        found.put(member, false);
      } else if (result != -Errno.ESRCH.number()) {
        PosixException.check(result, "pidfd_send_signal", pid);
        found.put(member, true);
      }
    }
  }

  /** Number and start time of a process in the session; null if it is not, or is gone. */
  private static @Nullable String member(long pid, long session) {
    String stat;
    try {
      stat = ProcFiles.readRecord("/proc/" + pid + "/stat");
    } catch (PosixException gone) {
      return null;
    }
    // The name before may hold anything, parentheses and spaces among it.
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return Long.parseLong(fields[SESSION]) == session ? pid + " " + fields[START_TIME] : null;
  }
}
