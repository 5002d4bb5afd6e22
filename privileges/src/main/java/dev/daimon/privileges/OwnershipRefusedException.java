package dev.daimon.privileges;

import java.io.IOException;
import java.nio.file.Path;

/** A file that is not handed over, because somebody else could profit from it. */
public class OwnershipRefusedException extends IOException {
  private static final long serialVersionUID = 1;

  private final String path;

  /**
   * The refusal for one file.
   *
   * @param path the file
   * @param reason why it is refused, in one line
   */
  public OwnershipRefusedException(Path path, String reason) {
    super(path + ": ownership not changed: " + reason);
    this.path = path.toString();
  }

  /** {@return the file that was refused} */
  public String path() {
    return path;
  }
}
