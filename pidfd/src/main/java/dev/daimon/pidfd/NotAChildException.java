package dev.daimon.pidfd;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;

/**
 * A process whose exit status is not this handle's to take: no child of this JVM, or one that the
 * JDK itself waits for.
 */
public final class NotAChildException extends PosixException {
  private static final long serialVersionUID = 1;

  NotAChildException(long pid, String why) {
    super("waitid", pid + " (" + why + ")", Errno.ECHILD);
  }
}
