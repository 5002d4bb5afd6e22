package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import java.nio.file.Path;
import java.util.Objects;

/** Where a standard stream of a program leads. */
public sealed interface Redirect {
  /** Where it leads in this JVM. */
  record Inherit() implements Redirect {}

  /** The null device: reads end at once, writes vanish. */
  record NullDevice() implements Redirect {}

  /**
   * A file for output, opened as {@link OutputFile} does.
   *
   * @param path the file
   * @param append whether it keeps what it holds
   */
  record ToFile(Path path, boolean append) implements Redirect {
    /** Checks that nothing is null. */
    public ToFile {
      Objects.requireNonNull(path, "path");
    }
  }

  /**
   * An open descriptor, which stays the caller's.
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
   * Redirects to a file that is emptied before the program starts: once every file is open, but
   * before it is known whether the program can be executed.
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
   * @param descriptor any open descriptor; it is duplicated, and stays the caller's to close
   * @return the redirection
   */
  static Redirect to(Descriptor descriptor) {
    return new ToDescriptor(descriptor);
  }
}
