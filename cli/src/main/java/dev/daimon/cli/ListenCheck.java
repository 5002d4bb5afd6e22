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
import org.jspecify.annotations.Nullable;

/**
 * The checks on an address to listen at that {@code --dry-run} makes, and a restart before it stops
 * the daemon. A port is bound for a moment. What a daemon has that is to be restarted counts as
 * free.
 */
final class ListenCheck {
  private ListenCheck() {}

  static void check(ListenAddress address, Request request, @Nullable Identity identity) {
    Path path = address.path();
    boolean restart = request.stop != null;
    if (path == null) {
      ListenSockets.checkPort(address, /* taken= */ restart);
      return;
    }
    try {
      if (TargetIdentity.user(identity) == 0) {
        Ownership.requireFixedPath(path);
      }
      boolean locked = request.lock && request.pidFile != null;
      if (identity == null) {
        check(path, null, locked, restart);
        return;
      }
      try {
        boolean _ =
            identity.accessFiles(() -> {
              check(path, identity, locked, restart);
              return true;
            });
      } catch (PosixException denied) {
        Path directory = path.getParent();
        if (!denied.errno().equals(Errno.EACCES)
            || directory == null
            || !Ownership.isRootsAlone(directory)) {
          throw denied;
        }
        check(path, identity, locked, restart);
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  private static void check(Path path, @Nullable Identity identity, boolean locked, boolean restart)
      throws IOException {
    if (restart && isSocket(path)) {
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
