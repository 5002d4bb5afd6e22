package dev.daimon.privileges;

import java.io.IOException;

/** A user or group that was named but does not exist, or is a number that no id can be. */
public class UnknownAccountException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * The failure of one look-up.
   *
   * @param message what is unknown, such as {@code "unknown user: nosuch"}
   */
  public UnknownAccountException(String message) {
    super(message);
  }
}
