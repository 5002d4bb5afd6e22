package dev.daimon.forking;

import dev.daimon.posix.call.Processes;

/** The file mode creation mask of this JVM, which what it spawns inherits. */
public final class Umask {
  /** The highest mask: all permission bits. */
  public static final int MAX = 0777;

  private Umask() {}

  /**
   * Sets the mask of the whole process; files that any thread creates from now on lack these
   * permissions.
   *
   * @param mask permission bits, from 0 to 0777
   * @return the mask before
   * @throws IllegalArgumentException if the mask is outside that range
   * @see <a href="https://man7.org/linux/man-pages/man2/umask.2.html">umask(2)</a>
   */
  public static int set(int mask) {
    if (mask < 0 || mask > MAX) {
      throw new IllegalArgumentException("not a umask: 0" + Integer.toOctalString(mask));
    }
    return Processes.umask(mask);
  }
}
