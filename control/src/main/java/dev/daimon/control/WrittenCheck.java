package dev.daimon.control;

import dev.daimon.control.ReadyCondition.Written;
import dev.daimon.forking.Descendants;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.privileges.Identity;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Whether a file was made or changed since the start, by a user of the daemon. */
final class WrittenCheck extends ReadyCheck {
  private static final String ATTRIBUTES =
      "unix:dev,ino,ctime,lastModifiedTime,size,uid,isSymbolicLink";

  /** The kernel's own limit. */
  private static final int MAX_LINKS = 40;

  private final Path path;
  private final @Nullable Map<String, Object> before;

  /** Why what is at the path does not count; null if it may. */
  private @Nullable String foreign;

  WrittenCheck(Written condition) throws IOException {
    path = condition.path();
    before = target();
  }

  /** What the path leads to, over whatever links; null if that is nothing. */
  private @Nullable Map<String, Object> target() throws IOException {
    Map<String, Object> found = look(path);
    if (found == null || !isLink(found)) {
      return found;
    }
    try {
      return Files.readAttributes(path, ATTRIBUTES);
    } catch (IOException leadsNowhere) {
      // Whose link it is, is judged later.
      return null;
    }
  }

  /** What is at a path, which may be a link; null if there is nothing. */
  private static @Nullable Map<String, Object> look(Path path) throws IOException {
    try {
      return Files.readAttributes(path, ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException none) {
      return null;
    } catch (FileSystemException failure) {
      // Where the reason is missing, the exception's class says it.
      String reason =
          failure instanceof AccessDeniedException ? "permission denied" : failure.getReason();
      throw new IOException(path + " cannot be looked up: " + reason, failure);
    }
  }

  /**
   * Another user's link would lead the path to a file that the daemon writes anyway. The
   * directories on the way are not judged.
   */
  @Override
  boolean isReady(long main) throws IOException {
    foreign = null;
    Path at = path;
    for (int links = 0; links <= MAX_LINKS; links++) {
      Map<String, Object> now = look(at);
      if (now == null || now.equals(before)) {
        return false;
      }
      long owner = owner(now);
      if (!isLink(now)) {
        foreign =
            isOfDaemon(main, owner) ? null : at + " was written, but belongs to" + user(owner);
        return foreign == null;
      }
      if (owner != 0 && owner != Identity.effectiveUser() && !isOfDaemon(main, owner)) {
        foreign = at + " is a link of" + user(owner);
        return false;
      }
      Path target = target(at);
      if (target == null) {
        return false;
      }
      at = at.resolveSibling(target);
    }
    return false;
  }

  private static String user(long owner) {
    return " user " + owner + ", who is not the daemon's";
  }

  /** Where a link leads; null if it is gone. */
  private static @Nullable Path target(Path link) throws IOException {
    try {
      return Files.readSymbolicLink(link);
    } catch (NoSuchFileException | NotLinkException replaced) {
      return null;
    }
  }

  private static boolean isLink(Map<String, Object> attributes) {
    return Boolean.TRUE.equals(attributes.get("isSymbolicLink"));
  }

  private static boolean isOfDaemon(long main, long owner) throws IOException {
    if (isUserOf(main, owner)) {
      return true;
    }
    for (long pid : Descendants.list()) {
      if (isUserOf(pid, owner)) {
        return true;
      }
    }
    return false;
  }

  private static long owner(Map<String, Object> attributes) {
    return Integer.toUnsignedLong((Integer) Objects.requireNonNull(attributes.get("uid")));
  }

  private static boolean isUserOf(long pid, long owner) {
    try {
      // The directory belongs to the effective user, or to root if the process hides its memory.
      Object user = Files.getAttribute(Path.of(ProcDirectory.of(pid)), "unix:uid");
      return user instanceof Integer uid && Integer.toUnsignedLong(uid) == owner;
    } catch (IOException gone) {
      return false;
    }
  }

  @Override
  String missing(long main) throws IOException {
    if (foreign != null) {
      return foreign;
    }
    return target() == null
        ? path + " does not exist"
        : path + " has not been written since the start";
  }
}
