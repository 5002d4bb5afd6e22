package dev.daimon.control;

import java.io.IOException;

/** Thrown if an action was not done, or not completed. */
public final class ControlException extends IOException {
  private static final long serialVersionUID = 1;

  /** Why an action was not done. */
  public enum Reason {
    /** It cannot be shown which process is the daemon; nothing was changed. */
    UNKNOWN,

    /** Another action is under way, and holds the guard. */
    BUSY,

    /** The daemon, or a child that it has left, did not end in time. */
    NOT_STOPPED,

    /** The daemon was not started, or has ended by now. */
    NOT_STARTED
  }

  private final Reason reason;

  ControlException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /** {@return why the action was not done} */
  public Reason reason() {
    return reason;
  }
}
