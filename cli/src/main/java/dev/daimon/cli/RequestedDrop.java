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
      allowLimits(request);
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
      throw isDenied(failure)
          ? denied(refused(request), failure)
          : new StartException(Reason.SYSTEM, failure);
    } catch (IOException failure) {
      throw new StartException(Reason.PERMISSION, failure);
    }
  }

  private static void allowLimits(Request request) throws PosixException {
    for (ResourceLimit limit : request.limits) {
      try {
        ThisProcess.allow(limit);
      } catch (PosixException failure) {
        if (isDenied(failure)) {
          throw denied(CommandOption.RLIMIT, failure);
        }
        throw failure;
      }
    }
  }

  private static boolean isDenied(PosixException failure) {
    return failure.errno().equals(Errno.EPERM) || failure.errno().equals(Errno.EACCES);
  }

  private static StartException denied(@Nullable CommandOption option, PosixException failure) {
    String place = option == null ? "" : option + ": ";
    return new StartException(Reason.PERMISSION, place + failure.getMessage());
  }

  /** The option that is refused by itself, so that a message can name it; null if none is. */
  private static @Nullable CommandOption refused(Request request) {
    if (request.rootDirectory != null
        && isRefused(PrivilegeDrop.builder().rootDirectory(request.rootDirectory))) {
      return CommandOption.CHROOT;
    }
    if (request.niceness != null && isRefused(PrivilegeDrop.builder().niceness(request.niceness))) {
      return CommandOption.NICE;
    }
    if (request.oomScoreAdjust != null
        && isRefused(PrivilegeDrop.builder().oomScoreAdjust(request.oomScoreAdjust))) {
      return CommandOption.OOM_SCORE_ADJ;
    }
    return request.keptCapabilities != null
            && isRefused(PrivilegeDrop.builder().keepCapabilities(request.keptCapabilities))
        ? CommandOption.KEEP_CAP
        : null;
  }

  private static boolean isRefused(PrivilegeDrop.Builder drop) {
    try {
      return !drop.build().start(_ -> true);
    } catch (IOException refused) {
      return true;
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
