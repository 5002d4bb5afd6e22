package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The descriptors of this JVM as a table of numbers: listing, closing and marking them by range.
 *
 * <p>Where the kernel or the C library has no {@code close_range}, the ranges are done one
 * descriptor at a time, those that {@code /proc/self/fd} lists: one that another thread opens
 * meanwhile may be missed.
 */
public final class Descriptors {
  /** The highest number there can be, for a range without an end. */
  public static final int MAX = Integer.MAX_VALUE;

  private static final File OWN = new File("/proc/self/fd");

  /** What is compared of the path of an open file: enough, and quick to allocate. */
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
      // The listing itself needed one, which is closed by now.
      if (Files.fcntl(number, Files.F_GETFD, 0) >= 0) {
        listed[count++] = number;
      }
    }
    return Arrays.copyOf(listed, count);
  }

  /**
   * Opens the null device, for reading and writing. {@link Redirect#nullDevice()} does so by
   * itself; this is for a program that is started where there is none, in another root directory.
   *
   * @return the descriptor, marked close-on-exec
   * @throws PosixException if there is none
   */
  public static Descriptor openNullDevice() throws PosixException {
    byte[] device = "/dev/null".getBytes(StandardCharsets.US_ASCII);
    int flags = Files.O_RDWR | Files.O_CLOEXEC | Files.O_NOCTTY;
    return Descriptor.adopt(
        PosixException.check(Files.open(device, flags, 0), "open", "/dev/null"));
  }

  /**
   * Lists the descriptors that this JVM has inherited from another process, such as its parent, and
   * that both still have under the same number. One that is closed meanwhile may be left out.
   *
   * @param pid the process
   * @return their numbers, ascending
   * @throws IOException if there is no such process, or it may not be read
   * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html">proc_pid_fd(5)</a>
   */
  public static int[] inheritedFrom(long pid) throws IOException {
    File directory = new File("/proc/" + pid + "/fd");
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

  /** Where the kernel, or a filter of system calls, does not let files be compared. */
  private static boolean isUnknown(int difference) {
    return difference < 0 && difference != -Errno.EBADF.number();
  }

  /** Takes ten times as long as a comparison of the open files. */
  private static boolean leadsToTheSame(File directory, int number) throws PosixException {
    byte[] ours = new byte[LINK_LENGTH];
    byte[] theirs = new byte[LINK_LENGTH];
    int length = readLink(OWN, number, ours);
    return length > 0
        && length == readLink(directory, number, theirs)
        && Arrays.equals(theirs, 0, length, ours, 0, length);
  }

  /** Where a descriptor leads to, in its first bytes; 0 for one that is closed. */
  private static int readLink(File directory, int number, byte[] buffer) throws PosixException {
    String path = directory.getPath() + "/" + number;
    int length = Files.readlink(path.getBytes(StandardCharsets.US_ASCII), buffer);
    return length == -Errno.ENOENT.number() ? 0 : PosixException.check(length, "readlink", path);
  }

  /**
   * Closes every descriptor of a range that is open.
   *
   * <p>In a JVM this is for a child that is about to become another program: the JVM's own files
   * and sockets, and those of every library in it, are descriptors too.
   *
   * @param first the lowest number
   * @param last the highest number, {@link #MAX} for no end
   * @throws IllegalArgumentException if the range is empty, or begins below 0
   * @throws IOException if there is no {@code close_range} and {@code /proc} is not mounted
   * @see <a href="https://man7.org/linux/man-pages/man2/close_range.2.html">close_range(2)</a>
   */
  public static void close(int first, int last) throws IOException {
    if (!range(first, last, 0)) {
      for (int number : list()) {
        if (number >= first && number <= last) {
          // Nothing is lost with an error here: the number is free again in any case.
          Files.close(number);
        }
      }
    }
  }

  /**
   * Marks every open descriptor of a range to be closed by the next exec.
   *
   * @param first the lowest number
   * @param last the highest number, {@link #MAX} for no end
   * @throws IllegalArgumentException if the range is empty, or begins below 0
   * @throws IOException if there is no {@code close_range} and {@code /proc} is not mounted
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

  /** Keeps a descriptor open through the next exec. */
  static void unmarkCloseOnExec(int number) throws PosixException {
    PosixException.check(Files.fcntl(number, Files.F_SETFD, 0), "fcntl F_SETFD", number);
  }

  /** Returns whether {@code close_range} did it; not if there is none. */
  private static boolean range(int first, int last, int flags) throws PosixException {
    if (first < 0 || last < first) {
      throw new IllegalArgumentException("not a range of descriptors: " + first + " to " + last);
    }
    if (!Files.hasCloseRange()) {
      return false;
    }
    int result = Files.closeRange(first, last, flags);
    // ENOSYS before Linux 5.9; EINVAL before 5.11, which knows no CLOSE_RANGE_CLOEXEC.
    if (result == -Errno.ENOSYS.number() || result == -Errno.EINVAL.number()) {
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
