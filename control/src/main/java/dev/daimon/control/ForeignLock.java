package dev.daimon.control;

import dev.daimon.locking.LockedFile;
import dev.daimon.posix.NativePath;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Detects that another user holds the lock of a daemon that has ended. A user who may read the
 * pidfile can lock it. That must not keep the next daemon from starting, nor a stop from ending.
 */
final class ForeignLock {
  private ForeignLock() {}

  /** Whether another user than root, this one and the file's owner holds the lock. */
  static boolean isOn(LockedFile file) throws IOException {
    return file.foreignHolder(0, Identity.effectiveUser(), file.owner()).isPresent();
  }

  /**
   * Whether a pidfile with such a lock may be removed: it names no process that runs, and lies in a
   * directory where root alone can exchange it. Whoever removes it holds the guard, so that no
   * other action of this module comes in between.
   *
   * <p>Race: a start without the guard, such as the facade's, may get the lock between this check
   * and the removal. It then finds that its file is gone, and starts over or gives up; but if its
   * daemon is confirmed before the removal, that daemon runs without a pidfile.
   */
  static boolean isRemovable(ProbeResult probe) throws IOException {
    LockedFile file = probe.file();
    if (file == null || probe.process() != null || !probe.locked()) {
      return false;
    }
    Path directory = NativePath.absolute(file.path()).getParent();
    return directory != null
        && Identity.effectiveUser() == 0
        && Ownership.isRootsAlone(directory)
        && isOn(file)
        && file.isAtPath();
  }

  /** Removes such a file, so that the next start makes a new one; returns whether it did. */
  static boolean remove(ProbeResult probe) throws IOException {
    LockedFile file = probe.file();
    if (file == null || !isRemovable(probe)) {
      return false;
    }
    Files.delete(NativePath.absolute(file.path()));
    return true;
  }
}
