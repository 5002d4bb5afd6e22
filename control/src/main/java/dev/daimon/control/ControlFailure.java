package dev.daimon.control;

import dev.daimon.locking.LockHeldException;
import dev.daimon.pidfd.NotPermittedException;
import dev.daimon.posix.PosixException;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.util.Objects;

/** The exit codes for the failures of controlling a daemon. */
public final class ControlFailure {
  private ControlFailure() {}

  /**
   * Returns a failure of {@link DaemonControl} with the exit code that the command has for it.
   *
   * @param failure the failure
   * @return a failure with the same message and suppressed exceptions, and with this cause
   */
  public static StartException of(IOException failure) {
    Objects.requireNonNull(failure, "failure");
    StartException told = new StartException(reason(failure), failure);
    for (Throwable left : failure.getSuppressed()) {
      told.addSuppressed(left);
    }
    return told;
  }

  private static Reason reason(IOException failure) {
    if (failure instanceof ControlException refused) {
      return switch (refused.reason()) {
        case UNKNOWN -> Reason.CANNOT_TELL;
        case BUSY, NOT_STOPPED -> Reason.TIMEOUT;
        case NOT_STARTED -> Reason.DAEMON_FAILED;
      };
    }
    if (failure instanceof LockHeldException) {
      return Reason.ALREADY_RUNNING;
    }
    if (failure instanceof NotPermittedException) {
      return Reason.PERMISSION;
    }
    // A handle of a process is no file.
    if (failure instanceof PosixException call && call.call().startsWith("pidfd_")) {
      return Reason.SYSTEM;
    }
    return Reason.FILE;
  }
}
