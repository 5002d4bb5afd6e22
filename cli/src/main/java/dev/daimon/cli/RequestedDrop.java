package dev.daimon.cli;

import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.privileges.RootDirectoryException;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The privileges that the program of a request gives up. */
final class RequestedDrop {
  private RequestedDrop() {}

  /**
   * Builds the drop, and tries it: what this process may not do fails here, before anything was
   * changed.
   *
   * @param identity the user to become, or null
   * @return the drop; null if there is nothing to give up
   */
  static @Nullable PrivilegeDrop of(Request request, @Nullable Identity identity) {
    try {
      for (ResourceLimit limit : request.limits) {
        ThisProcess.allow(limit);
      }
      if (identity == null && !request.hasDrop()) {
        return null;
      }
      PrivilegeDrop drop = build(request, identity);
      if (request.hasDrop()) {
        boolean _ = drop.start(_ -> true);
      }
      return drop;
    } catch (RootDirectoryException unusable) {
      throw new StartException(Reason.SYSTEM, unusable);
    } catch (PosixException failure) {
      boolean denied = failure.errno().equals(Errno.EPERM) || failure.errno().equals(Errno.EACCES);
      throw new StartException(denied ? Reason.PERMISSION : Reason.SYSTEM, failure);
    } catch (IOException failure) {
      throw new StartException(Reason.PERMISSION, failure);
    }
  }

  private static PrivilegeDrop build(Request request, @Nullable Identity identity) {
    PrivilegeDrop.Builder builder = PrivilegeDrop.builder();
    if (identity != null) {
      builder.identity(identity);
    }
    if (request.rootDirectory != null) {
      builder.rootDirectory(request.rootDirectory);
    }
    if (request.niceness != null) {
      builder.niceness(request.niceness);
    }
    if (request.oomScoreAdjust != null) {
      builder.oomScoreAdjust(request.oomScoreAdjust);
    }
    if (request.noNewPrivileges) {
      builder.noNewPrivileges();
    }
    if (request.keptCapabilities != null) {
      builder.keepCapabilities(request.keptCapabilities);
    }
    return builder.build();
  }
}
