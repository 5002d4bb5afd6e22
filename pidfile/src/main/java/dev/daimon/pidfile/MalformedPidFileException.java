package dev.daimon.pidfile;

import java.io.IOException;
import java.nio.file.Path;

/** A pidfile that can be read, but does not hold one process id. */
public final class MalformedPidFileException extends IOException {
  private static final long serialVersionUID = 1;

  private final transient Path path;
  private final String reason;

  MalformedPidFileException(Path path, String reason) {
    super(path + ": " + reason);
    this.path = path;
    this.reason = reason;
  }

  /** {@return the pidfile; not kept by serialization} */
  public Path path() {
    return path;
  }

  /** {@return what is wrong with it, such as {@code "is empty"}} */
  public String reason() {
    return reason;
  }
}
