package dev.daimon.locking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.SearchLimit;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.Polling;
import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.ProcStatus;
import dev.daimon.posix.call.Signals;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A search in {@code /proc} for the processes that have a locked file open, with the lock. It is
 * limited in time, since any process may have very many descriptors.
 *
 * <p>It reads {@code fdinfo} alone, which the kernel answers by itself. To follow {@code fd} would
 * ask the server of whatever file the process has open. That server may be dead, and never answer.
 */
final class HolderSearch {
  private static final int STREAMS = 3;

  /** The time to search the descriptors of one process, in ns. */
  private static final long ONE_PROCESS_NANOS = 5_000_000_000L;

  /** The time to search for a foreign holder, on which a start or the end of a stop depends. */
  private static final long FOREIGN_NANOS = 10_000_000_000L;

  /** The time to find holders whose names are shown to people. */
  static final Duration FOR_PEOPLE = Duration.ofSeconds(1);

  /**
   * The descriptor's number at which the lock was found last. It is tried first: a daemon keeps its
   * lock at the same number, and to list the descriptors takes longer than all the rest.
   */
  private static volatile String lastFound = "3";

  private final LockTable file;
  private final SearchLimit limit;

  /** How many descriptors the last list had. */
  private int listed;

  /** How many descriptors were read. */
  private int read;

  private HolderSearch(LockTable file, long time) {
    this.file = file;
    this.limit = new SearchLimit(time);
  }

  /** See {@link LockedFile#isHeldBy}. */
  static boolean holds(long pid, LockTable file) throws PosixException {
    return new HolderSearch(file, ONE_PROCESS_NANOS).lockInfo(pid) != null;
  }

  /** See {@link LockedFile#takenBy}. */
  static long taker(long pid, LockTable file) throws PosixException {
    String info = new HolderSearch(file, ONE_PROCESS_NANOS).lockInfo(pid);
    return info == null ? 0 : file.takerIn(info);
  }

  /**
   * See {@link LockedFile#foreignHolder}. The processes of the given users are searched first:
   * other users can make the search of theirs as long as they like.
   */
  static long foreignHolder(LockTable file, long[] users) throws PosixException {
    List<Long> foreign = new ArrayList<>();
    HolderSearch search = new HolderSearch(file, FOREIGN_NANOS);
    try (ProcFiles.Names processes = new ProcFiles.Names(ProcDirectory.ofAll())) {
      long pid;
      while ((pid = nextProcess(processes)) != 0) {
        if (isForeign(pid, users)) {
          foreign.add(pid);
        } else if (search.visibleLockInfo(pid) != null) {
          return 0;
        }
      }
    }
    long holder = 0;
    for (long pid : foreign) {
      String info = search.visibleLockInfo(pid);
      if (info != null && !isReadOnly(info)) {
        return 0;
      }
      holder = holder == 0 && info != null ? pid : holder;
    }
    return holder;
  }

  /** The next name that is a process id; 0 at the end. */
  private static long nextProcess(ProcFiles.Names names) throws PosixException {
    String name;
    while ((name = names.next()) != null) {
      if (name.charAt(0) >= '1' && name.charAt(0) <= '9') {
        return Long.parseLong(name);
      }
    }
    return 0;
  }

  /**
   * Whether a process is none of these users', by its status. The owner of its directory would be
   * root if the process may not be traced.
   */
  private static boolean isForeign(long pid, long[] users) {
    String status;
    try {
      status = ProcFiles.read(ProcDirectory.of(pid).concat("/status"));
    } catch (PosixException gone) {
      return true;
    }
    long user = Integer.toUnsignedLong(new ProcStatus(status).ids("Uid")[0]);
    for (long own : users) {
      if (own == user) {
        return false;
      }
    }
    return true;
  }

  /** Whether the file was opened for reading alone, by its flags, which are octal. */
  private static boolean isReadOnly(String info) {
    int start = info.indexOf("flags:\t") + "flags:\t".length();
    return (Integer.parseInt(info, start, info.indexOf('\n', start), 8) & Files.O_ACCMODE)
        == Files.O_RDONLY;
  }

  /** See {@link LockedFile#holders}. */
  static List<Holder> all(LockTable file, Duration time) throws PosixException {
    HolderSearch search = new HolderSearch(file, TimeUnit.NANOSECONDS.convert(time));
    List<Long> pids = new ArrayList<>();
    long taker = file.taker();
    // In a container the kernel hides one that has ended: then the youngest processes come first.
    for (long pid : nearestFirst(taker > 0 ? taker : Long.MAX_VALUE)) {
      if (search.isOver()) {
        break;
      }
      if (search.visibleLockInfo(pid) != null) {
        pids.add(pid);
      }
    }
    pids.sort(null);
    List<Holder> holders = new ArrayList<>(pids.size());
    for (long pid : pids) {
      // Names are for people, and there may be thousands.
      boolean named = holders.size() < Holder.NAMED || !search.isOver();
      holders.add(new Holder(pid, named ? name(pid) : ""));
    }
    return holders;
  }

