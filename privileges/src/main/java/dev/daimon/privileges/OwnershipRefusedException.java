package dev.daimon.privileges;

import java.io.IOException;
import java.nio.file.Path;

/** Thrown if the owner of a file is not changed because another user could misuse the change. */
public final class OwnershipRefusedException extends IOException {
  private static final long serialVersionUID = 1;

  private final String path;

  /** A refusal; the reason is one line. */
  OwnershipRefusedException(Path path, String reason) {
    super(path + ": ownership not changed: " + reason);
    this.path = path.toString();
  }

  /** {@return the file that was refused} */
  public String path() {
    return path;
  }
}
