package dev.daimon.posix.call;

import java.nio.charset.StandardCharsets;

/**
 * Tells a standard stream from a file that this JVM has opened for itself.
 *
 * <p>A JVM does not fill the numbers of streams that were closed when it was started. So its own
 * files get them: first of all the JDK's {@code lib/modules}, from which it loads classes for good,
 * then the program's jar, logs or sockets. Who makes such a number another file ends the JVM.
 */
public final class StreamNumber {
  private static final int STDIN_FILENO = 0;

  /** How the link to the file that a JVM opens first ends. */
  private static final String MODULES = "/lib/modules";

  /** What the kernel adds if the file was removed, by an upgrade for instance. */
  private static final String REMOVED = " (deleted)";

  private StreamNumber() {}

  /**
   * Whether a number is open and no stream that this process was started with, as far as the kernel
   * tells: nothing is close-on-exec in a process that begins, nobody prints to a file that is open
   * for reading alone, and standard input is not the JDK's {@code lib/modules}.
   *
   * @param number 0, 1 or 2
   */
  public static boolean isJvms(int number) {
    int flags = Files.fcntl(number, Files.F_GETFD, 0);
    if (flags < 0) {
      return false;
    }
    return (flags & Files.FD_CLOEXEC) != 0
        || (number == STDIN_FILENO ? isModules(number) : isToRead(number));
  }

  private static boolean isToRead(int number) {
    int flags = Files.fcntl(number, Files.F_GETFL, 0);
    return flags >= 0 && (flags & Files.O_ACCMODE) == Files.O_RDONLY;
  }

  /** The mode says nothing here: nohup opens standard input for writing alone. */
  private static boolean isModules(int number) {
    byte[] path =
        "/proc/self/fd/".concat(Integer.toString(number)).getBytes(StandardCharsets.US_ASCII);
    byte[] link = new byte[4096];
    int length = Files.readlink(path, link);
    String file = length < 0 ? "" : new String(link, 0, length, StandardCharsets.ISO_8859_1);
    return file.endsWith(MODULES) || file.endsWith(MODULES.concat(REMOVED));
  }
}
