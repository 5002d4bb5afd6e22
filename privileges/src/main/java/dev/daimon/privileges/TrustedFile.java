package dev.daimon.privileges;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Processes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
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

  /** Begins the name of a temporary file, before the process id. */
  private static final String PREFIX = ".daimon-";

  /** How many names of a temporary file are tried. */
  private static final int NAMES = 100;

  private TrustedFile() {}

  /**
   * Reads a file that root or a user has written. This opens the file once, does not follow a
   * symbolic link as its last component, and never blocks.
   *
   * @param file the file
   * @param user the id of the user whose file is believed besides root's
   * @param limit how many bytes it may have, less than {@link Integer#MAX_VALUE}
   * @return the content; empty if there is no such file
   * @throws IOException if it is not a regular file, is longer, belongs to another user, or others
   *     may write to it; if root asks, also if others may exchange the file or a directory above it
   *     ({@link Ownership#mayTrust}); or if it cannot be opened or read
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
    Path directory = file.toAbsolutePath().getParent();
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
    removeAbandoned(file);
    byte[] target = NativePath.bytes(file);
    byte[] temporary = temporary(target);
    int number = create(temporary);
    for (int names = 1; number == -Errno.EEXIST.number() && names < NAMES; names++) {
      temporary = temporary(target);
      number = create(temporary);
    }
    PosixException.check(number, "open", file);
    Pending pending = new Pending(file, temporary, Descriptor.adopt(number));
    try {
      // Whatever the umask is.
      PosixException.check(Files.fchmod(number, MODE), "fchmod", file);
      pending.write(content, 0);
    } catch (PosixException failure) {
      Cleanup.close(pending, failure);
      throw failure;
    }
    return pending;
  }

  /**
   * Makes a temporary file, and locks it for as long as it is open.
   *
   * @return its descriptor; {@code EEXIST} if it must get another name, otherwise another errno,
   *     both negated
   */
  private static int create(byte[] name) throws PosixException {
    int flags = Files.O_WRONLY | Files.O_CREAT | Files.O_EXCL | Files.O_NOFOLLOW | Files.O_CLOEXEC;
    int number = Files.open(name, flags, MODE);
    if (number < 0) {
      return number;
    }
    int locked = Files.flock(number, Files.LOCK_EX | Files.LOCK_NB);
    FileStatus status = new FileStatus();
    // Somebody who took it for abandoned was faster. A file system without locks is no failure.
    if (locked == -Errno.EAGAIN.number()
        || (Files.fstat(number, status) == 0 && status.links() == 0)) {
      int _ = Files.unlink(name);
      Descriptor.adopt(number).close();
      return -Errno.EEXIST.number();
    }
    return number;
  }

  /**
   * Removes temporary files beside a file whose processes were killed before they were done. One
   * that cannot be removed stays.
   */
  private static void removeAbandoned(Path file) {
    Path directory = Objects.requireNonNull(file.toAbsolutePath().getParent());
    try (DirectoryStream<Path> entries =
        java.nio.file.Files.newDirectoryStream(
            directory, entry -> isTemporary(String.valueOf(entry.getFileName())))) {
      for (Path entry : entries) {
        removeUnlocked(NativePath.bytes(entry));
      }
    } catch (IOException | DirectoryIteratorException unlisted) {
      // The next one may succeed.
    }
  }

  /** Nothing but what temporary() makes: a daemon's name may begin like that. */
  private static boolean isTemporary(String name) {
    int end = name.indexOf('-', PREFIX.length());
    if (!name.startsWith(PREFIX) || end < 0) {
      return false;
    }
    try {
      long _ = Long.parseUnsignedLong(name, end + 1, name.length(), 16);
      return Integer.parseInt(name, PREFIX.length(), end, 10) > 0;
    } catch (NumberFormatException foreign) {
      return false;
    }
  }

  /**
   * Only the lock tells whether its process is there: in another PID namespace that has another id,
   * and a killed process has its id until it is waited for.
   */
  private static void removeUnlocked(byte[] temporary) throws PosixException {
    int flags = Files.O_RDONLY | Files.O_NOFOLLOW | Files.O_NONBLOCK | Files.O_CLOEXEC;
    int number = Files.open(temporary, flags, 0);
    if (number < 0) {
      return;
    }
    try (Descriptor open = Descriptor.adopt(number)) {
      // A shared lock is enough, and NFS gives no other one to a file that is open for reading.
      if (Files.flock(open.number(), Files.LOCK_SH | Files.LOCK_NB) == 0) {
        int _ = Files.unlink(temporary);
      }
    }
  }

  /** Returns a new name in the same directory; the file's own name may have any length. */
  private static byte[] temporary(byte[] target) {
    String name = PREFIX + Processes.getpid() + "-".concat(Long.toHexString(System.nanoTime()));
    byte[] suffix = name.getBytes(StandardCharsets.US_ASCII);
    int directory = target.length;
    while (target[directory - 1] != '/') {
      directory--;
    }
    byte[] result = Arrays.copyOf(target, directory + suffix.length);
    System.arraycopy(suffix, 0, result, directory, suffix.length);
    return result;
  }

  /**
   * A content in a temporary file that waits for its name. For one thread at a time. A process that
   * is killed before that leaves the temporary file behind, under the name {@code
   * .daimon-PID-NUMBER}, until the next {@link #prepare} in that directory. It is locked ({@code
   * flock}) until it has its name, so that no other process removes it.
   */
  public static final class Pending implements AutoCloseable {
    private final Path file;
    private final byte[] temporary;
    private final Descriptor descriptor;
    private boolean done;

    private Pending(Path file, byte[] temporary, Descriptor descriptor) {
      this.file = file;
      this.temporary = temporary;
      this.descriptor = descriptor;
    }

    /** {@return the temporary file, which is renamed by {@link #commit}} */
    public Path temporary() {
      return NativePath.of(temporary);
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
      byte[] left = bytes;
      int done = 0;
      while (left.length > 0) {
        int count = Files.pwrite(descriptor.number(), left, position + done);
        if (PosixException.check(count, "write", file) == 0) {
          throw new PosixException("write", file.toString(), Errno.ENOSPC);
        }
        done += count;
        left = Arrays.copyOfRange(bytes, done, bytes.length);
      }
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
        PosixException.check(Files.fsync(descriptor.number()), "fsync", file);
      }
      // Has the lock until the file has its name.
      try (Descriptor _ = descriptor.duplicate()) {
        // Some file systems report only now that there was no space.
        descriptor.close();
        PosixException.check(Files.rename(temporary, NativePath.bytes(file)), "rename", file);
        done = true;
      }
    }

    /**
     * Removes the temporary file, unless it was committed. A second call does nothing.
     *
     * @throws PosixException if it cannot be removed
     */
    @Override
    public void close() throws PosixException {
      if (!done) {
        done = true;
        try (descriptor) {
          PosixException.check(Files.unlink(temporary), "unlink", NativePath.of(temporary));
        }
      }
    }
  }
}
