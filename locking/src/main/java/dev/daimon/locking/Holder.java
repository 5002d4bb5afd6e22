package dev.daimon.locking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.Polling;
import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.Signals;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A process that holds a lock, as {@code /proc} shows it: it has the file open with a {@code flock}
 * on it.
 *
 * <p>Only {@code fdinfo} is read, which the kernel answers by itself. To follow {@code fd} would
 * ask the server of whatever the process has open, which may be dead, and never answer.
 */
final class Holder {
  private static final int STREAMS = 3;

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
    String process = "/proc/".concat(Long.toString(pid));
    try {
      return holds(process, file);
    } catch (PosixException failure) {
      // What a process had that has ended is nobody's to see, not even its own user's.
      if (isGivingUp(process)) {
        return false;
      }
      throw failure;
    }
  }

  /** See {@link LockedFile#holders}. */
  static List<Long> all(LockTable file) throws PosixException {
    List<Long> holders = new ArrayList<>();
    for (String name : ProcFiles.list("/proc")) {
      if (name.charAt(0) >= '1' && name.charAt(0) <= '9' && mayHold(Long.parseLong(name), file)) {
        holders.add(Long.parseLong(name));
      }
    }
    holders.sort(null);
    return holders;
  }

  /** False also of a process that is not for us to see. */
  static boolean mayHold(long pid, LockTable file) {
    try {
      return holds(pid, file);
    } catch (PosixException unseen) {
      return false;
    }
  }

  private static boolean holds(String process, LockTable file) throws PosixException {
    if (carries(process.concat("/fdinfo/").concat(lastFound), file)) {
      return true;
    }
    String[] numbers = ProcFiles.list(process.concat("/fdinfo/"));
    if (numbers.length > 0) {
      return holds(process.concat("/fdinfo/"), numbers, file);
    }
    // Where the first thread has ended, the others show what the process has open.
    for (String thread : ProcFiles.list(process.concat("/task/"))) {
      String directory = process.concat("/task/").concat(thread).concat("/fdinfo/");
      if (holds(directory, ProcFiles.list(directory), file)) {
        return true;
      }
    }
    return false;
  }

  private static boolean holds(String directory, String[] numbers, LockTable file)
      throws PosixException {
    for (int i = 0; i < numbers.length; i++) {
      // The list begins with the standard streams, which are hardly ever it.
      String number = numbers[(i + STREAMS) % numbers.length];
      if (carries(directory.concat(number), file)) {
        lastFound = number;
        return true;
      }
    }
    return false;
  }

  /** Whether this descriptor is that file, and locked. */
  private static boolean carries(String info, LockTable file) throws PosixException {
    try {
      return file.isIn(ProcFiles.readRecord(info));
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ENOENT)) {
        // Closed meanwhile.
        return false;
      }
      throw failure;
    }
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
