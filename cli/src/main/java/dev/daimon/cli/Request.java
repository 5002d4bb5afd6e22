package dev.daimon.cli;

import dev.daimon.control.ControlFailure;
import dev.daimon.control.DaemonControl;
import dev.daimon.control.Guard;
import dev.daimon.control.ReadyCondition;
import dev.daimon.control.StopPolicy;
import dev.daimon.posix.Capability;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.readiness.ListenAddress;
import dev.daimon.startup.NamedProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code daimon start}, {@code run} or {@code restart} was asked to do. Each value was checked
 * by itself; the initial values are the defaults.
 */
final class Request {
  /** The start of a daemon that has a name; null for one that has none. */
  @Nullable NamedStart named;

  /** Whether the program would be a name if a daemon of that name were defined. */
  boolean isUndefined;

  boolean foreground;
  @Nullable Path pidFile;
  @Nullable Path lockFile;
  boolean lock = true;
  Path directory = StartDefaults.DIRECTORY;
  int umask = StartDefaults.UMASK;
  @Nullable Path standardOutput;
  @Nullable Path standardError;

  /** The program that standard output goes to; null for a file or nothing. */
  @Nullable OutputCommand outputCommand;

  /** That of standard error; the same object if both streams share a pipe. */
  @Nullable OutputCommand errorCommand;

  /** Whether {@code SIGPIPE} has its default disposition in a program with such an output. */
  boolean sigpipe;

  /** Whether the output files are emptied first. */
  boolean truncate;

  @Nullable String user;
  @Nullable String group;

  /**
   * The group of {@code --user USER:GROUP} if {@code --group} names one as well, else null; empty
   * for the user's own group.
   */
  @Nullable String userGroup;

  /** Whether the pidfile and the lock file stay root's. */
  boolean rootsPidFile = StartDefaults.ROOTS_PIDFILE;

  /** Whether missing directories of the files are made. */
  boolean makesDirectories;

  /** Supplementary groups in place of the user's own; null for the user's own. */
  @Nullable List<String> groups;

  @Nullable Path rootDirectory;
  List<ResourceLimit> limits = List.of();
  @Nullable Integer niceness;
  @Nullable Integer oomScoreAdjust;
  boolean noNewPrivileges;

  /** The capabilities to keep; null if the option was not given. */
  @Nullable Set<Capability> keptCapabilities;

  boolean closeDescriptors = true;
  List<Integer> keptDescriptors = List.of();

  /** The addresses to listen at for the program. */
  List<ListenAddress> listen = List.of();

  /** Each as NAME=VALUE. */
  List<String> variables = List.of();

  @Nullable String programName;

  /** The guard file; null for the default, beside the pidfile. */
  @Nullable Path guard;

  /** Whether the program daemonizes itself. */
  boolean self;

  /** What shows that the program is ready; null if it need only be executed. */
  @Nullable ReadyCondition ready;

  /** The condition as it was typed, for the plan; null if there is none. */
  @Nullable String readyWords;

  /** How long the program may take until it is ready, or has daemonized itself. */
  Duration startTimeout = StartDefaults.TIMEOUT;

  /** How to stop the daemon first, for {@code restart}; null for the others. */
  @Nullable StopPolicy stop;

  /** Whether a restart stops the old daemon only when the new one is ready. */
  boolean overlap;

  /** Whether a pidfile that nobody has locked is trusted. */
  boolean pidOnly;

  boolean verbose;
  boolean dryRun;

  /** Whether a daemon that runs already counts as started. */
  boolean okIfRunning;

  /** The program and its arguments; not empty. */
  List<String> command = List.of();

  /** Whether the program gives up more than its user and groups. */
  boolean hasDrop() {
    return rootDirectory != null
        || niceness != null
        || oomScoreAdjust != null
        || noNewPrivileges
        || keptCapabilities != null;
  }

  /** Whether the program gets a descriptor under this number that is not the caller's. */
  boolean places(int number) {
    return ready instanceof ReadyCondition.Newline newline && newline.descriptor() == number;
  }

  /** Whether an output goes through a pipe to a program. */
  boolean hasReaders() {
    return outputCommand != null || errorCommand != null;
  }

  /** The user and group to become, for messages. */
  String account() {
    String userPart = user == null ? "" : "user " + Text.readable(user);
    String groupPart = group == null ? "" : "group " + Text.readable(group);
    return userPart + (userPart.isEmpty() || groupPart.isEmpty() ? "" : ", ") + groupPart;
  }

  /** The control of the daemon that has this pidfile. */
  DaemonControl control(Path pidFile) {
    return RequestedDaemon.control(pidFile, guard, pidOnly);
  }

  /**
   * Refuses to start while the process that the pidfile names may be the daemon, though nobody
   * holds the pidfile's lock.
   */
  void requireReplaceable(NamedProcess named) {
    if (pidFile == null || named.pid() == 0) {
      return;
    }
    try {
      control(pidFile).requireReplaceable(named.pid(), named.owner());
    } catch (IOException failure) {
      throw ControlFailure.of(failure);
    }
  }

  /** The guard file of this start; null if the pidfile is not locked. */
  @Nullable Path guardFile() {
    if (pidFile == null || !lock) {
      return null;
    }
    return guard == null ? Guard.beside(pidFile) : guard;
  }
}
