package dev.daimon.posix;

import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Processes;
import java.nio.charset.StandardCharsets;

/**
 * The directories of processes in {@code /proc}. Their names are process ids of the PID namespace
 * that {@code /proc} was mounted for. If that is not this process's own, as after {@code unshare
 * --pid --fork} without {@code --mount-proc}, the same id is another process there. So such a
 * {@code /proc} counts as one that hides every process. {@code /proc/self} is this process in any
 * case.
 *
 * <p>{@code /proc} is of this namespace if {@code /proc/self} leads to this process's id. This asks
 * until it does: {@code /proc} may be mounted later.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/pid_namespaces.7.html">pid_namespaces(7)</a>
 */
public final class ProcDirectory {
  private static final String ALL = "/proc";

  private static final byte[] SELF = "/proc/self".getBytes(StandardCharsets.US_ASCII);

  /** More than any process id has digits. */
  private static final int LENGTH = 16;

  /** Whether it was found to be of this namespace. */
  private static volatile boolean own;

  private ProcDirectory() {}

  /**
   * Returns the directory of the process that has this id now, if there is one.
   *
   * @param pid the process id
   * @return {@code /proc/PID}
   * @throws PosixException {@code EPERM} if {@code /proc} is of another PID namespace, {@code
   *     ENOENT} if it is not mounted, or if this process is not in its namespace
   */
  public static String of(long pid) throws PosixException {
    return ofAll().concat("/").concat(Long.toString(pid));
  }

  /**
   * Returns the directory that has those of all processes in it, beside other files.
   *
   * @return {@code /proc}
   * @throws PosixException as {@link #of}
   */
  public static String ofAll() throws PosixException {
    if (!own) {
      String _ = now();
      own = true;
    }
    return ALL;
  }

  /**
   * Returns the directory of all processes as the calling thread sees it now, whose root directory
   * may be one of its own.
   *
   * @return {@code /proc}
   * @throws PosixException as {@link #of}
   */
  public static String now() throws PosixException {
    byte[] target = new byte[LENGTH];
    int length = PosixException.check(Files.readlink(SELF, target), "readlink", "/proc/self");
    String self = new String(target, 0, length, StandardCharsets.US_ASCII);
    if (!self.equals(Integer.toString(Processes.getpid()))) {
      throw new PosixException("open", ALL, Errno.EPERM, "; it is of another PID namespace");
    }
    return ALL;
  }
}
