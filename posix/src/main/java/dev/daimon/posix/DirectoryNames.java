package dev.daimon.posix;

import dev.daimon.posix.call.ProcFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The names in a directory of any size, as UTF-8 whatever the locale is. In some locales, what is
 * not ASCII is lost in the names that {@code java.nio.file} lists.
 *
 * <p>Race: a name that is added or removed meanwhile may be among them or not.
 *
 * <p>For one thread at a time.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/getdents64.2.html">getdents64(2)</a>
 */
public final class DirectoryNames implements AutoCloseable {
  private final ProcFiles.Names names;
  private boolean closed;

  /**
   * Opens a directory. One that does not exist has no names.
   *
   * @param directory the directory; a symbolic link is followed
   * @throws PosixException {@code EACCES} if this process may not read it, {@code ENOTDIR} if it is
   *     no directory
   */
  public DirectoryNames(Path directory) throws PosixException {
    names = new ProcFiles.Names(NativePath.bytes(directory), StandardCharsets.UTF_8);
  }

  /**
   * Returns the next name, in no order.
   *
   * @return the name, with U+FFFD for what is no UTF-8; never {@code .} or {@code ..}; null at the
   *     end
   * @throws PosixException if the directory cannot be read, {@code EIO} for instance
   * @throws IllegalStateException if this is closed
   */
  public @Nullable String next() throws PosixException {
    // There may be names that were read before, or no descriptor at all.
    if (closed) {
      throw new IllegalStateException("the directory is closed");
    }
    return names.next();
  }

  /**
   * Closes the directory. Closing it again has no effect.
   *
   * @throws PosixException if the kernel reports an error; it is closed even then
   */
  @Override
  public void close() throws PosixException {
    closed = true;
    names.close();
  }
}
