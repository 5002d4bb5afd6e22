package dev.daimon.locking;

import java.io.IOException;
import java.nio.file.Path;

/** Thrown for a FIFO, a device or the like where the file to be locked should be. */
public final class NotRegularFileException extends IOException {
  private static final long serialVersionUID = 1;

  private final transient Path path;

  NotRegularFileException(Path path) {
    super(path + " is not a regular file");
    this.path = path;
  }

  /** {@return the path that is no regular file; not kept by serialization} */
  public Path path() {
    return path;
  }
}
