package dev.daimon.control;

import dev.daimon.locking.LockHeldException;
import dev.daimon.pidfd.NotPermittedException;
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
   * @return a failure with the same message
   */
  public static StartException of(IOException failure) {
    Objects.requireNonNull(failure, "failure");
    String message = String.valueOf(failure.getMessage());
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
    if (failure instanceof NotPermittedException) {
      return new StartException(Reason.PERMISSION, message);
    }
    return new StartException(Reason.FILE, message);
  }
}
