package dev.daimon.posix.call;

import dev.daimon.posix.Errno;

/**
 * An {@code execve} with descriptors under other numbers than this JVM has them, {@code unistd.h}.
 *
 * <p>The numbers may be those of the JVM's own files. So nothing runs between the first replacement
 * and the {@code execve} that would load a class: the loader could read from a replaced number.
 */
final class Replacement {
  // int execve(const char *pathname, char *const argv[], char *const envp[]);
  private static final long EXECVE = Libc.address("execve");

  private Replacement() {}

  /** Replaces, sets limits, executes, and puts back: returns only if one of these has failed. */
  static int execve(
      int[][] places, long[][] limits, long[][] before, long path, long argv, long envp) {
    // What was at each number, or negative if that was closed.
    int[] copies = new int[places.length];
    int[] flags = new int[places.length];
    int result = 0;
    int copied = 0;
    for (; copied < places.length && result >= 0; copied++) {
      int number = places[copied][1];
      flags[copied] = Files.fcntl(number, Files.F_GETFD, 0);
      result = flags[copied] < 0 ? flags[copied] : copy(places, number);
      copies[copied] = result;
      if (result == -Errno.EBADF.number()) {
        result = 0;
      }
    }
    int replaced = 0;
    for (; replaced < places.length && result >= 0; replaced++) {
      result = Files.dup2(places[replaced][0], places[replaced][1]);
    }
    if (result >= 0) {
      result = execveLimited(limits, before, path, argv, envp);
    }
    for (int i = 0; i < replaced; i++) {
      putBack(copies[i], places[i][1], flags[i]);
    }
    for (int i = 0; i < copied; i++) {
      if (copies[i] >= 0) {
        Files.close(copies[i]);
      }
    }
    return result;
  }

  /** Copies what is at a number to one that is not replaced. */
  private static int copy(int[][] places, int number) {
    int lowest = 0;
    for (int[] place : places) {
      lowest = Math.max(lowest, place[1] + 1);
    }
    return Files.fcntl(number, Files.F_DUPFD_CLOEXEC, lowest);
  }

  private static void putBack(int copy, int number, int flags) {
    if (copy < 0) {
      Files.close(number);
    } else {
      Files.dup2(copy, number);
      Files.fcntl(number, Files.F_SETFD, flags);
    }
  }

  /**
   * Sets the limits, last of all, so that none of them makes another step fail, and executes. If
   * that fails, restores what was before.
   */
  private static int execveLimited(
      long[][] limits, long[][] before, long path, long arguments, long environment) {
    int result = 0;
    int set = 0;
    for (; set < limits.length && result >= 0; set++) {
      result = Limits.setrlimit((int) limits[set][0], limits[set][1], limits[set][2]);
    }
    if (result >= 0) {
      result = Libc.call(EXECVE, path, arguments, environment);
    }
    for (int i = 0; i < set; i++) {
      int resource = (int) limits[i][0];
      if (Limits.setrlimit(resource, before[i][0], before[i][1]) < 0) {
        long hard = limits[i][2];
        boolean below = Long.compareUnsigned(before[i][0], hard) < 0;
        Limits.setrlimit(resource, below ? before[i][0] : hard, hard);
      }
    }
    return result;
  }
}
