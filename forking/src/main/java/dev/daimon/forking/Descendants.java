package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.ProcStat;
import dev.daimon.posix.call.Processes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The descendants of this process: its children, their children, and so on, as {@code /proc} shows
 * them.
 *
 * <p>A process whose parent ends is no longer a descendant, unless this process {@linkplain
 * ThisProcess#adoptOrphans adopts orphans}. Call that first.
 *
 * <p>A zombie is no descendant here: it has ended.
 */
public final class Descendants {
  /** No chain of parents is that long: a longer one was read while processes ended. */
  private static final int DEPTH = 10_000;

  /** The process groups that do not count. */
  private static final Set<Long> EXCLUDED = ConcurrentHashMap.newKeySet();

  private Descendants() {}

  /**
   * Leaves the processes of a process group out from now on: they are no descendants here. For what
   * is to outlive the others, such as a program that reads what they print.
   *
   * @param group the id of a group that cannot become another one's, as that of a {@link Detached}
   *     that is open
   */
  public static void exclude(long group) {
    EXCLUDED.add(group);
  }

  /**
   * Tells whether a process is a descendant of this one, and has not ended.
   *
   * <p>Race: the id may be another process's by now. To rule that out, open a pidfd of the process
   * first, and check after this method that the process is still alive.
   *
   * @param pid a process id
   * @return whether it is; false also for this process itself, and where {@code /proc} hides it or
   *     is of another PID namespace
   * @throws PosixException if this JVM has no descriptor or the kernel no memory left, so that it
   *     is unknown
   */
  public static boolean contain(long pid) throws PosixException {
    String all;
    try {
      all = ProcDirectory.ofAll();
    } catch (PosixException hidden) {
      hidden.throwIfShortage();
      return false;
    }
    long self = ThisProcess.id();
    long next = pid;
    for (int i = 0; i < DEPTH && next > 1 && next != self; i++) {
      ProcStat stat = stat(all, Long.toString(next));
      if (stat == null || (i == 0 && (stat.isZombie() || isExcluded(stat)))) {
        return false;
      }
      next = stat.parent();
    }
    return next == self && pid != self;
  }

  /** Null if the process has ended, or is hidden. */
  private static @Nullable ProcStat stat(String all, String pid) throws PosixException {
    try {
      return ProcStat.in(all.concat("/").concat(pid));
    } catch (PosixException gone) {
      gone.throwIfShortage();
      return null;
    }
  }

  /**
   * Lists the descendants that have not ended.
   *
   * <p>Race: one that is started meanwhile may be missing, and so may one whose parent ends
   * meanwhile. Call this again until nothing changes.
   *
   * @return their process ids
   * @throws PosixException if {@code /proc} is not mounted, or is of another PID namespace
   */
  public static List<Long> list() throws PosixException {
    Map<Long, Long> parents = new HashMap<>();
    List<Long> alive = new ArrayList<>();
    String all = ProcDirectory.ofAll();
    try (ProcFiles.Names names = new ProcFiles.Names(all)) {
      String name;
      while ((name = names.next()) != null) {
        if (Character.isDigit(name.charAt(0))) {
          long pid = Long.parseLong(name);
          ProcStat stat = stat(all, name);
          if (stat != null) {
            parents.put(pid, stat.parent());
            if (!stat.isZombie() && !isExcluded(stat)) {
              alive.add(pid);
            }
          }
        }
      }
    }
    long self = ThisProcess.id();
    List<Long> found = new ArrayList<>();
    for (long pid : alive) {
      if (isBelow(pid, self, parents)) {
        found.add(pid);
      }
    }
    return found;
  }

  private static boolean isExcluded(ProcStat stat) {
    return !EXCLUDED.isEmpty() && EXCLUDED.contains(stat.group());
  }

  private static boolean isBelow(long pid, long ancestor, Map<Long, Long> parents) {
    Long next = parents.get(pid);
    for (int i = 0; i < DEPTH && next != null; i++) {
      if (next == ancestor) {
        return true;
      }
      next = parents.get(next);
    }
    return false;
  }

  /**
   * Sends signals to all descendants. Each is signalled through a pidfd that was opened before it
   * was seen to be a descendant, so no other process gets the signal.
   *
   * @param signals the signals, in this order
   * @return those that this process may not signal
   * @throws PosixException as {@link #list}, or if the kernel refuses for another reason
   */
  public static List<Long> signal(Signal... signals) throws PosixException {
    for (Signal signal : Objects.requireNonNull(signals, "signals")) {
      Objects.requireNonNull(signal, "signals");
    }
    List<Long> denied = new ArrayList<>();
    for (long pid : list()) {
      int number = PidFds.open((int) pid);
      if (number == -Errno.ESRCH.number()) {
        continue;
      }
      try (Descriptor process = Descriptor.adopt(PosixException.check(number, "pidfd_open", pid))) {
        if (contain(pid) && !isSent(process, pid, signals)) {
          denied.add(pid);
        }
      }
    }
    return denied;
  }

  private static boolean isSent(Descriptor process, long pid, Signal[] signals)
      throws PosixException {
    for (Signal signal : signals) {
      int result = PidFds.sendSignal(process.number(), signal.number());
      if (result == -Errno.EPERM.number()) {
        return false;
      }
      if (result != -Errno.ESRCH.number()) {
        PosixException.check(result, "pidfd_send_signal", pid);
      }
    }
    return true;
  }

  /**
   * Waits for every child of this process that has ended, and drops its exit status. For a process
   * that needs no exit status any more: no other code may wait for a child afterwards.
   */
  public static void reap() {
    while (Processes.reapAny() > 0) {
      // The next one.
    }
  }
}
