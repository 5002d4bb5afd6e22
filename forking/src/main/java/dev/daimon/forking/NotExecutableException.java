package dev.daimon.forking;

import java.io.IOException;

/** Thrown if a program is missing or cannot be executed; the message says which one and why. */
public final class NotExecutableException extends IOException {
  private static final long serialVersionUID = 1;

  private final String program;

  NotExecutableException(String program, String reason) {
    super(program + ": " + reason);
    this.program = program;
  }

  /** {@return the program's name or path, as it was given} */
  public String program() {
    return program;
  }
}
