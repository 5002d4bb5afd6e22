package dev.daimon.startup;

import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.OwnDirectory;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The directories that a start makes because they are missing. A start that fails afterwards
 * {@linkplain #undo removes} them again.
 *
 * <p>Two starts may make the same directories at the same time: each takes what the other has made,
 * if it is its user's. If the one that has made a directory fails before the other has put a file
 * into it, the other one fails, too.
 *
 * <p>Not safe for use by several threads at once.
 */
public final class MadeDirectories {
  /** The permissions of a directory that is made for a file, of which the umask takes away. */
  private static final int FOR_FILES = 0755;

  private final List<Made> made = new ArrayList<>();

  /**
   * A directory that was made.
   *
   * @param path the directory
   * @param maker the identity with which it was made, and with which it is removed; null for this
   *     process' own
   */
  private record Made(Path path, @Nullable Identity maker) {}

  /** Starts without any directory. */
  public MadeDirectories() {}

  /** {@return the directories, in the order in which they were made: the outer one first} */
  public List<Path> paths() {
    List<Path> paths = new ArrayList<>(made.size());
    for (Made each : made) {
      paths.add(each.path);
    }
    return paths;
  }

  /**
   * Makes the directories above a file that are missing, for the file's future owner and with the
   * mode 0755 less the umask.
   *
   * <p>A directory is made as the user. Only where the user may not, root makes it and gives it to
   * the user, if {@linkplain Ownership#isRootsAlone only root can change} the directory above. Root
   * makes a directory of its own where nobody else can {@linkplain Ownership#requireFixedPath
   * redirect the path}.
   *
   * @param file the file
   * @param owner the identity that the file is opened as; null for this process' own
   * @throws StartException {@link StartException.Reason#FILE} if that is not possible; what was
   *     made stays until {@link #undo}
   */
  public void makeAbove(Path file, @Nullable Identity owner) {
    Objects.requireNonNull(file, "file");
    try {
      for (Path directory : missingAbove(file)) {
        // A path with dots names one directory several times.
        if (!Files.isDirectory(directory)) {
          makeFor(directory, owner);
        }
      }
    } catch (IOException failure) {
      throw notMade(file, failure);
    }
  }

  /**
   * Returns the directories that {@link #makeAbove} would make.
   *
   * @param file the file
   * @return the missing directories, the outer one first; empty if there are none
   */
  public static List<Path> missingAbove(Path file) {
    Objects.requireNonNull(file, "file");
    List<Path> missing = new ArrayList<>();
    for (Path above = NativePath.absolute(file).getParent();
        above != null && !Files.exists(above);
        above = above.getParent()) {
      missing.addFirst(above);
    }
    return missing;
  }

  /**
   * Returns the failure of a start that cannot make the directories above a file.
   *
   * @param file the file
   * @param cause what prevents it
   * @return the failure, with {@link StartException.Reason#FILE}
   */
  public static StartException notMade(Path file, IOException cause) {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(cause, "cause");
    return new StartException(
        StartException.Reason.FILE, file + ": its directory cannot be made: " + cause.getMessage());
  }

  private void makeFor(Path directory, @Nullable Identity owner) throws IOException {
    if (TargetIdentity.user(owner) == 0) {
      Ownership.requireFixedPath(directory);
    }
    long user = TargetIdentity.user(owner);
    if (owner == null) {
      makeAs(null, directory, FOR_FILES, user);
      return;
    }
    try {
      makeAs(owner, directory, FOR_FILES, user);
    } catch (PosixException denied) {
      Path above = Objects.requireNonNull(directory.getParent());
      if (!denied.errno().equals(Errno.EACCES) || !Ownership.isRootsAlone(above)) {
        throw denied;
      }
      if (makeAs(null, directory, FOR_FILES, user)) {
        OwnDirectory.give(directory, owner);
      }
    }
  }

  /**
   * Makes a directory of this process' user, and those above it that are missing, all with these
   * very permissions.
   *
   * @throws IOException if it cannot be made; or if it is there and is not the user's alone
   */
  void makeOwn(Path directory, int permissions) throws IOException {
    long user = Identity.effectiveUser();
    for (Path missing : missingAbove(directory.resolve("file"))) {
      if (makeAs(null, missing, permissions, user)) {
        OwnDirectory.setPermissions(missing, permissions);
      }
    }
    Ownership.requireOwn(directory, user);
  }

  /**
   * Judges a directory that {@link #makeOwn} would make or accept.
   *
   * @throws IOException if it would be refused
   */
  static void checkOwn(Path directory) throws IOException {
    List<Path> missing = missingAbove(directory.resolve("file"));
    if (missing.isEmpty()) {
      Ownership.requireOwn(directory, Identity.effectiveUser());
    } else {
      Ownership.requireTrust(missing.getFirst(), Identity.effectiveUser());
    }
  }

  /**
   * Makes a directory with the rights of an identity, and returns whether this call made it: if
   * not, it is a directory of root's or the user's.
   */
  private boolean makeAs(@Nullable Identity maker, Path directory, int permissions, long user)
      throws IOException {
    boolean isNew =
        maker == null
            ? OwnDirectory.make(directory, permissions)
            : maker.accessFiles(() -> OwnDirectory.make(directory, permissions));
    if (isNew) {
      made.add(new Made(directory, maker));
    } else if (Files.isSymbolicLink(directory)) {
      throw new IOException(directory + " is a symbolic link that cannot be followed");
    } else if (!OwnDirectory.isOf(directory, user)) {
      // It was missing before.
      throw new IOException(directory + " was made by another user meanwhile");
    }
    return isNew;
  }

  /**
   * Removes the directories that were made and are empty. One that cannot be removed does not keep
   * the others from it.
   *
   * @param reason why the start failed; what could not be removed is added to it as suppressed
   */
  public void undo(Throwable reason) {
    Objects.requireNonNull(reason, "reason");
    for (int i = made.size() - 1; i >= 0; i--) {
      Made each = made.get(i);
      try {
        boolean _ =
            each.maker == null
                ? OwnDirectory.removeIfEmpty(each.path)
                : each.maker.accessFiles(() -> OwnDirectory.removeIfEmpty(each.path));
      } catch (IOException | RuntimeException | Error left) {
        reason.addSuppressed(left);
      }
    }
    made.clear();
  }
}
