package dev.daimon.startup;

import dev.daimon.posix.NativePath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rule that each file of a start has one purpose: a log that is also the pidfile would destroy
 * it. Only standard output and standard error may share a file.
 *
 * <p>{@link #add} opens nothing, and finds a file also by another path, through links to a
 * directory or to the file. The file need not be there yet. A path that is exchanged afterwards is
 * found for output files alone, when they are open ({@link DaemonFiles#open}).
 *
 * <p>Not safe for use by several threads at once.
 */
public final class FilePurposes {
  /** As many links as the kernel follows. */
  private static final int LINKS = 40;

  private final List<Known> known = new ArrayList<>(8);

  /**
   * A file that has a purpose.
   *
   * @param path its path without links
   * @param key what tells it from all other files; null if there is no such file yet
   */
  private record Known(Purpose purpose, Path path, @Nullable Object key) {
    boolean isSame(Path otherPath, @Nullable Object otherKey) {
      return path.equals(otherPath) || (key != null && key.equals(otherKey));
    }
  }

  /**
   * One purpose of a file.
   *
   * @param name how a message names the purpose, such as an option
   * @param path the file's path
   * @param output whether it is an output file
   */
  public record Purpose(String name, Path path, boolean output) {
    /** Checks that nothing is null. */
    public Purpose {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(path, "path");
    }
  }

  /** Starts without any file. */
  public FilePurposes() {}

  /**
   * Adds a file, and returns the purpose that it already has.
   *
   * @param name how a message names the purpose, such as an option
   * @param path the file's path; null for none, which is never a conflict
   * @param output whether it is an output file: one of these may be another one, too
   * @return the first conflicting purpose; null if there is none
   */
  public @Nullable Purpose add(String name, @Nullable Path path, boolean output) {
    Objects.requireNonNull(name, "name");
    if (path == null) {
      return null;
    }
    Path real = withoutLinks(NativePath.absolute(path), LINKS);
    Object key = key(real);
    for (Known other : known) {
      if (!(output && other.purpose.output) && other.isSame(real, key)) {
        return other.purpose;
      }
    }
    known.add(new Known(new Purpose(name, path, output), real, key));
    return null;
  }

  /**
   * The path to which a path leads. What is missing at its end, or cannot be read, has no links.
   */
  private static Path withoutLinks(Path path, int links) {
    for (Path above = path.getParent(); above != null; above = above.getParent()) {
      try {
        Path real = above.toRealPath().resolve(above.relativize(path)).normalize();
        return links > 0 && Files.isSymbolicLink(real)
            ? withoutLinks(real.resolveSibling(Files.readSymbolicLink(real)), links - 1)
            : real;
      } catch (IOException missing) {
        // The one above it may be there.
      }
    }
    return path.normalize();
  }

  /** The device and the number of the file's inode. */
  private static @Nullable Object key(Path path) {
    try {
      BasicFileAttributes attributes =
          path.getFileSystem()
              .provider()
              .readAttributesIfExists(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return attributes == null ? null : attributes.fileKey();
    } catch (IOException unreadable) {
      return null;
    }
  }

  /**
   * Refuses two paths that lead to the same file. Null, and a path that leads to no file, are never
   * the same file.
   *
   * @param one the first path
   * @param two the second path
   * @param other how the message names what the second path is, such as {@code the pidfile /run/x}
   * @throws StartException {@link StartException.Reason#CONFIGURATION}
   */
  static void refuseSameFile(@Nullable Path one, @Nullable Path two, String other) {
    Objects.requireNonNull(other, "other");
    try {
      if (one != null && two != null && Files.isSameFile(one, two)) {
        throw sameFile(one, other);
      }
    } catch (IOException missing) {
      // At least one of them is not there.
      return;
    }
  }

  static StartException sameFile(Path path, String other) {
    return new StartException(
        StartException.Reason.CONFIGURATION, path + " is " + other + " by another name");
  }
}
