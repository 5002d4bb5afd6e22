package dev.daimon.privileges;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.ProcFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Objects;

/**
 * The change of a file's owner, done so that nobody gets a file by a trick.
 *
 * <p>Who may write to a directory can put another file in a name's place. So the owner changes
 * through the open descriptor alone, and a file that was there before is handed over only if nobody
 * but root could have put it there.
 */
public final class Ownership {
  private static final int WRITABLE_BY_OTHERS = 022;
  private static final int WRITABLE_BY_GROUP = 020;
  private static final int STICKY = 01000;

  private static final byte[] ACCESS_CONTROL_LIST =
      "system.posix_acl_access".getBytes(StandardCharsets.US_ASCII);

  /** As the kernel's own limit. */
  private static final int MAX_LINKS = 40;

  private static final int MAX_TARGET = 4096;

  private Ownership() {}

  /**
   * Makes a file an identity's own: its user, if the identity changes it, and its group.
   *
   * <p>Only a regular file with exactly one link is handed over. One that the caller just created
   * may be anywhere; an existing one must be root's or the caller's, in a directory that
   * {@linkplain #isRootsAlone is root's alone}. A file that has this owner and group already, or an
   * existing one of the target user's own, stays as it is.
   *
   * @param descriptor the open file, opened without following a symbolic link
   * @param path where it was opened
   * @param identity who gets it
   * @param justCreated whether the caller has created it in this very open ({@code O_EXCL})
   * @throws OwnershipRefusedException if it is not handed over
   * @throws PosixException if the file or a directory above it could not be examined, or the
   *     process may not change the owner ({@code EPERM})
   * @see <a href="https://man7.org/linux/man-pages/man2/fchown.2.html">fchown(2)</a>
   */
  public static void give(Descriptor descriptor, Path path, Identity identity, boolean justCreated)
      throws OwnershipRefusedException, PosixException {
    Objects.requireNonNull(descriptor, "descriptor");
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(identity, "identity");
    if (isToBeGiven(descriptor.number(), path, identity, justCreated)) {
      int result = Files.fchown(descriptor.number(), uid(identity), (int) identity.gid());
      PosixException.check(result, "fchown", path);
    }
  }

  /**
   * Makes an existing file an identity's own, without opening it for reading or writing, and
   * without following a symbolic link in its place. What is judged is what is handed over, whatever
   * becomes of the path meanwhile.
   *
   * @param path the file
   * @param identity who gets it
   * @throws OwnershipRefusedException as {@link #give(Descriptor, Path, Identity, boolean)}, for a
   *     file that was there before
   * @throws PosixException if there is no such file, it or a directory above it could not be
   *     examined, or the process may not change the owner ({@code EPERM})
   * @see <a href="https://man7.org/linux/man-pages/man2/fchownat.2.html">fchownat(2)</a>
   */
  public static void give(Path path, Identity identity)
      throws OwnershipRefusedException, PosixException {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(identity, "identity");
    int flags = Files.O_PATH | Files.O_NOFOLLOW | Files.O_CLOEXEC;
    int number = Files.open(NativePath.bytes(path), flags, 0);
    try (Descriptor handle = Descriptor.adopt(PosixException.check(number, "open", path))) {
      if (isToBeGiven(number, path, identity, false)) {
        int result = Files.chownHandle(handle.number(), uid(identity), (int) identity.gid());
        PosixException.check(result, "fchownat", path);
      }
    }
  }

  /** For the system calls: -1 leaves the owner as it is. */
  private static int uid(Identity identity) {
    return (int) identity.uid().orElse(-1);
  }

