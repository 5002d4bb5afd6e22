package dev.daimon.startup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rule that each file of a start has one purpose: a log that is also the pidfile would destroy
 * it. Only standard output and standard error may share a file.
 *
 * <p>{@link #add} compares paths as text, before anything is opened. {@link #refuseSameFile} asks
 * the file system, and so finds hard links and linked directories too.
 *
 * <p>Not safe for use by several threads at once.
 */
public final class FilePurposes {
  private final List<Purpose> purposes = new ArrayList<>(5);

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
   * Adds a file, and returns the purpose that its path already has.
   *
   * @param name how a message names the purpose, such as an option
   * @param path the file's path; null for none, which is never a conflict
   * @param output whether it is an output file: one of these may share the path of another
   * @return the first conflicting purpose; null if there is none
   */
  public @Nullable Purpose add(String name, @Nullable Path path, boolean output) {
    Objects.requireNonNull(name, "name");
    if (path == null) {
      return null;
    }
    Path normal = path.normalize();
    for (Purpose other : purposes) {
      if (!(output && other.output) && normal.equals(other.path.normalize())) {
        return other;
      }
    }
    purposes.add(new Purpose(name, path, output));
    return null;
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
  public static void refuseSameFile(@Nullable Path one, @Nullable Path two, String other) {
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