  /**
   * All processes, those first whose ids are near this one's. Whoever holds a lock has taken it, or
   * was started by or with the process that has: so it is found in time among thousands.
   */
  private static List<Long> nearestFirst(long taker) throws PosixException {
    List<Long> ascending = new ArrayList<>();
    int next = 0;
    try (ProcFiles.Names processes = new ProcFiles.Names(ProcDirectory.ofAll())) {
      long pid;
      while ((pid = nextProcess(processes)) != 0) {
        ascending.add(pid);
        next += pid < taker ? 1 : 0;
      }
    }
    List<Long> nearest = new ArrayList<>(ascending.size());
    int last = next - 1;
    while (nearest.size() < ascending.size()) {
      if (next < ascending.size()) {
        nearest.add(ascending.get(next++));
      }
      if (last >= 0) {
        nearest.add(ascending.get(last--));
      }
    }
    return nearest;
  }

  /** The program's name; empty if the process has ended. */
  private static String name(long pid) {
    try {
      return ProcFiles.programName(pid);
    } catch (PosixException gone) {
      return "";
    }
  }

  private boolean isOver() {
    return limit.isOver(read);
  }

  /** As {@link #lockInfo}; null also of a process that this one may not examine. */
  private @Nullable String visibleLockInfo(long pid) {
    try {
      return lockInfo(pid);
    } catch (PosixException hidden) {
      return null;
    }
  }

  /** The {@code fdinfo} of the process's descriptor that has the lock; null if it has none. */
  private @Nullable String lockInfo(long pid) throws PosixException {
    String process = ProcDirectory.of(pid);
    try {
      String directory = process.concat("/fdinfo/");
      String info = ifLocked(directory.concat(lastFound));
      info = info == null ? findIn(directory) : info;
      return info == null && listed == 0 ? findInThreads(process) : info;
    } catch (PosixException failure) {
      // The kernel hides the files of a process that has ended, even from its own user.
      if (isEnding(process)) {
        return null;
      }
      throw failure;
    }
  }

  /** Where the first thread has ended, the other threads show what the process has open. */
  private @Nullable String findInThreads(String process) throws PosixException {
    try (ProcFiles.Names threads = new ProcFiles.Names(process.concat("/task/"))) {
      String info = null;
      String thread;
      while (info == null && (thread = threads.next()) != null) {
        info = findIn(process.concat("/task/").concat(thread).concat("/fdinfo/"));
      }
      return info;
    }
  }

  private @Nullable String findIn(String directory) throws PosixException {
    listed = 0;
    boolean streams = false;
    try (ProcFiles.Names numbers = new ProcFiles.Names(directory)) {
      String number;
      while ((number = numbers.next()) != null) {
        if (isOver()) {
          throw new PosixException("read", directory, Errno.ETIMEDOUT);
        }
        listed++;
        read++;
        // The standard streams come first in the list, and hardly ever have the lock.
        boolean stream = isStream(number);
        streams |= stream;
        String info = stream ? null : ifLocked(directory.concat(number));
        if (info != null) {
          lastFound = number;
          return info;
        }
      }
    }
    String info = null;
    for (int i = 0; i < STREAMS && streams && info == null; i++) {
      info = ifLocked(directory.concat(Integer.toString(i)));
    }
    return info;
  }

  /** A descriptor's {@code fdinfo}, if that is the file, with the lock; null otherwise. */
  private @Nullable String ifLocked(String path) throws PosixException {
    try {
      String info = ProcFiles.readRecord(path);
      return file.isIn(info) ? info : null;
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ENOENT)) {
        // Closed meanwhile.
        return null;
      }
      throw failure;
    }
  }

  private static boolean isStream(String number) {
    return number.length() == 1 && number.charAt(0) < '0' + STREAMS;
  }

  /**
   * Whether a process has ended, or has no memory left, which it gives back before it closes its
   * files.
   */
  private static boolean isEnding(String process) throws PosixException {
    try {
      return ProcFiles.readRecord(process.concat("/statm")).startsWith("0 ");
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ENOENT) || failure.errno().equals(Errno.ESRCH)) {
        return true;
      }
      throw failure;
    }
  }

  /**
   * Whether there is no such process any more, or it is a zombie. This asks the kernel, since
   * {@code /proc} may hide the process.
   */
  static boolean hasEnded(long pid) throws PosixException {
    int number = PidFds.open((int) pid);
    if (number < 0) {
      return Signals.kill((int) pid, 0) == -Errno.ESRCH.number();
    }
    try (Descriptor process = Descriptor.adopt(number)) {
      return Polling.poll(process.number(), Polling.POLLIN, 0) > 0;
    }
  }
}
