package dev.daimon.daemon;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.privileges.UnknownAccountException;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The user and group of a configuration, and what else it gives up. */
final class Identities {
  private Identities() {}

  /** Who the daemon is to become; null if it stays who it is. */
  static @Nullable Identity of(DaemonConfig config) {
    if (config.user == null && config.group == null) {
      return null;
    }
    try {
      Identity identity = Identity.of(config.user, config.group);
      return config.groups == null ? identity : identity.withGroups(config.groups);
    } catch (UnknownAccountException unknown) {
      throw new StartException(Reason.ACCOUNT, unknown);
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /** What the daemon gives up; null for nothing. */
  static @Nullable PrivilegeDrop drop(DaemonConfig config, @Nullable Identity identity) {
    if (identity == null && !config.hasAttributes()) {
      return null;
    }
    PrivilegeDrop.Builder builder = PrivilegeDrop.builder();
    if (identity != null) {
      builder.identity(identity);
    }
    for (ResourceLimit limit : config.resourceLimits) {
      builder.limit(limit);
    }
    if (config.niceness != null) {
      builder.niceness(config.niceness);
    }
    if (config.oomScoreAdjust != null) {
      builder.oomScoreAdjust(config.oomScoreAdjust);
    }
    if (config.noNewPrivileges) {
      builder.noNewPrivileges();
    }
    return builder.build();
  }

  /** As {@link #of}, if this process may become that; asked before anything else is done. */
  static @Nullable Identity permitted(DaemonConfig config) {
    Identity identity = of(config);
    if (identity != null) {
      try {
        boolean _ = identity.accessFiles(() -> true);
      } catch (PosixException failure) {
        boolean denied = failure.errno().equals(Errno.EPERM);
        throw new StartException(
            denied ? Reason.PERMISSION : Reason.SYSTEM,
            "cannot become "
                + identity
                + ": "
                + failure.getMessage()
                + (denied ? "; start it as root, or as that user" : ""));
      } catch (IOException failure) {
        throw new StartException(Reason.PERMISSION, failure);
      }
    }
    return identity;
  }
}
