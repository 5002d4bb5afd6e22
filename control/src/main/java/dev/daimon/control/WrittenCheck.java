package dev.daimon.control;

import dev.daimon.control.ReadyCondition.Written;
import dev.daimon.forking.Descendants;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Whether a file was made or changed since the start, by a user of the daemon. */
final class WrittenCheck extends ReadyCheck {
  private static final String ATTRIBUTES = "unix:dev,ino,ctime,lastModifiedTime,size,uid";

  private final Path path;
  private final @Nullable Map<String, Object> before;

  /** The owner of a file that has changed and does not count; -1 if there is none. */
  private long foreign = -1;

  WrittenCheck(Written condition) throws IOException {
    path = condition.path();
    before = attributes(path);
  }

  private static @Nullable Map<String, Object> attributes(Path path) throws IOException {
    try {
      return Files.readAttributes(path, ATTRIBUTES);
    } catch (NoSuchFileException none) {
      return null;
    }
  }

  @Override
  boolean isReady(long main) throws IOException {
    Map<String, Object> now = attributes(path);
    if (now == null || now.equals(before)) {
      return false;
    }
    long owner = owner(now);
    if (isUserOf(main, owner)) {
      return true;
    }
    for (long pid : Descendants.list()) {
      if (isUserOf(pid, owner)) {
        return true;
      }
    }
    foreign = owner;
    return false;
  }

  private static long owner(Map<String, Object> attributes) {
    return Integer.toUnsignedLong((Integer) Objects.requireNonNull(attributes.get("uid")));
  }

  private static boolean isUserOf(long pid, long owner) {
    try {
      // The directory belongs to the effective user, or to root if the process hides its memory.
      Object user = Files.getAttribute(Path.of("/proc/" + pid), "unix:uid");
      return user instanceof Integer uid && Integer.toUnsignedLong(uid) == owner;
    } catch (IOException gone) {
      return false;
    }
  }

  @Override
  String missing(long main) throws IOException {
    if (foreign >= 0) {
      return path + " was written, but belongs to user " + foreign + ", who is not the daemon's";
    }
    return attributes(path) == null
        ? path + " does not exist"
        : path + " has not been written since the start";
  }
}
