package dev.daimon.locking;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.ProcFiles;
import java.nio.charset.StandardCharsets;

/**
 * A process that holds a lock, as {@code /proc} shows it: it has the file open with a {@code flock}
 * on it.
 */
final class Holder {
  private static final int STREAMS = 3;

  /**
   * The descriptor's number that was the last find. It is looked at first: a daemon keeps its lock
   * where it is, and its list takes longer than all the rest.
   */
  private static volatile String lastFound = "3";

  private Holder() {}

  /** See {@link LockedFile#isHeldBy}. */
  static boolean holds(long pid, FileStatus file) throws PosixException {
    String process = "/proc/".concat(Long.toString(pid));
    try {
      return holds(process, file);
    } catch (PosixException failure) {
      // What a process had that has ended is nobody's to see, not even its own user's.
      if (hasEnded(process)) {
        return false;
      }
      throw failure;
    }
  }

  private static boolean holds(String process, FileStatus file) throws PosixException {
    String first = lastFound;
    if (carries(process, first, file)) {
      return true;
    }
    String[] numbers = ProcFiles.list(process.concat("/fd/"));
    for (int i = 0; i < numbers.length; i++) {
      // The list begins with the standard streams, which are hardly ever it.
      String number = numbers[(i + STREAMS) % numbers.length];
      if (carries(process, number, file)) {
        lastFound = number;
        return true;
      }
    }
    return false;
  }

  /** Whether this descriptor of the process is that file, and locked. */
  private static boolean carries(String process, String number, FileStatus file)
      throws PosixException {
    String link = process.concat("/fd/").concat(number);
    FileStatus found = new FileStatus();
    int result = Files.stat(link.getBytes(StandardCharsets.US_ASCII), found);
    if (result == -Errno.EACCES.number()) {
      // Who may list a directory may not follow what is in it yet.
      throw new PosixException("stat", link, Errno.EACCES);
    }
    return result == 0
        && found.isSameFile(file)
        && isLocked(process.concat("/fdinfo/").concat(number));
  }

  /** Whether it is gone, or has no memory left, which a process gives back before its files. */
  private static boolean hasEnded(String process) throws PosixException {
    try {
      return ProcFiles.readRecord(process.concat("/statm")).startsWith("0 ");
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ENOENT) || failure.errno().equals(Errno.ESRCH)) {
        return true;
      }
      throw failure;
    }
  }

  private static boolean isLocked(String info) throws PosixException {
    String text;
    try {
      text = ProcFiles.readRecord(info);
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ENOENT)) {
        // Closed meanwhile.
        return false;
      }
      throw failure;
    }
    int lock = text.indexOf("\nlock:");
    return lock >= 0 && text.indexOf(" FLOCK ", lock) >= 0;
  }
}
