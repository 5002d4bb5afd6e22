package dev.daimon.pidfile;

import java.io.IOException;
import java.nio.file.Path;

/** A pidfile that can be read, but does not hold one process id. */
public final class MalformedPidFileException extends IOException {
  private static final long serialVersionUID = 1;

  static final String EMPTY = "is empty";

  private final transient Path path;
  private final String reason;

  MalformedPidFileException(Path path, String reason) {
    super(path + " is no pidfile: it " + reason);
    this.path = path;
    this.reason = reason;
  }

  /** {@return the pidfile; not kept by serialization} */
  public Path path() {
    return path;
  }

  /** {@return whether the file is empty, or white space alone: a pidfile that names nobody} */
  public boolean isEmpty() {
    return reason.equals(EMPTY);
  }

  /** {@return what is wrong with it, such as {@code "is empty"}} */
  public String reason() {
    return reason;
  }
}
