package dev.daimon.privileges;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.nio.file.Path;

/**
 * Thrown if a directory cannot become the root directory, such as one that is missing, is no
 * directory, or may not be searched. That the process lacks the right to change its root directory
 * ({@code EPERM}) is another {@link PosixException}.
 */
public final class RootDirectoryException extends PosixException {
  private static final long serialVersionUID = 1;

  RootDirectoryException(Path directory, Errno errno) {
    super("chroot", directory.toString(), errno);
  }
}
