package dev.daimon.privileges;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.TemporaryFile;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;

/**
 * A small file that says what is to be done, such as which program to start, so that nobody but
 * root and one user may have written it.
 *
 * <p>It is replaced as a whole, by a temporary file that gets its name. So a reader gets the old
 * content or the new one, and of two writers at once the later one wins.
 */
public final class TrustedFile {
  private static final int MODE = 0600;

  private TrustedFile() {}

  /**
   * Reads a file that root or a user has written. This opens the file once, does not follow a
   * symbolic link as its last component, and never blocks.
   *
   * @param file the file
   * @param user the id of the user whose file is believed besides root's, from 0 to 4294967294
   * @param limit how many bytes it may have, less than {@link Integer#MAX_VALUE}
   * @return the content; empty if there is no such file
   * @throws IOException if it is not a regular file, is longer, belongs to another user, or others
   *     may write to it; if root asks, also if others may exchange the file or a directory above it
   *     ({@link Ownership#mayTrust}); or if it cannot be opened or read
   * @throws IllegalArgumentException as {@link Ownership#mayTrust}
   */
  public static Optional<byte[]> read(Path file, long user, int limit) throws IOException {
    Objects.requireNonNull(file, "file");
    try {
      requireFixed(file, user);
    } catch (PosixException failure) {
      if (isMissing(failure.errno().number())) {
        return Optional.empty();
      }
      throw new PosixException("open", file.toString(), failure.errno());
    }
    int flags =
        Files.O_RDONLY | Files.O_NOFOLLOW | Files.O_NONBLOCK | Files.O_NOCTTY | Files.O_CLOEXEC;
    int number = Files.open(NativePath.bytes(file), flags, 0);
    if (number < 0 && isMissing(-number)) {
      return Optional.empty();
    }
    if (number == -Errno.ELOOP.number()) {
      throw new IOException(file + " is a symbolic link, which is not followed");
    }
    if (number == -Errno.ENXIO.number()) {
      throw notRegular(file);
    }
    try (Descriptor descriptor = Descriptor.adopt(PosixException.check(number, "open", file))) {
      return Optional.of(content(descriptor, file, user, limit));
    }
  }

  private static boolean isMissing(int errno) {
    return errno == Errno.ENOENT.number() || errno == Errno.ENOTDIR.number();
  }

  private static IOException notRegular(Path file) {
    return new IOException(file + " is not a regular file");
  }

  /** Requires that others can neither exchange the file, nor move one of root's there. */
  private static void requireFixed(Path file, long user) throws IOException {
    Path directory = NativePath.absolute(file).getParent();
    if (directory == null
        || !Ownership.mayTrust(directory, user)
        || Ownership.mayHoldFilesOfOthers(directory)) {
      throw new IOException(
          file
              + " is not trusted: others than root"
              + (user == 0 ? "" : " and user id " + user)
              + " may exchange it or a directory above it");
    }
  }

  private static byte[] content(Descriptor descriptor, Path file, long user, int limit)
      throws IOException {
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(descriptor.number(), status), "fstat", file);
    if (!status.isRegularFile()) {
      throw notRegular(file);
    }
    long owner = Integer.toUnsignedLong(status.uid());
    if (owner != 0 && owner != user) {
      throw new IOException(
          file
              + " is not trusted: it belongs to user id "
              + owner
              + ", and not to root"
              + (user == 0 ? "" : " or user id " + user));
    }
    if (status.isWritableByOthers()) {
      throw new IOException(
          file + " is not trusted: others may write to it; type chmod go-w " + file);
    }
    if (status.size() > limit) {
      throw tooLong(file, limit);
    }
    return read(descriptor, file, (int) status.size(), limit);
  }

  private static IOException tooLong(Path file, int limit) {
    return new IOException(file + " is longer than " + limit + " bytes");
  }

  /** Reads to the end, which may have moved since the size was read. */
  private static byte[] read(Descriptor descriptor, Path file, int size, int limit)
      throws IOException {
    byte[] content = {};
    byte[] buffer = new byte[size + 1];
    while (true) {
      int count = Files.pread(descriptor.number(), buffer, content.length);
      if (PosixException.check(count, "read", file) == 0) {
        return content;
      }
      if (count > limit - content.length) {
        throw tooLong(file, limit);
      }
      int start = content.length;
      content = Arrays.copyOf(content, start + count);
      System.arraycopy(buffer, 0, content, start, count);
    }
  }

  /**
   * Writes a new content to a temporary file beside the file, so that a full disk and a missing
   * permission are found before anything else is done.
   *
   * @param file the file, which may be missing; its directory must exist
   * @param content the new content
   * @return the written content, which {@link Pending#commit} gives the file's name; to be closed
   *     by the caller
   * @throws IOException if the file could not be {@linkplain #read trusted} there, or the temporary
   *     file cannot be made or written
   */
  public static Pending prepare(Path file, byte[] content) throws IOException {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(content, "content");
    try {
      requireFixed(file, Identity.effectiveUser());
    } catch (PosixException failure) {
      throw new PosixException("open", file.toString(), failure.errno());
    }
    TemporaryFile.removeAbandoned(Objects.requireNonNull(NativePath.absolute(file).getParent()));
    Pending pending = new Pending(file, TemporaryFile.lockedBeside(file, MODE));
    try {
      // Whatever the umask is.
      int number = pending.temporary.descriptor().number();
      PosixException.check(Files.fchmod(number, MODE), "fchmod", file);
      pending.write(content, 0);
    } catch (PosixException failure) {
      Cleanup.close(pending, failure);
      throw failure;
    }
    return pending;
  }

  /**
   * A content in a {@linkplain TemporaryFile temporary file} that waits for its name. For one
   * thread at a time. The next {@link #prepare} in that directory removes what a killed process has
   * left.
   */
  public static final class Pending implements AutoCloseable {
    private final Path file;
    private final TemporaryFile temporary;

    private Pending(Path file, TemporaryFile temporary) {
      this.file = file;
      this.temporary = temporary;
    }

    /** {@return the temporary file, which is renamed by {@link #commit}} */
    public Path temporary() {
      return temporary.path();
    }

    /**
     * Overwrites a part of the content. That takes no more space.
     *
     * @param bytes the new bytes
     * @param position where they begin
     * @throws PosixException if they cannot be written
     * @throws IllegalStateException if this was committed or closed
     */
    public void write(byte[] bytes, int position) throws PosixException {
      Objects.requireNonNull(bytes, "bytes");
      int number = temporary.descriptor().number();
      PosixException.check(Files.pwriteAll(number, bytes, 0, position), "write", file);
    }

    /**
     * Gives the content the file's name. If this fails the file is as it was; {@link #close} is
     * still to be called.
     *
     * @param durable whether the content is to be on the disk first, so that even a power failure
     *     leaves the old content or the new one; that takes milliseconds
     * @throws PosixException if it cannot be written, or the path is a directory ({@code EISDIR})
     * @throws IllegalStateException if this was committed or closed
     */
    public void commit(boolean durable) throws PosixException {
      if (durable) {
        PosixException.check(Files.fsync(temporary.descriptor().number()), "fsync", file);
      }
      temporary.commit();
    }

    /**
     * Removes the temporary file, unless it was committed. A second call does nothing.
     *
     * @throws PosixException if it cannot be removed
     */
    @Override
    public void close() throws PosixException {
      temporary.close();
    }
  }
}
