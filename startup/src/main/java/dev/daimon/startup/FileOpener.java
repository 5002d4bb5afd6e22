package dev.daimon.startup;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Opens files for the target user, and takes that back if the program does not start.
 *
 * <p>With a target user a file is opened <em>as that user</em>, so nobody can make root open what
 * the user could not. Only where the user may not, root opens it, if nobody but root can change
 * anything on the way there; the file then changes owner, once all files are open. Root's own files
 * are opened where nobody else can {@linkplain Ownership#requireFixedPath redirect the path}.
 */
final class FileOpener {
  private final @Nullable Identity identity;

  /** The steps that take back what was done, in the order in which it was done. */
  private final List<IoAction> undo = new ArrayList<>();

  /** The descriptors that a release closes. */
  private final List<Descriptor> opened = new ArrayList<>();

  /** The directory that was checked last: nobody but root can redirect a path to it. */
  private @Nullable Path fixed;

  /** The files that root has opened, and that are to become the target user's. */
  private final List<PendingChown> pendingChowns = new ArrayList<>();

  FileOpener(@Nullable Identity identity) {
    this.identity = identity;
  }

  /** Something done to a file. */
  interface IoAction {
    void run() throws IOException;
  }

  /** An open file; {@code asTarget} if it was opened, and is to be changed, as the target user. */
  static final class Opened<T> {
    final T file;
    final boolean asTarget;

    Opened(T file, boolean asTarget) {
      this.file = file;
      this.asTarget = asTarget;
    }
  }

  /**
   * Opens a file, as the target user if there is one and it may.
   *
   * @throws IOException if neither may
   */
  <T> Opened<T> open(Path path, FileKind<T> kind) throws IOException {
    // Where a group alone changes, root stays root.
    if (TargetIdentity.user(identity) == 0) {
      requireFixed(path);
    }
    if (identity == null) {
      return opened(kind.open(path), kind, false);
    }
    try {
      return opened(identity.accessFiles(() -> kind.open(path)), kind, true);
    } catch (PosixException denied) {
      requireRootsAlone(path, denied);
    }
    T file = kind.open(path);
    if (kind.isGiven()) {
      pendingChowns.add(new PendingChown(path, kind.descriptor(file)));
    }
    return opened(file, kind, false);
  }

  /** Checks each directory once: nobody but root can change the answer. */
  private void requireFixed(Path path) throws IOException {
    Path directory = path.getParent();
    if (directory == null || !directory.equals(fixed)) {
      Ownership.requireFixedPath(path);
      fixed = directory;
    }
  }

  /**
   * Opens a file that is root's and stays so.
   *
   * @throws IOException if others than root can change anything on the way there, or root may not
   */
  <T> Opened<T> openAsRoot(Path path, FileKind<T> kind) throws IOException {
    Path directory = path.getParent();
    if (directory == null || !Ownership.isRootsAlone(directory)) {
      throw new IOException(path + " cannot stay root's: " + directory + " is not root's alone");
    }
    return opened(kind.open(path), kind, false);
  }

  private <T> Opened<T> opened(T file, FileKind<T> kind, boolean asTarget) {
    undo.add(new TakeBack<>(kind, file, asTarget));
    opened.add(kind.descriptor(file));
    return new Opened<>(file, asTarget);
  }

  /** A class, not a lambda: every start makes these, also without the AOT cache. */
  private final class TakeBack<T> implements IoAction {
    private final FileKind<T> kind;
    private final T file;
    private final boolean asTarget;

    TakeBack(FileKind<T> kind, T file, boolean asTarget) {
      this.kind = kind;
      this.file = file;
      this.asTarget = asTarget;
    }

    @Override
    public void run() throws IOException {
      // Closed, and so unlocked, also if there is no thread to act as the target user.
      try (Descriptor _ = kind.descriptor(file)) {
        if (asTarget) {
          runAs(true, () -> kind.undo(file));
        } else {
          kind.undo(file);
        }
      }
    }
  }

  private static void requireRootsAlone(Path path, PosixException denied) throws IOException {
    Errno errno = denied.errno();
    Path directory = path.getParent();
    boolean forbidden = errno.equals(Errno.EACCES) || errno.equals(Errno.EPERM);
    if (!forbidden || directory == null) {
      throw denied;
    }
    if (!Ownership.isRootsAlone(directory)) {
      throw new IOException(
          denied.getMessage()
              + " for the user, and root opens nothing where others can interfere: "
              + directory
              + " is not root's alone");
    }
  }

  /** Runs a step with the rights with which a file was opened. */
  void runAs(boolean target, IoAction step) throws IOException {
    if (target && identity != null) {
      boolean _ =
          identity.accessFiles(() -> {
            step.run();
            return true;
          });
    } else {
      step.run();
    }
  }

  /** The files that root has opened. */
  List<PendingChown> pendingChowns() {
    return pendingChowns;
  }

  /** Gives the files that root has opened to the target user. */
  void applyPendingChowns() throws IOException {
    if (identity != null) {
      for (PendingChown pending : pendingChowns) {
        pending.apply(identity);
      }
    }
  }

  /** Adds a step to take back; it is taken before those that were added earlier. */
  void onUndo(IoAction step) {
    undo.add(step);
  }

  /** Closes all files, also if one of them fails, and forgets the steps to take back. */
  void release() throws PosixException {
    undo.clear();
    PosixException failure = null;
    for (Descriptor descriptor : opened) {
      try {
        descriptor.close();
      } catch (PosixException notStored) {
        failure = Cleanup.first(failure, notStored);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Takes back all steps, the last one first, and returns the failures. */
  List<Throwable> undo() {
    List<Throwable> left = new ArrayList<>();
    for (int i = undo.size() - 1; i >= 0; i--) {
      try {
        undo.get(i).run();
      } catch (IOException | RuntimeException | Error failure) {
        left.add(failure);
      }
    }
    undo.clear();
    return left;
  }
}
