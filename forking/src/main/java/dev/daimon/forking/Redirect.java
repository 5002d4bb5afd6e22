package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import java.nio.file.Path;
import java.util.Objects;

/** The redirection of a standard stream of a program. */
public sealed interface Redirect {
  /**
   * The stream of this JVM. If that was closed when the JVM was started, its number may be a file
   * of the JVM's own: the program gets the null device then.
   */
  record Inherit() implements Redirect {}

  /** The null device: a read is at the end of the file at once, writes are discarded. */
  record NullDevice() implements Redirect {}

  /**
   * An output file, opened as {@link OutputFile} does.
   *
   * @param path the file
   * @param append whether the file keeps its content; otherwise it is emptied
   */
  record ToFile(Path path, boolean append) implements Redirect {
    /** Checks that nothing is null. */
    public ToFile {
      Objects.requireNonNull(path, "path");
    }
  }

  /**
   * An open descriptor, which the caller still owns.
   *
   * @param descriptor the descriptor
   */
  record ToDescriptor(Descriptor descriptor) implements Redirect {
    /** Checks that nothing is null. */
    public ToDescriptor {
      Objects.requireNonNull(descriptor, "descriptor");
    }
  }

  /** {@return the stream as this JVM has it} */
  static Redirect inherit() {
    return new Inherit();
  }

  /** {@return the null device} */
  static Redirect nullDevice() {
    return new NullDevice();
  }

  /**
   * Redirects to a file that is emptied before the program starts. It is emptied when every file is
   * open, but before it is known whether the program can be executed.
   *
   * @param path the file, created if it is missing
   * @return the redirection
   */
  static Redirect truncate(Path path) {
    return new ToFile(path, false);
  }

  /**
   * Redirects to the end of a file.
   *
   * @param path the file, created if it is missing
   * @return the redirection
   */
  static Redirect append(Path path) {
    return new ToFile(path, true);
  }

  /**
   * Redirects to an open descriptor.
   *
   * @param descriptor an open descriptor; it is duplicated, and the caller still owns it
   * @return the redirection
   */
  static Redirect to(Descriptor descriptor) {
    return new ToDescriptor(descriptor);
  }
}
