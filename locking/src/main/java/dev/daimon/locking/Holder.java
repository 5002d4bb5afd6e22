package dev.daimon.locking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.Polling;
import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.ProcStatus;
import dev.daimon.posix.call.Signals;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A process that holds a lock, as {@code /proc} shows it: it has the file open with a {@code flock}
 * on it.
 *
 * <p>Only {@code fdinfo} is read, which the kernel answers by itself. To follow {@code fd} would
 * ask the server of whatever the process has open, which may be dead, and never answer.
 */
final class Holder {
  private static final int STREAMS = 3;

  /** What one process gets that has very many descriptors. In ns. */
  private static final long PROOF_NANOS = 5_000_000_000L;

  /** What the search for a stranger gets, on which a start or the end of a stop depends. */
  private static final long STRANGER_NANOS = 10_000_000_000L;

  /** Descriptors: many more than there are where nobody wants to be in the way. */
  private static final int READ_ALWAYS = 5_000;

  /** What the names of holders get, which are told to people. */
  static final Duration NAMING = Duration.ofSeconds(1);

  /** How many are named in a message. */
  private static final int NAMED = 8;

  /**
   * The descriptor's number that was the last find. It is looked at first: a daemon keeps its lock
   * where it is, and its list takes longer than all the rest.
   */
  private static volatile String lastFound = "3";

  private Holder() {}

  /** See {@link LockedFile#isHeldBy}. */
  static boolean holds(long pid, LockTable file) throws PosixException {
    return new Search(file, PROOF_NANOS).of(pid) != null;
  }

  /** See {@link LockedFile#takenBy}. */
  static long taker(long pid, LockTable file) throws PosixException {
    String info = new Search(file, PROOF_NANOS).of(pid);
    return info == null ? 0 : file.takerIn(info);
  }

  /**
   * See {@link LockedFile#stranger}. Who is no stranger is looked at first: strangers can make
   * their part as long as they like.
   */
  static long stranger(LockTable file, long[] users) throws PosixException {
    List<Long> others = new ArrayList<>();
    Search search = new Search(file, STRANGER_NANOS);
    try (ProcFiles.Names processes = new ProcFiles.Names("/proc")) {
      String name;
      while ((name = processes.next()) != null) {
        if (name.charAt(0) >= '1' && name.charAt(0) <= '9') {
          long pid = Long.parseLong(name);
          if (isAnothers(pid, users)) {
            others.add(pid);
          } else if (search.seen(pid) != null) {
            return 0;
          }
        }
      }
    }
    long stranger = 0;
    for (long pid : others) {
      String info = search.seen(pid);
      if (info != null && !isReadOnly(info)) {
        return 0;
      }
      stranger = stranger == 0 && info != null ? pid : stranger;
    }
    return stranger;
  }

