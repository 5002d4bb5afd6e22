package dev.daimon.pidfd;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;

/**
 * Thrown if this JVM may not signal a process, or may not even open it: {@code EPERM}. The kernel
 * itself lets everybody open any process, so only a seccomp filter can forbid that.
 */
public final class NotPermittedException extends PosixException {
  private static final long serialVersionUID = 1;

  NotPermittedException(String call, long pid, String explanation) {
    super(call, Long.toString(pid), Errno.EPERM, explanation);
  }
}
