package dev.daimon.control;

import java.io.IOException;

/** An action that was not done, or not to its end. */
public final class ControlException extends IOException {
  private static final long serialVersionUID = 1;

  /** What is in the way. */
  public enum Reason {
    /** It cannot be shown which process is the daemon; nothing was touched. */
    UNKNOWN,

    /** Another action is under way, and has the guard file locked. */
    BUSY,

    /** The daemon, or what it has left, did not end in time. */
    NOT_STOPPED,

    /** It could not be started. */
    NOT_STARTED
  }

  private final Reason reason;

  ControlException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /** {@return what was in the way} */
  public Reason reason() {
    return reason;
  }
}
