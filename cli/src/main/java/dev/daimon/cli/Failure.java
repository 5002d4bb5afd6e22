package dev.daimon.cli;

/** An end of the command that is not success: one line for the user, and the exit code. */
final class Failure extends Exception {
  /** Usage or bad configuration. */
  static final int USAGE = 64;

  /** The program is missing or not executable. */
  static final int NO_PROGRAM = 66;

  /** No such user or group. */
  static final int NO_USER = 67;

  /** Already running: the lock is held. */
  static final int ALREADY_RUNNING = 69;

  /** A defect of Daimon's own. */
  static final int BUG = 70;

  /** A system call failed. */
  static final int SYSTEM = 71;

  /** A pidfile, lock or output file cannot be created, opened, locked or given away. */
  static final int CANNOT_CREATE = 73;

  /** No permission to change identity. */
  static final int NO_PERMISSION = 77;

  private static final long serialVersionUID = 1;

  private final int exitCode;

  Failure(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  Failure(int exitCode, Exception cause) {
    super(String.valueOf(cause.getMessage()), cause);
    this.exitCode = exitCode;
  }

  int exitCode() {
    return exitCode;
  }
}
