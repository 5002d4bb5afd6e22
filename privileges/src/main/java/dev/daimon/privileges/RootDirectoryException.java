package dev.daimon.privileges;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.nio.file.Path;

/**
 * A directory that cannot become the root directory: it is missing, it is no directory, or a
 * directory above it may not be searched. That the process lacks the right to change its root
 * directory is not reported by this exception.
 */
public final class RootDirectoryException extends PosixException {
  private static final long serialVersionUID = 1;

  RootDirectoryException(Path directory, Errno errno) {
    super("chroot", directory.toString(), errno);
  }
}
