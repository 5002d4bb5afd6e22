package dev.daimon.startup;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Which files a daemon has; null for one that it does not.
 *
 * @param pidFile the pidfile
 * @param lock whether the pidfile is locked, instead of just put in place
 * @param lockFile a second file that is locked, and never written
 * @param standardOutput where standard output goes
 * @param standardError where standard error goes; may be the same path
 * @param truncate whether the output files are emptied first; otherwise they keep what they hold
 * @param rootsLocks whether pidfile and lock file are opened by root and stay root's, whoever the
 *     daemon's user is
 */
public record FileSet(
    @Nullable Path pidFile,
    boolean lock,
    @Nullable Path lockFile,
    @Nullable Path standardOutput,
    @Nullable Path standardError,
    boolean truncate,
    boolean rootsLocks) {

  /** Files that are all the daemon's own. */
  public FileSet(
      @Nullable Path pidFile,
      boolean lock,
      @Nullable Path lockFile,
      @Nullable Path standardOutput,
      @Nullable Path standardError,
      boolean truncate) {
    this(pidFile, lock, lockFile, standardOutput, standardError, truncate, /* rootsLocks= */ false);
  }
}
