package dev.daimon.daemon;

import dev.daimon.daemon.DaemonizeException.Reason;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.UnknownAccountException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The user and group of a configuration. */
final class Identities {
  private Identities() {}

  /** Who the daemon is to become; null if it stays who it is. */
  static @Nullable Identity of(DaemonConfig config) {
    if (config.user == null && config.group == null) {
      return null;
    }
    try {
      return Identity.of(config.user, config.group);
    } catch (UnknownAccountException unknown) {
      throw new DaemonizeException(Reason.ACCOUNT, unknown);
    } catch (PosixException failure) {
      throw new DaemonizeException(Reason.SYSTEM, failure);
    }
  }

  /** As {@link #of}, if this process may become that; asked before anything else is done. */
  static @Nullable Identity permitted(DaemonConfig config) {
    Identity identity = of(config);
    if (identity != null) {
      try {
        boolean _ = identity.call(() -> true);
      } catch (PosixException failure) {
        boolean denied = failure.errno().equals(Errno.EPERM);
        throw new DaemonizeException(
            denied ? Reason.PERMISSION : Reason.SYSTEM,
            "cannot become "
                + identity
                + ": "
                + failure.getMessage()
                + (denied ? "; start it as root, or as that user" : ""));
      } catch (IOException failure) {
        throw new DaemonizeException(Reason.PERMISSION, failure);
      }
    }
    return identity;
  }
}