  /** Whether there is something to do; refuses what must not be done. */
  private static boolean isToBeGiven(int fd, Path path, Identity identity, boolean justCreated)
      throws OwnershipRefusedException, PosixException {
    FileStatus file = new FileStatus();
    PosixException.check(Files.fstat(fd, file), "fstat", path);
    int uid = uid(identity);
    boolean ownedByTarget = uid == -1 || file.uid() == uid;
    boolean targetsBefore = !justCreated && file.uid() == uid && uid != 0 && uid != -1;
    if (targetsBefore || (ownedByTarget && file.gid() == (int) identity.gid())) {
      return false;
    }
    if (file.isSymbolicLink()) {
      throw new OwnershipRefusedException(path, "a symbolic link is not followed");
    }
    if (!file.isRegularFile()) {
      throw new OwnershipRefusedException(path, "not a regular file");
    }
    if (file.links() != 1) {
      throw new OwnershipRefusedException(path, "it has " + file.links() + " hard links");
    }
    if (!justCreated) {
      requireRoots(path, file);
    }
    return true;
  }

  /** An existing file must be one that nobody but root could have put there. */
  private static void requireRoots(Path path, FileStatus file)
      throws OwnershipRefusedException, PosixException {
    int caller = Credentials.fsuid();
    if (file.uid() != 0 && file.uid() != caller) {
      throw new OwnershipRefusedException(
          path, "it belongs to user id " + Integer.toUnsignedString(file.uid()));
    }
    Path parent = path.toAbsolutePath().getParent();
    if (parent == null || !isRootsAlone(parent)) {
      throw new OwnershipRefusedException(
          path, "it was there before, and others than root may write to a directory above it");
    }
  }

