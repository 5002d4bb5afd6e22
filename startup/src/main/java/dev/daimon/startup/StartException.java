package dev.daimon.startup;

import static java.util.Objects.requireNonNull;

/**
 * The reason why a program could not be daemonized, with the exit code that tells a shell.
 *
 * <p>Unchecked on purpose: by then everything is taken back, and there is nothing left for a caller
 * to do but to end, with the message on standard error and {@link #exitCode()}.
 */
public final class StartException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What went wrong, in the terms of {@code sysexits.h}. */
  public enum Reason {
    /** Usage, or a configuration that cannot work: 64. */
    CONFIGURATION(64),

    /** The program is missing or cannot be executed: 66. */
    PROGRAM(66),

    /** No such user or group: 67. */
    ACCOUNT(67),

    /** Already running, the lock is held: 69. */
    ALREADY_RUNNING(69),

    /** The daemon ended, or broke the protocol, before it was ready: 70. */
    DAEMON_FAILED(70),

    /** A system call failed: 71. */
    SYSTEM(71),

    /** A pidfile, lock or output file cannot be created, opened, locked or given away: 73. */
    FILE(73),

    /** The daemon was not ready in time: 75. */
    TIMEOUT(75),

    /** No permission to change identity: 77. */
    PERMISSION(77);

    private final int exitCode;

    Reason(int exitCode) {
      this.exitCode = exitCode;
    }

    /** {@return the exit code that stands for this reason, as in {@code sysexits.h}} */
    public int exitCode() {
      return exitCode;
    }
  }

  private final Reason reason;
  private final int exitCode;

  /**
   * A failure with its reason's exit code.
   *
   * @param reason what went wrong
   * @param message one line for the user
   */
  public StartException(Reason reason, String message) {
    this(requireNonNull(reason, "reason"), reason.exitCode(), message);
  }

  /**
   * A failure by another one, whose message it takes over, with its reason's exit code.
   *
   * @param reason what went wrong
   * @param cause what failed
   */
  public StartException(Reason reason, Exception cause) {
    super(String.valueOf(requireNonNull(cause, "cause").getMessage()), cause);
    this.reason = requireNonNull(reason, "reason");
    exitCode = reason.exitCode();
  }

  /**
   * A failure with an exit code of its own: that of a daemon that ended before it was ready.
   *
   * @param reason what went wrong
   * @param exitCode the code, from 1 to 255: a failure never looks like success
   * @param message one line for the user
   * @throws IllegalArgumentException for another exit code
   */
  public StartException(Reason reason, int exitCode, String message) {
    super(requireNonNull(message, "message"));
    if (exitCode < 1 || exitCode > 255) {
      throw new IllegalArgumentException("no exit code of a failure: " + exitCode);
    }
    this.reason = requireNonNull(reason, "reason");
    this.exitCode = exitCode;
  }

  /** {@return what went wrong} */
  public Reason reason() {
    return reason;
  }

  /** {@return the exit code, from 1 to 255: the reason's unless the daemon has chosen its own} */
  public int exitCode() {
    return exitCode;
  }
}
