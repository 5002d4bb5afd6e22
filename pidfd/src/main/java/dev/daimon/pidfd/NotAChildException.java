package dev.daimon.pidfd;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;

/**
 * A process whose exit status is not to be had: no child of this JVM, or one that somebody else
 * started and waits for, as the JDK does for those of {@link ProcessBuilder}.
 */
public final class NotAChildException extends PosixException {
  private static final long serialVersionUID = 1;

  NotAChildException(long pid) {
    super("waitid", pid + " (it is no child that Daimon has started)", Errno.ECHILD);
  }
}
