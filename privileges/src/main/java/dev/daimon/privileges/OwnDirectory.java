package dev.daimon.privileges;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Makes directories, and changes and removes those of the calling thread's user. A symbolic link is
 * never followed as the last part of a path.
 */
public final class OwnDirectory {
  private OwnDirectory() {}

  /**
   * Makes a directory.
   *
   * @param directory the path; the directory above must exist
   * @param permissions the permission bits, of which the umask takes away
   * @return whether it was made; false if there is something of that name already, of any kind
   * @throws PosixException if it is not there and could not be made
   * @see <a href="https://man7.org/linux/man-pages/man2/mkdir.2.html">mkdir(2)</a>
   */
  public static boolean make(Path directory, int permissions) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    int result = Files.mkdir(NativePath.bytes(directory), permissions);
    if (result == -Errno.EEXIST.number()) {
      return false;
    }
    return PosixException.check(result, "mkdir", directory) == 0;
  }

  /**
   * Tells whether something is a directory of root's or a user's, and not a link to one.
   *
   * @param directory the path
   * @param user the user id, from 0 to 4294967294
   * @return whether it is
   * @throws PosixException if it cannot be examined, as when it is gone
   * @throws IllegalArgumentException if the user id is out of range
   */
  public static boolean isOf(Path directory, long user) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    int owner = AccountLookup.userId(user);
    FileStatus status = new FileStatus();
    PosixException.check(Files.lstat(NativePath.bytes(directory), status), "lstat", directory);
    return status.isDirectory() && (status.uid() == 0 || status.uid() == owner);
  }

  /**
   * Sets the permissions of a directory, whatever the umask is.
   *
   * @param directory the directory
   * @param permissions the permission bits
   * @throws OwnershipRefusedException if it is not a directory of this thread's user
   * @throws PosixException if the call fails
   * @see <a href="https://man7.org/linux/man-pages/man2/chmod.2.html">chmod(2)</a>
   */
  public static void setPermissions(Path directory, int permissions)
      throws OwnershipRefusedException, PosixException {
    Objects.requireNonNull(directory, "directory");
    try (Descriptor handle = handle(directory)) {
      // fchmod takes no handle, and without permissions the owner cannot open the directory.
      byte[] link = ("/proc/self/fd/" + handle.number()).getBytes(StandardCharsets.US_ASCII);
      PosixException.check(Files.chmod(link, permissions), "chmod", directory);
    }
  }

  /**
   * Gives a directory to another user, through a handle.
   *
   * @param directory a directory that the calling thread has made where {@linkplain
   *     Ownership#isRootsAlone only root can change} anything
   * @param identity the new owner and group; the owner stays if it names none
   * @throws OwnershipRefusedException if it is not a directory of this thread's user
   * @throws PosixException if the call fails
   * @see <a href="https://man7.org/linux/man-pages/man2/fchownat.2.html">fchownat(2)</a>
   */
  public static void give(Path directory, Identity identity)
      throws OwnershipRefusedException, PosixException {
    Objects.requireNonNull(directory, "directory");
    Objects.requireNonNull(identity, "identity");
    int uid = (int) identity.uid().orElse(-1);
    try (Descriptor handle = handle(directory)) {
      int result = Files.chownHandle(handle.number(), uid, (int) identity.gid());
      PosixException.check(result, "fchownat", directory);
    }
  }

  /**
   * Removes a directory if it is empty.
   *
   * @param directory the directory
   * @return whether it was removed; false if it is not empty, or is gone
   * @throws PosixException if the call fails for another reason
   * @see <a href="https://man7.org/linux/man-pages/man2/rmdir.2.html">rmdir(2)</a>
   */
  public static boolean removeIfEmpty(Path directory) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    int result = Files.rmdir(NativePath.bytes(directory));
    if (result == -Errno.ENOTEMPTY.number()
        || result == -Errno.EEXIST.number()
        || result == -Errno.ENOENT.number()) {
      return false;
    }
    return PosixException.check(result, "rmdir", directory) == 0;
  }

  private static Descriptor handle(Path directory)
      throws OwnershipRefusedException, PosixException {
    int flags = Files.O_PATH | Files.O_NOFOLLOW | Files.O_CLOEXEC;
    int number = Files.open(NativePath.bytes(directory), flags, 0);
    Descriptor handle = Descriptor.adopt(PosixException.check(number, "open", directory));
    try {
      FileStatus status = new FileStatus();
      PosixException.check(Files.fstat(number, status), "fstat", directory);
      if (!status.isDirectory() || status.uid() != Credentials.fsuid()) {
        throw new OwnershipRefusedException(directory, "it was replaced meanwhile");
      }
      return handle;
    } catch (OwnershipRefusedException | PosixException refused) {
      try (handle) {
        throw refused;
      }
    }
  }
}