  /** Told by the status: the owner of its directory would be root if it may not be traced. */
  private static boolean isAnothers(long pid, long[] users) {
    String status;
    try {
      status = ProcFiles.read("/proc/".concat(Long.toString(pid)).concat("/status"));
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

  /** By the flags that it was opened with, which are octal. */
  private static boolean isReadOnly(String info) {
    int start = info.indexOf("flags:\t") + "flags:\t".length();
    return (Integer.parseInt(info, start, info.indexOf('\n', start), 8) & Files.O_ACCMODE)
        == Files.O_RDONLY;
  }

  /** See {@link LockedFile#holders}. */
  static List<Long> all(LockTable file, Duration time) throws PosixException {
    Search search = new Search(file, TimeUnit.NANOSECONDS.convert(time));
    List<Long> holders = new ArrayList<>();
    try (ProcFiles.Names processes = new ProcFiles.Names("/proc")) {
      String name;
      while ((name = processes.next()) != null && !search.isOver()) {
        if (name.charAt(0) >= '1'
            && name.charAt(0) <= '9'
            && search.seen(Long.parseLong(name)) != null) {
          holders.add(Long.parseLong(name));
        }
      }
    }
    holders.sort(null);
    return holders;
  }

  /** For the lock on a file, among the descriptors of processes: any of them may have very many. */
  private static final class Search {
    private final LockTable file;
    private final long begin = System.nanoTime();
    private final long time;

    /** How many descriptors the last list had. */
    private int seen;

    /** How many descriptors were read of. */
    private int read;

    Search(LockTable file, long time) {
      this.file = file;
      this.time = time;
    }

    /** What is read in any case: on a busy machine the time alone would say nothing. */
    boolean isOver() {
      return read > READ_ALWAYS && System.nanoTime() - begin > time;
    }

    /** As {@link #of}; null also of a process that is not for us to see. */
    @Nullable String seen(long pid) {
      try {
        return of(pid);
      } catch (PosixException unseen) {
        return null;
      }
    }

    /** What {@code fdinfo} says of the descriptor that carries the lock; null if there is none. */
    @Nullable String of(long pid) throws PosixException {
      String process = "/proc/".concat(Long.toString(pid));
      try {
        String directory = process.concat("/fdinfo/");
        String info = carrier(directory.concat(lastFound));
        info = info == null ? in(directory) : info;
        return info == null && seen == 0 ? ofThreads(process) : info;
      } catch (PosixException failure) {
        // What a process had that has ended is nobody's to see, not even its own user's.
        if (isGivingUp(process)) {
          return null;
        }
        throw failure;
      }
    }

    /** Where the first thread has ended, the others show what the process has open. */
    private @Nullable String ofThreads(String process) throws PosixException {
      try (ProcFiles.Names threads = new ProcFiles.Names(process.concat("/task/"))) {
        String info = null;
        String thread;
        while (info == null && (thread = threads.next()) != null) {
          info = in(process.concat("/task/").concat(thread).concat("/fdinfo/"));
        }
        return info;
      }
    }

    private @Nullable String in(String directory) throws PosixException {
      seen = 0;
      boolean streams = false;
      try (ProcFiles.Names numbers = new ProcFiles.Names(directory)) {
        String number;
        while ((number = numbers.next()) != null) {
          if (isOver()) {
            throw new PosixException("read", directory, Errno.ETIMEDOUT);
          }
          seen++;
          read++;
          // The standard streams come first, and are hardly ever it.
          boolean stream = isStream(number);
          streams |= stream;
          String info = stream ? null : carrier(directory.concat(number));
          if (info != null) {
            lastFound = number;
            return info;
          }
        }
      }
      String info = null;
      for (int i = 0; i < STREAMS && streams && info == null; i++) {
        info = carrier(directory.concat(Integer.toString(i)));
      }
      return info;
    }

    /** What this descriptor's file says if it is that file, and locked; null otherwise. */
    private @Nullable String carrier(String path) throws PosixException {
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
  }

  private static boolean isStream(String number) {
    return number.length() == 1 && number.charAt(0) < '0' + STREAMS;
  }

  /** Whether it is gone, or has no memory left, which a process gives back before its files. */
  private static boolean isGivingUp(String process) throws PosixException {
    try {
      return ProcFiles.readRecord(process.concat("/statm")).startsWith("0 ");
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ENOENT) || failure.errno().equals(Errno.ESRCH)) {
        return true;
      }
      throw failure;
    }
  }

  /** Whether there is no such process any more; a zombie is none. Asks where /proc may hide it. */
  static boolean hasEnded(long pid) throws PosixException {
    int number = PidFds.open((int) pid);
    if (number < 0) {
      return Signals.kill((int) pid, 0) == -Errno.ESRCH.number();
    }
    try (Descriptor process = Descriptor.adopt(number)) {
      return Polling.poll(process.number(), Polling.POLLIN, 0) > 0;
    }
  }

  /** Such as {@code "process 12 (nginx), process 13 (nginx) and 40 more"}. */
  static String words(List<Long> holders) {
    if (holders.isEmpty()) {
      return "a process that cannot be seen from here";
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < holders.size() && i < NAMED; i++) {
      String name = name(holders.get(i));
      text.append(text.isEmpty() ? "process " : ", process ").append(holders.get(i));
      text.append(name.isEmpty() ? "" : " (".concat(name).concat(")"));
    }
    return holders.size() <= NAMED
        ? text.toString()
        : text.append(" and ").append(holders.size() - NAMED).append(" more").toString();
  }

  /** Empty of one that is gone. */
  private static String name(long pid) {
    try {
      String line = ProcFiles.readRecord("/proc/".concat(Long.toString(pid)).concat("/comm"));
      byte[] bytes = line.strip().getBytes(StandardCharsets.ISO_8859_1);
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (PosixException gone) {
      return "";
    }
  }
}
