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
 * Changes the owner of files, and checks that other users cannot redirect a path, so that root is
 * not tricked into giving away or writing to another file.
 *
 * <p>A user who may write to a directory can replace a file in it by another one. So the owner is
 * changed through an open descriptor only, and the owner of a file that existed before is changed
 * only if nobody but root could have put it there.
 */
public final class Ownership {
  private static final int WRITABLE_BY_OTHERS = 022;
  private static final int WRITABLE_BY_GROUP = 020;
  private static final int STICKY = 01000;

  private static final byte[] ACCESS_CONTROL_LIST =
      "system.posix_acl_access".getBytes(StandardCharsets.US_ASCII);

  /** The kernel's own limit. */
  private static final int MAX_LINKS = 40;

  private static final int MAX_TARGET = 4096;

  private Ownership() {}

  /**
   * Changes the owner and group of an open file to an identity's. The owner does not change if the
   * identity has no user.
   *
   * <p>Only the owner of a regular file with exactly one link is changed. A file that the caller
   * has just created may be in any directory. An existing file must belong to root or the caller,
   * and be in a directory that {@linkplain #isRootsAlone only root can change}. Nothing is done if
   * the file has this owner and group already, or if it existed before and belongs to the
   * identity's user.
   *
   * @param descriptor the open file, opened without following a symbolic link
   * @param path the path that was opened
   * @param identity the new owner and group
   * @param justCreated whether the caller has created the file by this open ({@code O_EXCL})
   * @throws OwnershipRefusedException if the owner must not be changed
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
   * Changes the owner and group of an existing file to an identity's. The file is not opened for
   * reading or writing, and a symbolic link is not followed. The file that is checked is the one
   * that is changed, even if the path leads to another file meanwhile.
   *
   * @param path the file
   * @param identity the new owner and group
   * @throws OwnershipRefusedException as {@link #give(Descriptor, Path, Identity, boolean)}, for a
   *     file that existed before
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

  /** Returns the user id for a system call, where -1 leaves the owner as it is. */
  private static int uid(Identity identity) {
    return (int) identity.uid().orElse(-1);
  }

  /** Whether the owner has to be changed; throws if it must not be. */
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

  /** Requires that nobody but root could have put an existing file there. */
  private static void requireRoots(Path path, FileStatus file)
      throws OwnershipRefusedException, PosixException {
    int caller = Credentials.fsuid();
    if (file.uid() != 0 && file.uid() != caller) {
      throw new OwnershipRefusedException(
          path, "it belongs to user id " + Integer.toUnsignedString(file.uid()));
    }
    Path parent = NativePath.absolute(path).getParent();
    if (parent == null || !isRootsAlone(parent)) {
      throw new OwnershipRefusedException(
          path, "it was there before, and others than root may write to a directory above it");
    }
  }

