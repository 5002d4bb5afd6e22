package dev.daimon.posix;

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
import org.jspecify.annotations.Nullable;

/**
 * A new file that has a temporary name until it is complete, and then replaces another one as a
 * whole. For one thread at a time. A process that is killed before that leaves the file behind.
 */
public final class TemporaryFile implements AutoCloseable {
  /** Begins the name of one that is locked, before the process id. */
  private static final String LOCKED = ".daimon-";

  /** Begins the name of another one, which {@link #removeAbandoned} would take for abandoned. */
  private static final String UNLOCKED = ".daimon-new-";

  /** How many names are tried. */
  private static final int NAMES = 100;

  private final Path target;
  private final byte[] name;
  private final Descriptor descriptor;

  /** Has the lock until the file has its name; null if it is not locked. */
  private final @Nullable Descriptor lock;

  private boolean done;

  private TemporaryFile(
      Path target, byte[] name, Descriptor descriptor, @Nullable Descriptor lock) {
    this.target = target;
    this.name = name;
    this.descriptor = descriptor;
    this.lock = lock;
  }

  /**
   * Makes an empty file in the directory of the one that it will replace, under the name {@code
   * .daimon-new-PID-NUMBER}.
   *
   * @param target the file to be replaced, which may be missing
   * @param mode the new file's mode, less the umask
   * @return the new file, to be closed by the caller
   * @throws PosixException if it cannot be made ({@code EACCES}, {@code ENOENT} and so on)
   */
  public static TemporaryFile beside(Path target, int mode) throws PosixException {
    return make(target, mode, /* locked= */ false);
  }

  /**
   * Makes an empty file in the directory of the one that it will replace, under the name {@code
   * .daimon-PID-NUMBER}. It is locked ({@code flock}) until it has that one's name: so {@link
   * #removeAbandoned} knows that it is in use.
   *
   * @param target the file to be replaced, which may be missing
   * @param mode the new file's mode, less the umask
   * @return the new file, to be closed by the caller
   * @throws PosixException if it cannot be made ({@code EACCES}, {@code ENOENT} and so on)
   */
  public static TemporaryFile lockedBeside(Path target, int mode) throws PosixException {
    return make(target, mode, /* locked= */ true);
  }

  private static TemporaryFile make(Path target, int mode, boolean locked) throws PosixException {
    Objects.requireNonNull(target, "target");
    byte[] bytes = NativePath.bytes(target);
    byte[] name;
    int number;
    int names = 0;
    do {
      name = newName(bytes, locked);
      number = create(name, mode, locked);
      names++;
    } while (number == -Errno.EEXIST.number() && names < NAMES);
    PosixException.check(number, "open", target);
    Descriptor descriptor = Descriptor.adopt(number);
    try {
      return new TemporaryFile(target, name, descriptor, locked ? descriptor.duplicate() : null);
    } catch (PosixException failure) {
      Cleanup.close(new TemporaryFile(target, name, descriptor, null), failure);
      throw failure;
    }
  }

  /**
   * Makes a file, and locks it if asked for.
   *
   * @return its descriptor; {@code EEXIST} if it must get another name, otherwise another errno,
   *     both negated
   */
  private static int create(byte[] name, int mode, boolean lock) throws PosixException {
    int flags = Files.O_WRONLY | Files.O_CREAT | Files.O_EXCL | Files.O_NOFOLLOW | Files.O_CLOEXEC;
    int number = Files.open(name, flags, mode);
    if (number < 0 || !lock) {
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

  /** Returns a new name in the same directory; the file's own name may have any length. */
  private static byte[] newName(byte[] target, boolean locked) {
    StringBuilder name = new StringBuilder(locked ? LOCKED : UNLOCKED);
    name.append(Processes.getpid()).append('-').append(Long.toHexString(System.nanoTime()));
    byte[] suffix = name.toString().getBytes(StandardCharsets.US_ASCII);
    int directory = target.length;
    while (target[directory - 1] != '/') {
      directory--;
    }
    byte[] result = Arrays.copyOf(target, directory + suffix.length);
    System.arraycopy(suffix, 0, result, directory, suffix.length);
    return result;
  }

  /**
   * Removes files of {@link #lockedBeside} whose processes were killed before they were done. What
   * cannot be listed or removed stays, without a failure. Files of other users go, too, so nobody
   * else should be able to write to the directory.
   *
   * @param directory the directory in which they may be
   */
  public static void removeAbandoned(Path directory) {
    Objects.requireNonNull(directory, "directory");
    try (DirectoryStream<Path> entries =
        java.nio.file.Files.newDirectoryStream(
            NativePath.absolute(directory),
            entry -> isTemporary(String.valueOf(entry.getFileName())))) {
      for (Path entry : entries) {
        removeUnlocked(NativePath.bytes(entry));
      }
    } catch (IOException | DirectoryIteratorException unlisted) {
      // The next one may succeed.
    }
  }

  /** Nothing but what newName() makes: a daemon's name may begin like that. */
  private static boolean isTemporary(String name) {
    int end = name.indexOf('-', LOCKED.length());
    if (!name.startsWith(LOCKED) || end < 0) {
      return false;
    }
    try {
      long _ = Long.parseUnsignedLong(name, end + 1, name.length(), 16);
      return Integer.parseInt(name, LOCKED.length(), end, 10) > 0;
    } catch (NumberFormatException foreign) {
      return false;
    }
  }

  /**
   * Only the lock tells whether its process is there: in another PID namespace that has another id,
   * and a killed process has its id until it is waited for.
   */
  private static void removeUnlocked(byte[] name) throws PosixException {
    int flags = Files.O_RDONLY | Files.O_NOFOLLOW | Files.O_NONBLOCK | Files.O_CLOEXEC;
    int number = Files.open(name, flags, 0);
    if (number < 0) {
      return;
    }
    try (Descriptor open = Descriptor.adopt(number)) {
      // A shared lock is enough, and NFS gives no other one to a file that is open for reading.
      if (Files.flock(open.number(), Files.LOCK_SH | Files.LOCK_NB) == 0) {
        int _ = Files.unlink(name);
      }
    }
  }

  /** {@return its path, until {@link #commit}} */
  public Path path() {
    return NativePath.of(name);
  }

  /** {@return the open file, for writing; it stays owned by this object} */
  public Descriptor descriptor() {
    return descriptor;
  }

  /**
   * Closes the file, and gives it the other file's name, atomically: whoever opens that finds the
   * old content or the new one, complete. A symbolic link is itself replaced. If this fails the
   * other file is as it was; then only {@link #close} is left to do.
   *
   * @throws PosixException if it cannot be written, or the path is a directory ({@code EISDIR})
   * @throws IllegalStateException if this object was committed or closed before
   */
  public void commit() throws PosixException {
    // Open still? Some file systems report only at the close that there was no space.
    int _ = descriptor.number();
    descriptor.close();
    PosixException.check(Files.rename(name, NativePath.bytes(target)), "rename", target);
    done = true;
    try (lock) {
      // Nothing is left but the lock.
    } catch (PosixException late) {
      // The file was complete before, and has its name.
    }
  }

  /**
   * Removes the file, unless it was committed. A second call does nothing.
   *
   * @throws PosixException if it cannot be removed
   */
  @Override
  public void close() throws PosixException {
    if (!done) {
      done = true;
      try (descriptor;
          lock) {
        PosixException.check(Files.unlink(name), "unlink", NativePath.of(name));
      }
    }
  }
}
