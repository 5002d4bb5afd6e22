package dev.daimon.startup;

import dev.daimon.posix.NativePath;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The files of a daemon; null for one that it does not have. A relative path becomes absolute
 * against the JVM's working directory at its start.
 *
 * @param pidFile the pidfile
 * @param lock whether the pidfile is locked; otherwise it is only written
 * @param lockFile a second file that is locked, and never written
 * @param standardOutput the file that standard output leads to
 * @param standardError the file that standard error leads to; may be the same path
 * @param truncate whether the output files are emptied first; otherwise they are appended to
 * @param rootsLocks whether root opens pidfile and lock file and keeps them, whoever the daemon's
 *     user is
 */
public record FileSet(
    @Nullable Path pidFile,
    boolean lock,
    @Nullable Path lockFile,
    @Nullable Path standardOutput,
    @Nullable Path standardError,
    boolean truncate,
    boolean rootsLocks) {

  /** Makes the paths absolute. */
  public FileSet {
    pidFile = absolute(pidFile);
    lockFile = absolute(lockFile);
    standardOutput = absolute(standardOutput);
    standardError = absolute(standardError);
  }

  /**
   * Files that all belong to the daemon's user.
   *
   * @param pidFile the pidfile
   * @param lock whether the pidfile is locked; otherwise it is only written
   * @param lockFile a second file that is locked, and never written
   * @param standardOutput the file that standard output leads to
   * @param standardError the file that standard error leads to; may be the same path
   * @param truncate whether the output files are emptied first; otherwise they are appended to
   */
  public FileSet(
      @Nullable Path pidFile,
      boolean lock,
      @Nullable Path lockFile,
      @Nullable Path standardOutput,
      @Nullable Path standardError,
      boolean truncate) {
    this(pidFile, lock, lockFile, standardOutput, standardError, truncate, /* rootsLocks= */ false);
  }

  private static @Nullable Path absolute(@Nullable Path path) {
    return path == null ? null : NativePath.absolute(path);
  }
}
