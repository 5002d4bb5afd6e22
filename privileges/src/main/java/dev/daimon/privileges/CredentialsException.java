package dev.daimon.privileges;

import java.io.IOException;

/**
 * A thread whose credentials are not what they must be, although every system call succeeded. The
 * message names the thread and what is wrong with it.
 */
public class CredentialsException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * The finding about one thread.
   *
   * @param message which thread, and what is wrong
   */
  public CredentialsException(String message) {
    super(message);
  }
}