  /**
   * Tells whether the calling thread may create files in a directory without the risk that they end
   * up elsewhere. Root may if {@linkplain #isRootsAlone only root can change} the directory; for
   * all others there is no risk, since the kernel limits them.
   *
   * @param directory the directory; a relative one counts from the JVM's working directory at its
   *     start
   * @return whether it may
   * @throws PosixException as {@link #isRootsAlone}
   */
  public static boolean mayMakeFilesIn(Path directory) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    return !isRoot() || isRootsAlone(directory);
  }

  /**
   * Tells whether only root can change a directory: whether nobody else can make files in it, or
   * replace it by another directory.
   *
   * <p>Every directory on the way must belong to root, and only root may write to it. Symbolic
   * links are followed, and the directories that they lead through must fulfil the same. There is
   * one exception: a sticky directory of root's, such as {@code /tmp}, is accepted on the way to
   * another directory of root's, which nobody else can rename there. The mode bits are enough for
   * this check: an access control list that lets others write shows in the group's bits.
   *
   * @param directory the directory; a relative one counts from the JVM's working directory at its
   *     start
   * @return whether only root can change it; false for anything but a directory
   * @throws PosixException if something on the way does not exist or cannot be examined, or there
   *     are more than 40 symbolic links ({@code ELOOP})
   */
  public static boolean isRootsAlone(Path directory) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    Walk walk = new Walk(0, /* groupOfRoot= */ false);
    return walk.leadsTo(directory) && walk.isPassable() && !walk.isWritableByOthers();
  }

  /**
   * Tells whether the calling thread may trust the content of a user's file in a directory, such as
   * a pidfile. The same rule applies when such a file is made and when it is read.
   *
   * <p>Root may trust it if nobody but root and that user can replace the directory, or replace a
   * file of that user's in it. So every directory on the way must belong to root or that user. A
   * directory of root's must be sticky, as {@code /tmp} is, or only root and the group 0 may write
   * to it; who may write to a directory of the user's does not matter. Symbolic links are treated
   * as in {@link #isRootsAlone}.
   *
   * <p>For callers that are not root the answer is always yes: the kernel limits whom they can
   * signal and what they can write. The same holds for "root" of a user namespace that has a single
   * user.
   *
   * @param directory the directory; a relative one counts from the JVM's working directory at its
   *     start
   * @param user the user id of the file's owner, from 0 to 4294967294
   * @return whether the caller may trust it; false if root asks about anything but a directory
   * @throws PosixException as {@link #isRootsAlone}
   * @throws IllegalArgumentException if the user id is out of range
   */
  public static boolean mayTrust(Path directory, long user) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    int owner = AccountLookup.userId(user);
    if (!isRoot()) {
      return true;
    }
    Walk walk = new Walk(owner, /* groupOfRoot= */ true);
    return (walk.leadsTo(directory) && walk.isPassable()) || isOnlyUser();
  }

  /**
   * Tells whether a directory of root's may hold files that other users have put there: whether
   * they may write to it, as to {@code /tmp}. A sticky directory is no exception: others cannot
   * change the files that are there already, but they can move a file of root's there from a
   * directory of their own.
   *
   * @param directory the directory
   * @return whether it may; false if the caller is not root, since the kernel limits what it can do
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
   * Refuses a path where a file could not be {@linkplain #mayTrust trusted} later.
   *
   * @param file the file, which may be missing
   * @param user the user id of its future owner, from 0 to 4294967294
   * @throws IOException if the path is refused, or as {@link #mayTrust}
   * @throws IllegalArgumentException as {@link #mayTrust}
   */
  public static void requireTrust(Path file, long user) throws IOException {
    Objects.requireNonNull(file, "file");
    Path directory = NativePath.absolute(file).getParent();
    if (directory == null || !mayTrust(directory, user)) {
      throw new IOException(
          file
              + " would not be trusted: others than root"
              + (user == 0 ? "" : " and user " + user)
              + " may exchange it or a directory above it");
    }
  }

  /**
   * Refuses a path that another user can redirect, by replacing a directory on the way by another
   * one or by a link. If root opened such a path, that user could make root write to any file, or
   * create one anywhere.
   *
   * <p>Every directory on the way to the file's own one must fulfil what {@link #mayTrust} requires
   * for a file of root's; so must the directories that symbolic links lead through. Others may
   * write to the file's own directory: check the file itself when it is open ({@code O_NOFOLLOW},
   * {@code fstat}).
   *
   * <p>There is no race: nobody but root can change the answer, so it still holds when the file is
   * opened. Callers that are not root are never refused: the kernel limits what they can open. The
   * same holds for "root" of a user namespace that has a single user.
   *
   * @param file the file, which may be missing; a relative path counts from the JVM's working
   *     directory at its start
   * @throws PosixException the error that opening the file would have, such as {@code ENOENT}, if a
   *     directory on the way does not exist or cannot be examined, or there are more than 40
   *     symbolic links ({@code ELOOP})
   * @throws IOException if the path is refused
   */
  public static void requireFixedPath(Path file) throws IOException {
    Objects.requireNonNull(file, "file");
    Path directory = NativePath.absolute(file).getParent();
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

  /**
   * Refuses a directory for files of a user, such as pidfiles, unless it is the user's, and nobody
   * else but root can write to it or redirect the path to it. Unlike the other checks this one
   * holds for callers that are not root, too.
   *
   * <p>Every directory on the way must belong to root or the user. A directory of root's must be
   * sticky, or only root and the group 0 may write to it. Symbolic links are treated as in {@link
   * #isRootsAlone}. In a user namespace that has a single user the way does not count.
   *
   * @param directory the directory
   * @param user the user id, from 0 to 4294967294
   * @throws PosixException if something on the way does not exist or cannot be examined
   * @throws IOException if the directory is refused; the message says why
   * @throws IllegalArgumentException if the user id is out of range
   */
  public static void requireOwn(Path directory, long user) throws IOException {
    Objects.requireNonNull(directory, "directory");
    int owner = AccountLookup.userId(user);
    Walk walk = new Walk(owner, /* groupOfRoot= */ true);
    if (!walk.leadsTo(directory)) {
      if (!isOnlyUser()) {
        throw new IOException(directory + " is not safe: " + walk.whoCanRedirect());
      }
      walk.reached = NativePath.bytes(directory);
      PosixException.check(Files.stat(walk.reached, walk.status), "stat", directory);
    }
    if (!walk.status.isDirectory()) {
      throw new PosixException("open", directory.toString(), Errno.ENOTDIR);
    }
    if (walk.status.uid() != owner) {
      throw new IOException(
          directory
              + " belongs to user "
              + Integer.toUnsignedString(walk.status.uid())
              + ", not to user "
              + user);
    }
    if (walk.isWritableByOthers()) {
      throw new IOException(directory + " is not safe: others may write to it (chmod go-w)");
    }
  }

  private static boolean isRoot() {
    return Credentials.fsuid() == 0;
  }

  /** Whether this user namespace has a single user, who is then not root outside of it. */
  private static boolean isOnlyUser() throws PosixException {
    // One line for each range: first id, first id outside, count.
    String map = ProcFiles.readRecord("/proc/self/uid_map");
    return map.endsWith(" 1\n") && map.indexOf('\n') == map.length() - 1;
  }

  /** Examines a path to a directory, one component after the other. */
  private static final class Walk {
    private final int user;

    /** Whether the group 0 is trusted as root is. */
    private final boolean groupOfRoot;

    /** The directory reached so far, without symbolic links, dots, or a slash at the end. */
    private byte[] reached = {};

    /** The status of the directory or file reached so far. */
    private final FileStatus status = new FileStatus();

    /** Whether others may write to the directory above, where the owner could rename this one. */
    private boolean besideOthers;

    Walk(int user, boolean groupOfRoot) {
      this.user = user;
      this.groupOfRoot = groupOfRoot;
    }

    /**
     * Whether the path leads to a directory that nobody but root and the user can replace. If not,
     * the walk has stopped at the directory where others can, or at what is no directory.
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

    /** Whether others cannot replace a directory of root's or the user's in the one reached. */
    boolean isPassable() {
      return status.isDirectory()
          && isOwners()
          && (status.uid() != 0 || (status.permissions() & STICKY) != 0 || !isWritableByOthers());
    }

    private boolean isOwners() {
      return status.uid() == 0 || status.uid() == user;
    }

    /** Whether others than the owner may write to it, and than the group 0 if that is trusted. */
    boolean isWritableByOthers() {
      int writable = status.permissions() & WRITABLE_BY_OTHERS;
      // With an access control list, the group's bits stand for all entries of the list.
      return writable != 0
          && !(groupOfRoot
              && writable == WRITABLE_BY_GROUP
              && status.gid() == 0
              && Files.getxattr(orRoot(reached), ACCESS_CONTROL_LIST) <= 0);
    }

    /** Says who can redirect the path, after {@link #leadsTo} has returned false. */
    String whoCanRedirect() throws PosixException {
      look();
      String directory = NativePath.of(orRoot(reached)).toString();
      if (!status.isDirectory()) {
        throw new PosixException("open", directory, Errno.ENOTDIR);
      }
      return isOwners()
          ? "others than root"
              + (user == 0 ? "" : " and user " + Integer.toUnsignedString(user))
              + " may write to "
              + directory
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

  /** Puts a path's names before those that are left, without empty names and single dots. */
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

  /** Returns the part before the last slash; an empty array stands for the root directory. */
  private static byte[] parent(byte[] path) {
    int end = path.length;
    while (end > 0 && path[end - 1] != '/') {
      end--;
    }
    return Arrays.copyOf(path, Math.max(0, end - 1));
  }
}
