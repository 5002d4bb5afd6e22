package dev.daimon.pidfd;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;

/**
 * Thrown for a process whose exit status cannot be taken: it is no child of this JVM, or other code
 * has started it and waits for it, as the JDK does for the children of {@link ProcessBuilder}.
 */
public final class NotAChildException extends PosixException {
  private static final long serialVersionUID = 1;

  NotAChildException(long pid) {
    super("waitid", pid + " (it is no child that Daimon has started)", Errno.ECHILD);
  }
}
