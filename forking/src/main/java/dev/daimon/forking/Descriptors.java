package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.call.Files;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Lists, closes and marks the descriptors of this JVM by their numbers.
 *
 * <p>Where the kernel or the C library has no {@code close_range}, or a system call filter refuses
 * it, the descriptors of a range are taken from {@code /proc/self/fd} one by one. Race: one that
 * another thread opens meanwhile may be missed.
 */
public final class Descriptors {
  /** The highest possible number, for a range without an end. */
  public static final int MAX = Integer.MAX_VALUE;

  private static final File OWN = new File("/proc/self/fd");

  /** How many bytes of the path of an open file are compared: enough, and quick to allocate. */
  private static final int LINK_LENGTH = 1024;

  private Descriptors() {}

  /**
   * Lists the open descriptors of this JVM.
   *
   * @return their numbers, ascending
   * @throws IOException if {@code /proc} is not mounted
   */
  public static int[] list() throws IOException {
    int[] listed = numbers(OWN);
    int count = 0;
    for (int number : listed) {
      // The descriptor of the listing itself is closed by now.
      if (Files.fcntl(number, Files.F_GETFD, 0) >= 0) {
        listed[count++] = number;
      }
    }
    return Arrays.copyOf(listed, count);
  }

  /**
   * Opens the null device for reading and writing. Use {@link Redirect#nullDevice()} instead,
   * unless the program starts in another root directory that may have no null device.
   *
   * @return the descriptor, marked close-on-exec
   * @throws PosixException if there is no null device, or it cannot be opened
   */
  public static Descriptor openNullDevice() throws PosixException {
    byte[] device = "/dev/null".getBytes(StandardCharsets.US_ASCII);
    int flags = Files.O_RDWR | Files.O_CLOEXEC | Files.O_NOCTTY;
    return Descriptor.adopt(
        PosixException.check(Files.open(device, flags, 0), "open", "/dev/null"));
  }

  /**
   * Lists the descriptors that this JVM has inherited from another process, such as its parent, and
   * that both still have under the same number. One that is closed meanwhile may be missing.
   *
   * @param pid the process
   * @return their numbers, ascending
   * @throws IOException if there is no such process, the caller may not read its descriptors, or
   *     {@code /proc} is of another PID namespace
   * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html">proc_pid_fd(5)</a>
   */
  public static int[] inheritedFrom(long pid) throws IOException {
    File directory = new File(ProcDirectory.of(pid).concat("/fd"));
    int[] listed = numbers(directory);
    long self = ThisProcess.id();
    int count = 0;
    for (int number : listed) {
      int difference = Files.compare(self, pid, number);
      if (difference == 0 || (isUnknown(difference) && leadsToTheSame(directory, number))) {
        listed[count++] = number;
      }
    }
    return Arrays.copyOf(listed, count);
  }

  /** Whether the kernel, or a system call filter, did not allow the comparison. */
  private static boolean isUnknown(int difference) {
    return difference < 0 && difference != -Errno.EBADF.number();
  }

  /** Compares by the paths, which takes ten times as long as comparing the open files. */
  private static boolean leadsToTheSame(File directory, int number) throws PosixException {
    byte[] ours = new byte[LINK_LENGTH];
    byte[] theirs = new byte[LINK_LENGTH];
    int length = readLink(OWN, number, ours);
    return length > 0
        && length == readLink(directory, number, theirs)
        && Arrays.equals(theirs, 0, length, ours, 0, length);
  }

  /** Reads the first bytes of a descriptor's path; returns 0 if the descriptor is closed. */
  private static int readLink(File directory, int number, byte[] buffer) throws PosixException {
    String path = directory.getPath() + "/" + number;
    int length = Files.readlink(path.getBytes(StandardCharsets.US_ASCII), buffer);
    return length == -Errno.ENOENT.number() ? 0 : PosixException.check(length, "readlink", path);
  }

  /**
   * Closes every open descriptor of a range.
   *
   * <p>Call it only just before this process becomes another program: the JVM's own files and
   * sockets, and those of every library in it, are descriptors too.
   *
   * @param first the lowest number
   * @param last the highest number, {@link #MAX} for no end
   * @throws IllegalArgumentException if the range is empty, or begins below 0
   * @throws IOException if {@code close_range} cannot be used and {@code /proc} is not mounted
   * @see <a href="https://man7.org/linux/man-pages/man2/close_range.2.html">close_range(2)</a>
   */
  public static void close(int first, int last) throws IOException {
    if (!range(first, last, 0)) {
      for (int number : list()) {
        if (number >= first && number <= last) {
          // An error here loses nothing: the number is free again in any case.
          Files.close(number);
        }
      }
    }
  }

  /**
   * Marks every open descriptor of a range close-on-exec.
   *
   * @param first the lowest number
   * @param last the highest number, {@link #MAX} for no end
   * @throws IllegalArgumentException if the range is empty, or begins below 0
   * @throws IOException if {@code close_range} cannot be used and {@code /proc} is not mounted
   * @see <a href="https://man7.org/linux/man-pages/man2/close_range.2.html">close_range(2)</a>
   */
  public static void markCloseOnExec(int first, int last) throws IOException {
    if (!range(first, last, Files.CLOSE_RANGE_CLOEXEC)) {
      for (int number : list()) {
        if (number >= first && number <= last) {
          Files.fcntl(number, Files.F_SETFD, Files.FD_CLOEXEC);
        }
      }
    }
  }

  /**
   * Requires what a child needs to close all descriptors from a number up: {@code close_range}, or
   * the list. With neither, the C library's {@code closefrom} reports no failure but aborts the
   * child, whose core dump would be that of this JVM's memory.
   *
   * @throws IOException if {@code close_range} cannot be used and {@code /proc} is not mounted
   */
  static void requireCloseable() throws IOException {
    // There is no such descriptor: only the call itself is tried.
    if (!range(MAX, MAX, 0)) {
      int[] _ = numbers(OWN);
    }
  }

  /** Clears a descriptor's close-on-exec flag. */
  static void unmarkCloseOnExec(int number) throws PosixException {
    PosixException.check(Files.fcntl(number, Files.F_SETFD, 0), "fcntl F_SETFD", number);
  }

  /** Calls {@code close_range}; returns false if it cannot be used. */
  private static boolean range(int first, int last, int flags) throws PosixException {
    if (first < 0 || last < first) {
      throw new IllegalArgumentException("not a range of descriptors: " + first + " to " + last);
    }
    if (!Files.hasCloseRange()) {
      return false;
    }
    int result = Files.closeRange(first, last, flags);
    // ENOSYS before Linux 5.9; EINVAL before 5.11, which knows no CLOSE_RANGE_CLOEXEC; EPERM by the
    // filter of a container that does not know the call, which itself never says so.
    if (result == -Errno.ENOSYS.number()
        || result == -Errno.EINVAL.number()
        || result == -Errno.EPERM.number()) {
      return false;
    }
    PosixException.check(result, "close_range", first);
    return true;
  }

  private static int[] numbers(File directory) throws IOException {
    String[] names = directory.list();
    if (names == null) {
      throw new IOException("cannot list " + directory);
    }
    int[] numbers = new int[names.length];
    for (int i = 0; i < names.length; i++) {
      numbers[i] = Integer.parseInt(names[i]);
    }
    Arrays.sort(numbers);
    return numbers;
  }
}
