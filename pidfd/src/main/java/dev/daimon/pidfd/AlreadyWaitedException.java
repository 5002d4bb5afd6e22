package dev.daimon.pidfd;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;

/**
 * Thrown if the exit status of a child was already taken: by an earlier wait, by other code in this
 * JVM, or by the kernel, if {@code SIGCHLD} is ignored.
 */
public final class AlreadyWaitedException extends PosixException {
  private static final long serialVersionUID = 1;

  AlreadyWaitedException(long pid) {
    super("waitid", pid + " (it was a child, and was already waited for)", Errno.ECHILD);
  }
}
