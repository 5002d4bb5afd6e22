package dev.daimon.privileges;

import java.io.IOException;

/**
 * Thrown if a thread has other credentials than it must have, although every system call succeeded.
 * The message names the thread and what is wrong.
 */
public final class CredentialsException extends IOException {
  private static final long serialVersionUID = 1;

  CredentialsException(String message) {
    super(message);
  }
}
