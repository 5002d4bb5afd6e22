package dev.daimon.control;

import dev.daimon.posix.NativePath;
import dev.daimon.privileges.Identity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/** The users whose guard files count. */
final class GuardOwner {
  private GuardOwner() {}

  /** Whether a guard file of this owner counts: root's, the caller's, the pidfile owner's. */
  static boolean isTrusted(long owner, long pidFileOwner) {
    return owner == 0 || owner == pidFileOwner || owner == Identity.effectiveUser();
  }

  /**
   * Refuses the guard file of another user. In a sticky directory every user can make one, and
   * delay all actions with it.
   */
  static void requireTrusted(Path guardFile, long owner, Path pidFile)
      throws ForeignGuardException {
    // The pidfile's owner last: that takes longest.
    if (!isTrusted(owner, 0) && !isTrusted(owner, ofPidFile(pidFile))) {
      throw new ForeignGuardException(guardFile, owner);
    }
  }

  /** The owner of the pidfile; if there is none, of its directory, who could make one. */
  static long ofPidFile(Path pidFile) {
    Path file = NativePath.absolute(pidFile);
    Path directory = file.getParent();
    try {
      return uid(
          directory == null || Files.exists(file, LinkOption.NOFOLLOW_LINKS) ? file : directory);
    } catch (IOException unseen) {
      return 0;
    }
  }

  private static long uid(Path file) throws IOException {
    Object uid = Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    return Integer.toUnsignedLong((Integer) uid);
  }
}