  /**
   * Tells whether a file that the calling thread makes in a directory ends up there: anybody's but
   * root's does no harm elsewhere, and root's does not where the directory {@linkplain
   * #isRootsAlone is root's alone}.
   *
   * @param directory the directory; a relative one counts from the JVM's working directory at its
   *     start
   * @return whether it does
   * @throws PosixException as {@link #isRootsAlone}
   */
  public static boolean mayMakeFilesIn(Path directory) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    return !isRoot() || isRootsAlone(directory);
  }

  /**
   * Tells whether nobody but root can put anything into a directory, or another directory in its
   * place.
   *
   * <p>Every directory on the way must be root's and writable by root alone. Symbolic links are
   * followed by hand, and what they lead through counts as well. A sticky directory of root's, such
   * as {@code /tmp}, may be passed through into a directory of root's, which nobody else can rename
   * there; it does not count as the last one. Mode bits are enough: an access control list that
   * lets somebody write shows in the group's bits.
   *
   * @param directory the directory; a relative one counts from the JVM's working directory at its
   *     start
   * @return whether it is root's alone; false for anything but a directory
   * @throws PosixException if something on the way does not exist or could not be examined, or
   *     there are more than 40 symbolic links ({@code ELOOP})
   */
  public static boolean isRootsAlone(Path directory) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    Walk walk = new Walk(0, /* groupOfRoot= */ false);
    return walk.leadsTo(directory) && walk.isPassable() && !walk.isWritableByOthers();
  }

  /**
   * Tells whether the calling thread may believe a file of one user's that it finds in a directory,
   * a pidfile for instance, and act on what it says. It is one rule for who makes such a file and
   * for who reads it later.
   *
   * <p>Root may if nobody but root and that user can put another directory in this one's place, or
   * exchange a file of that user's in it. Every directory on the way must be root's or that user's.
   * One of root's must be writable by root and the group 0 alone, or be sticky, as {@code /tmp} is;
   * of the user's it is the user's own business. A symbolic link counts as in {@link
   * #isRootsAlone}.
   *
   * <p>Everybody else may anyway: whom they can signal, and what they can write, the kernel limits
   * to what is theirs. The same holds for "root" of a user namespace that has a single user.
   *
   * @param directory the directory; a relative one counts from the JVM's working directory at its
   *     start
   * @param user the user id of the file's owner, from 0 to 4294967294
   * @return whether that is so; false for root and anything but a directory
   * @throws PosixException as {@link #isRootsAlone}
   */
  public static boolean mayTrust(Path directory, long user) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    if (!isRoot()) {
      return true;
    }
    Walk walk = new Walk((int) user, /* groupOfRoot= */ true);
    return (walk.leadsTo(directory) && walk.isPassable()) || isOnlyUser();
  }

  /**
   * Tells whether root may find files in a directory that others have put there: it is root's, and
   * others may write to it, as to {@code /tmp}. That it is sticky keeps them from the files that
   * are there already; it does not keep them from moving one there, be it root's, that they found
   * in a directory of their own.
   *
   * @param directory the directory
   * @return whether that is so; false for everybody but root, whom the kernel limits
   * @throws PosixException as {@link #isRootsAlone}
   */
  public static boolean mayHoldFilesOfOthers(Path directory) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    Walk walk = new Walk(0, /* groupOfRoot= */ true);
    return isRoot()
        && walk.leadsTo(directory)
        && walk.status.uid() == 0
        && walk.isWritableByOthers()
        && !isOnlyUser();
  }

  /**
   * Refuses a file to be made where nobody {@linkplain #mayTrust may trust} it later.
   *
   * @param file the file, which need not be there
   * @param user the user id of its owner to be, from 0 to 4294967294
   * @throws IOException if it is refused, or as {@link #mayTrust}
   */
  public static void requireTrust(Path file, long user) throws IOException {
    Objects.requireNonNull(file, "file");
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null || !mayTrust(directory, user)) {
      throw new IOException(
          file
              + " would not be trusted: others than root"
              + (user == 0 ? "" : " and user " + user)
              + " may exchange it or a directory above it");
    }
  }

  /**
   * Refuses a file that root would open by a path that another user can redirect: in a directory in
   * whose place, or in the place of one above it, that user can put another one, or a link. Root
   * could be made to write to any file there is, or to make one anywhere.
   *
   * <p>Every directory on the way to the last one must be as {@link #mayTrust} has it for a file of
   * root's, and what a symbolic link leads through counts as well. In the last one others may do as
   * they like: whether the file in it is a link, or somebody else's, is seen when it is open
   * ({@code O_NOFOLLOW}, {@code fstat}).
   *
   * <p>Nobody but root can change the answer once it is given, so it holds for an open that comes
   * after it. Everybody else than root is refused nothing: the kernel limits what they can open.
   * The same holds for "root" of a user namespace that has a single user.
   *
   * @param file the file, which need not be there; a relative path counts from the JVM's working
   *     directory at its start
   * @throws PosixException as if it was opened, {@code ENOENT} for instance, if a directory on the
   *     way does not exist or could not be examined, or there are more than 40 symbolic links
   *     ({@code ELOOP})
   * @throws IOException if it is refused
   */
  public static void requireFixedPath(Path file) throws IOException {
    Objects.requireNonNull(file, "file");
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null || !isRoot()) {
      return;
    }
    Walk walk = new Walk(0, /* groupOfRoot= */ true);
    try {
      if (!walk.leadsTo(directory) && !isOnlyUser()) {
        throw new IOException(
            file
                + " is not opened as root: "
                + walk.whoCanRedirect()
                + "; use a directory that root alone can change, or run it as that user");
      }
    } catch (PosixException missing) {
      throw new PosixException("open", file.toString(), missing.errno());
    }
  }

  private static boolean isRoot() {
    return Credentials.fsuid() == 0;
  }

  /** Whether this user namespace has one user, which is then somebody else outside of it. */
  private static boolean isOnlyUser() throws PosixException {
    // One line for each range: first id, first id outside, count.
    String map = ProcFiles.readRecord("/proc/self/uid_map");
    return map.endsWith(" 1\n") && map.indexOf('\n') == map.length() - 1;
  }

  /** A way to a directory, looked at step by step. */
  private static final class Walk {
    private final int user;

    /** Whether the group 0 is believed as root is. */
    private final boolean groupOfRoot;

    /** The directory reached so far: physical, without symbolic links, dots, a slash at the end. */
    private byte[] reached = {};

    /** What is there. */
    private final FileStatus status = new FileStatus();

    /** Whether others can make and remove names beside it, and its owner can rename it. */
    private boolean besideOthers;

    Walk(int user, boolean groupOfRoot) {
      this.user = user;
      this.groupOfRoot = groupOfRoot;
    }

    /**
     * Whether it is a directory, and others than root and the user cannot put another one in its
     * place. If not, what was reached is where they can, or no directory.
     */
    boolean leadsTo(Path directory) throws PosixException {
      Deque<byte[]> left = new ArrayDeque<>();
      pushAll(left, NativePath.bytes(directory));
      int links = 0;
      look();
      while (!left.isEmpty()) {
        if (!isPassable()) {
          return false;
        }
        byte[] name = left.pop();
        if (isDots(name, 2)) {
          reached = parent(reached);
          besideOthers = false;
          look();
          continue;
        }
        besideOthers = isWritableByOthers();
        byte[] entry = child(reached, name);
        lstat(entry, status);
        if (!status.isSymbolicLink()) {
          reached = entry;
          continue;
        }
        if (besideOthers) {
          return false;
        }
        if (++links > MAX_LINKS) {
          throw new PosixException("readlink", directory.toString(), Errno.ELOOP);
        }
        byte[] target = target(entry);
        pushAll(left, target);
        if (target[0] == '/') {
          reached = new byte[0];
        }
        look();
      }
      return status.isDirectory() && (!besideOthers || isOwners());
    }

    private void look() throws PosixException {
      lstat(orRoot(reached), status);
    }

    /** Whether others cannot exchange a directory of root or the user in the one reached. */
    boolean isPassable() {
      return status.isDirectory()
          && isOwners()
          && (status.uid() != 0 || (status.permissions() & STICKY) != 0 || !isWritableByOthers());
    }

    private boolean isOwners() {
      return status.uid() == 0 || status.uid() == user;
    }

    /** Others than the owner, and, if that group is believed, than the group 0. */
    boolean isWritableByOthers() {
      int writable = status.permissions() & WRITABLE_BY_OTHERS;
      // With an access control list the group's bits are those of whoever is in the list.
      return writable != 0
          && !(groupOfRoot
              && writable == WRITABLE_BY_GROUP
              && status.gid() == 0
              && Files.getxattr(orRoot(reached), ACCESS_CONTROL_LIST) <= 0);
    }

    /** After the way was found to be in others' hands: whose. */
    String whoCanRedirect() throws PosixException {
      look();
      String directory = NativePath.of(orRoot(reached)).toString();
      if (!status.isDirectory()) {
        throw new PosixException("open", directory, Errno.ENOTDIR);
      }
      return isOwners()
          ? "others than root may write to " + directory
          : directory + " belongs to user " + Integer.toUnsignedString(status.uid());
    }
  }

  private static byte[] orRoot(byte[] directory) {
    return directory.length == 0 ? new byte[] {'/'} : directory;
  }

  private static void lstat(byte[] path, FileStatus status) throws PosixException {
    int result = Files.lstat(path, status);
    if (result < 0) {
      throw new PosixException("lstat", NativePath.of(path).toString(), Errno.of(-result));
    }
  }

  private static byte[] target(byte[] link) throws PosixException {
    byte[] target = new byte[MAX_TARGET];
    int length =
        PosixException.check(Files.readlink(link, target), "readlink", NativePath.of(link));
    return Arrays.copyOf(target, length);
  }

  /** Puts a path's names before those that are left; empty ones and single dots mean nothing. */
  private static void pushAll(Deque<byte[]> left, byte[] path) {
    int end = path.length;
    for (int i = path.length - 1; i >= -1; i--) {
      if (i == -1 || path[i] == '/') {
        byte[] name = Arrays.copyOfRange(path, i + 1, end);
        if (name.length > 0 && !isDots(name, 1)) {
          left.push(name);
        }
        end = i;
      }
    }
  }

  private static boolean isDots(byte[] name, int count) {
    return name.length == count && name[0] == '.' && name[count - 1] == '.';
  }

  private static byte[] child(byte[] directory, byte[] name) {
    byte[] child = Arrays.copyOf(directory, directory.length + 1 + name.length);
    child[directory.length] = '/';
    System.arraycopy(name, 0, child, directory.length + 1, name.length);
    return child;
  }

  /** The part before the last slash; nothing stands for the root. */
  private static byte[] parent(byte[] path) {
    int end = path.length;
    while (end > 0 && path[end - 1] != '/') {
      end--;
    }
    return Arrays.copyOf(path, Math.max(0, end - 1));
  }
}
