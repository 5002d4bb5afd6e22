package dev.daimon.control;

import dev.daimon.locking.LockedFile;
import dev.daimon.locking.NotRegularFileException;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the probes of one list have in common, since their pidfiles are in one directory: it is
 * found out once. For a short time, and safe for use by several threads.
 */
final class ListScope implements AutoCloseable {
  /** How long pidfiles are examined, in ns: a user can make that long, for each of them. */
  private static final long TIME = 30_000_000_000L;

  private final long begin = System.nanoTime();
  private final Map<Long, Boolean> trusted = new HashMap<>();
  private final Map<Long, String> users = new HashMap<>();

  /** The first pidfile, kept open so that its mount stays; null before. */
  private @Nullable LockedFile first;

  /** Whether the time is over. */
  boolean isLate() {
    return System.nanoTime() - begin > TIME;
  }

  /** Opens a pidfile, as {@link LockedFile#open} does. */
  Optional<LockedFile> open(Path pidFile) throws PosixException, NotRegularFileException {
    LockedFile known = first(pidFile);
    return known == null ? Optional.empty() : known.openOther(pidFile);
  }

  private synchronized @Nullable LockedFile first(Path pidFile)
      throws PosixException, NotRegularFileException {
    if (first == null) {
      first = LockedFile.open(pidFile).orElse(null);
    }
    return first;
  }

  /** See {@link Ownership#mayTrust}; the directory is the same each time. */
  synchronized boolean mayTrust(Path directory, long owner) throws PosixException {
    Boolean known = trusted.get(owner);
    if (known == null) {
      known = Ownership.mayTrust(directory, owner);
      trusted.put(owner, known);
    }
    return known;
  }

  /** The name of a user, or the number if there is none. */
  synchronized String userName(long uid) throws PosixException {
    String known = users.get(uid);
    if (known == null) {
      known = Identity.userName(uid).orElse(Long.toString(uid));
      users.put(uid, known);
    }
    return known;
  }

  @Override
  public synchronized void close() throws PosixException {
    if (first != null) {
      first.close();
    }
  }
}
