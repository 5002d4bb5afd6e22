package dev.daimon.cli;

import dev.daimon.control.DaemonControl;
import dev.daimon.control.Guard;
import dev.daimon.control.StopPolicy;
import dev.daimon.posix.Capability;
import dev.daimon.posix.ResourceLimit;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code daimon start}, {@code run} or {@code restart} was asked for; every value is checked
 * by itself.
 */
final class Request {
  boolean foreground;
  @Nullable Path pidFile;
  @Nullable Path lockFile;
  boolean lock = true;
  Path directory = Path.of("/");
  int umask = 022;
  @Nullable Path standardOutput;
  @Nullable Path standardError;

  /** Whether the output files are emptied first. */
  boolean truncate;

  @Nullable String user;
  @Nullable String group;

  /** The group that came with the user, where another option names one as well; empty: its own. */
  @Nullable String userGroup;

  /** Whether the pidfile and the lock file stay root's. */
  boolean rootsPidFile;

  /** Supplementary groups instead of the user's own; null for those. */
  @Nullable List<String> groups;

  @Nullable Path rootDirectory;
  List<ResourceLimit> limits = List.of();
  @Nullable Integer niceness;
  @Nullable Integer oomScoreAdjust;
  boolean noNewPrivileges;

  /** Null if they are left to the kernel. */
  @Nullable Set<Capability> keptCapabilities;

  boolean closeDescriptors = true;
  List<Integer> keptDescriptors = List.of();

  /** Each as NAME=VALUE. */
  List<String> variables = List.of();

  @Nullable String programName;

  /** Null for the one beside the pidfile. */
  @Nullable Path guard;

  /** Whether the program daemonizes itself. */
  boolean self;

  Duration startTimeout = Duration.ZERO;

  /** How to stop the daemon first, for {@code restart}; null for the others. */
  @Nullable StopPolicy stop;

  /** Whether the daemon that is to be stopped locks nothing. */
  boolean pidOnly;

  boolean verbose;
  boolean dryRun;

  /** Whether it is success that the daemon runs already. */
  boolean okIfRunning;

  /** The program and its arguments; not empty. */
  List<String> command = List.of();

  /** Whether the program is to give up more than a user and a group. */
  boolean hasDrop() {
    return rootDirectory != null
        || niceness != null
        || oomScoreAdjust != null
        || noNewPrivileges
        || keptCapabilities != null;
  }

  /** The control of the daemon whose pidfile this is. */
  DaemonControl control(Path pidFile) {
    DaemonControl control = DaemonControl.of(pidFile);
    control = guard == null ? control : control.guard(guard);
    return pidOnly ? control.pidOnly() : control;
  }

  /** The guard that is taken; null if there is no pidfile that is locked. */
  @Nullable Path guardFile() {
    if (pidFile == null || !lock) {
      return null;
    }
    return guard == null ? Guard.beside(pidFile) : guard;
  }
}
