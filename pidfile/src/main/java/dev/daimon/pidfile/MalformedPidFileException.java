package dev.daimon.pidfile;

import java.io.IOException;
import java.nio.file.Path;

/** Thrown for a pidfile that can be read, but does not hold one process id. */
public final class MalformedPidFileException extends IOException {
  private static final long serialVersionUID = 1;

  private final transient Path path;
  private final String reason;
  private final boolean empty;

  MalformedPidFileException(Path path, String reason, boolean empty) {
    super(path + " is no pidfile: it " + reason);
    this.path = path;
    this.reason = reason;
    this.empty = empty;
  }

  /** {@return the pidfile; not kept by serialization} */
  public Path path() {
    return path;
  }

  /** {@return whether the file is empty, or holds white space alone: it names no process} */
  public boolean isEmpty() {
    return empty;
  }

  /** {@return what is wrong with the file, for people, such as {@code "is empty"}} */
  public String reason() {
    return reason;
  }
}
