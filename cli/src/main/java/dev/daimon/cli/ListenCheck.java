package dev.daimon.cli;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.FileAccess;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import dev.daimon.readiness.ListenAddress;
import dev.daimon.readiness.ListenSocket;
import dev.daimon.startup.ListenSockets;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.startup.TargetIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The checks on an address to listen at that {@code --dry-run} makes, and a restart before it stops
 * the daemon. A port is bound for a moment. What a daemon has that is to be restarted counts as
 * free, and so does what nobody is known to have.
 */
final class ListenCheck {
  private ListenCheck() {}

  /**
   * Checks an address.
   *
   * @param running the daemon that runs, for a restart
   */
  static void check(
      ListenAddress address, Request request, @Nullable Identity identity, OptionalLong running) {
    Path path = address.path();
    boolean mayBeTaken =
        request.stop != null
            && !(running.isPresent() && ListenSockets.isStrangers(address, running.getAsLong()));
    if (path == null) {
      ListenSockets.checkPort(address, mayBeTaken);
      return;
    }
    try {
      if (TargetIdentity.user(identity) == 0) {
        Ownership.requireFixedPath(path);
      }
      boolean locked = request.lock && request.pidFile != null;
      if (identity == null) {
        check(path, null, locked, mayBeTaken);
        return;
      }
      try {
        boolean _ =
            identity.accessFiles(() -> {
              check(path, identity, locked, mayBeTaken);
              return true;
            });
      } catch (PosixException denied) {
        Path directory = path.getParent();
        if (!denied.errno().equals(Errno.EACCES)
            || directory == null
            || !Ownership.isRootsAlone(directory)) {
          throw denied;
        }
        check(path, identity, locked, mayBeTaken);
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  private static void check(
      Path path, @Nullable Identity identity, boolean locked, boolean mayBeTaken)
      throws IOException {
    if (mayBeTaken && isSocket(path)) {
      return;
    }
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      ListenSocket.requireReplaceable(path, TargetIdentity.user(identity), locked);
    }
    Path directory = path.getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      throw new PosixException("bind", path.toString(), Errno.ENOENT);
    }
    if (!FileAccess.mayCreateIn(directory)) {
      throw new PosixException("bind", path.toString(), Errno.EACCES);
    }
  }

  private static boolean isSocket(Path path) {
    try {
      // Neither a file, a directory nor a link.
      return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .isOther();
    } catch (IOException missing) {
      return false;
    }
  }
}
