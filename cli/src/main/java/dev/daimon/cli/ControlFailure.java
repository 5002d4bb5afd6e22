package dev.daimon.cli;

import dev.daimon.control.ControlException;
import dev.daimon.locking.LockHeldException;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;

/** The exit codes of what is in the way of controlling a daemon. */
final class ControlFailure {
  private ControlFailure() {}

  static StartException of(IOException failure) {
    String message = message(failure);
    if (failure instanceof ControlException refused) {
      return switch (refused.reason()) {
        case UNKNOWN -> new StartException(Reason.CANNOT_TELL, message);
        case BUSY, NOT_STOPPED -> new StartException(Reason.TIMEOUT, message);
        case NOT_STARTED -> new StartException(Reason.DAEMON_FAILED, message);
      };
    }
    if (failure instanceof LockHeldException) {
      return new StartException(Reason.ALREADY_RUNNING, message);
    }
    if (failure instanceof PosixException posix
        && posix.call().startsWith("pidfd_")
        && posix.errno().equals(Errno.EPERM)) {
      return new StartException(Reason.PERMISSION, message);
    }
    return new StartException(Reason.FILE, message);
  }

  /** What has failed, in words for a person. */
  static String message(IOException failure) {
    String message = String.valueOf(failure.getMessage());
    // The kernel itself lets everybody open any process.
    return failure instanceof PosixException posix
            && posix.call().equals("pidfd_open")
            && posix.errno().equals(Errno.EPERM)
        ? message + ": a seccomp filter forbids this call, as old container runtimes have one"
        : message;
  }
}
