package dev.daimon.forking;

import java.io.IOException;

/** A program that is missing or cannot be executed: which one, and why. */
public final class NotExecutableException extends IOException {
  private static final long serialVersionUID = 1;

  private final String program;

  NotExecutableException(String program, String reason) {
    super(program + ": " + reason);
    this.program = program;
  }

  /** {@return the program as it was asked for} */
  public String program() {
    return program;
  }
}
