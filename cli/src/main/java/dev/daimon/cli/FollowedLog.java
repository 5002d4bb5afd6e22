package dev.daimon.cli;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The log at a path, through rotations: if the path leads to another file, the rest of the old one
 * is printed, and then the new one. The daemon may write to the old one until it opens the new one;
 * so the old one stays open until the next rotation. For one thread.
 */
final class FollowedLog implements AutoCloseable {
  private final Path path;
  private final LogPrinter.Log output;
  private @Nullable OpenLog current;
  private @Nullable OpenLog previous;

  FollowedLog(Path path, LogPrinter printer) {
    this.path = path;
    output = printer.new Log(path);
  }

  Path path() {
    return path;
  }

  /** The path that the log has without links, in whose directory it changes. */
  Path realPath() {
    return current == null ? path : current.path();
  }

  /**
   * Opens the log, and passes over all but the last lines.
   *
   * @return whether there is one
   */
  boolean open(long lines) throws IOException {
    current = openFile();
    if (current != null) {
      current.skipTo(lines);
    }
    return current != null;
  }

  /** Prints what was written since the last time, to any of the files. */
  void print() throws IOException {
    if (previous != null) {
      previous.print(output);
    }
    if (current != null) {
      current.print(output);
    }
    OpenLog next = next();
    if (next == null) {
      return;
    }
    OpenLog old = current;
    current = next;
    if (old != null) {
      // What was written after it was read above, and before it was replaced.
      old.print(output);
      try (OpenLog _ = previous) {
        previous = old;
      }
    }
    next.print(output);
  }

  /** The file that has replaced the current one; null if none has. */
  private @Nullable OpenLog next() throws IOException {
    return current != null && current.path().equals(resolved()) && current.isAtPath()
        ? null
        : openFile();
  }

  private @Nullable OpenLog openFile() throws IOException {
    Path file = resolved();
    if (file == null) {
      return null;
    }
    try {
      Ownership.requireFixedPath(file);
      return OpenLog.at(file);
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ENOENT)) {
        return null;
      }
      throw failure;
    }
  }

  /** The path of the file itself; null if there is none. Root follows no link that is a log. */
  private @Nullable Path resolved() throws IOException {
    if (Identity.effectiveUser() == 0) {
      return path;
    }
    try {
      return path.toRealPath();
    } catch (NoSuchFileException none) {
      return null;
    } catch (AccessDeniedException failure) {
      // Its message is the path alone.
      throw new PosixException("open", path.toString(), Errno.EACCES);
    }
  }

  @Override
  public void close() throws IOException {
    try (OpenLog _ = previous;
        OpenLog _ = current) {
      return;
    }
  }
}
