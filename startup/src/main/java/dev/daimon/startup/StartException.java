package dev.daimon.startup;

import static java.util.Objects.requireNonNull;

/**
 * A daemon was not started: the reason, the message for the user, and the exit code for the shell.
 *
 * <p>It is unchecked on purpose. When it is thrown, everything is taken back already; all that the
 * caller can do is to print the message on standard error and to exit with {@link #exitCode()}.
 */
public final class StartException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * What went wrong. The exit codes are those of {@code sysexits.h}, except for {@link
   * #CANNOT_TELL}, which is the one of the Linux Standard Base.
   */
  public enum Reason {
    /** A living process may be the daemon, and nobody can tell: 4. */
    CANNOT_TELL(4),

    /** The command line or the configuration is wrong: 64. */
    CONFIGURATION(64),

    /** The program is missing or cannot be executed: 66. */
    PROGRAM(66),

    /** No such user or group: 67. */
    ACCOUNT(67),

    /** The daemon runs already, since the lock is held: 69. */
    ALREADY_RUNNING(69),

    /** The daemon ended before it was ready, or violated the protocol: 70. */
    DAEMON_FAILED(70),

    /** A system call failed: 71. */
    SYSTEM(71),

    /**
     * A pidfile, lock or output file cannot be created, opened, locked or given to the user: 73.
     */
    FILE(73),

    /** The daemon was not ready in time: 75. */
    TIMEOUT(75),

    /** This process may not become the configured user or group: 77. */
    PERMISSION(77);

    private final int exitCode;

    Reason(int exitCode) {
      this.exitCode = exitCode;
    }

    /** {@return the exit code that stands for this reason} */
    public int exitCode() {
      return exitCode;
    }
  }

  private final Reason reason;
  private final int exitCode;

  /**
   * Makes a failure with the exit code of its reason.
   *
   * @param reason what went wrong
   * @param message one line for the user
   */
  public StartException(Reason reason, String message) {
    this(requireNonNull(reason, "reason"), reason.exitCode(), message);
  }

  /**
   * Makes a failure with a cause and the cause's message, and with the exit code of its reason.
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
   * Makes a failure with another exit code, such as that of a daemon that ended before it was
   * ready.
   *
   * @param reason what went wrong
   * @param exitCode the exit code, from 1 to 255
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

  /** {@return the exit code, from 1 to 255; the reason's unless the daemon has chosen its own} */
  public int exitCode() {
    return exitCode;
  }
}
