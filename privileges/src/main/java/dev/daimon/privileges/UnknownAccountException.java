package dev.daimon.privileges;

import dev.daimon.posix.VisibleText;
import java.io.IOException;

/** Thrown if a user or group does not exist, or if a number is out of the range of ids. */
public final class UnknownAccountException extends IOException {
  private static final long serialVersionUID = 1;

  UnknownAccountException(String message) {
    // A name may have any characters.
    super(VisibleText.line(message));
  }
}
