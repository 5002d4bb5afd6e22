package dev.daimon.control;

import dev.daimon.locking.LockedFile;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The lock of a daemon that has ended, taken by another user, who may read the pidfile and so lock
 * it: it must not keep the next daemon from starting, nor a stop from its end.
 */
final class ForeignLock {
  private ForeignLock() {}

  /** Whether another user than root, this one and the file's owner has taken the lock. */
  static boolean isOn(LockedFile file) throws IOException {
    return file.stranger(0, Identity.effectiveUser(), file.owner()).isPresent();
  }

  /**
   * Whether a pidfile names no process that runs, is locked by a stranger, and lies where nobody
   * but root can exchange it: under the guard, so that no other action of this house comes in
   * between, it may be removed.
   *
   * <p>Race: a start without the guard, such as the facade's, that gets the lock from the stranger
   * in the moment of the removal finds that its file is gone, and starts anew or gives up.
   */
  static boolean isRemovable(ProbeResult sighting) throws IOException {
    LockedFile file = sighting.file();
    if (file == null || sighting.process() != null || !sighting.locked()) {
      return false;
    }
    Path directory = file.path().toAbsolutePath().getParent();
    return directory != null
        && Identity.effectiveUser() == 0
        && Ownership.isRootsAlone(directory)
        && isOn(file)
        && file.isAtPath();
  }

  /** Removes such a file, so that the next start makes a new one; false if it is none. */
  static boolean remove(ProbeResult sighting) throws IOException {
    LockedFile file = sighting.file();
    if (file == null || !isRemovable(sighting)) {
      return false;
    }
    Files.delete(file.path());
    return true;
  }
}
