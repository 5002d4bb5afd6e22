package dev.daimon.control;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What there is to know of a daemon at one moment.
 *
 * @param state whether it runs
 * @param pidFile the pidfile that was looked at
 * @param pid the process id in the pidfile, also if that process does not run
 * @param startTime when the daemon was started, if it runs
 * @param uptime how long it has been running, if it does
 * @param commandLine its words, if it runs; what is not UTF-8 is replaced
 * @param user its effective user, by name or else by number, if it runs
 * @param holders if it does not run: who holds the lock all the same, such as a child that it left
 *     behind, or a stranger; those that this process may see
 * @param reason the state in words, for people
 */
public record DaemonStatus(
    State state,
    Path pidFile,
    OptionalLong pid,
    Optional<Instant> startTime,
    Optional<Duration> uptime,
    List<String> commandLine,
    Optional<String> user,
    List<Holder> holders,
    String reason) {
  /** Checks that nothing is null. */
  public DaemonStatus {
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(pidFile, "pidFile");
    Objects.requireNonNull(pid, "pid");
    Objects.requireNonNull(startTime, "startTime");
    Objects.requireNonNull(uptime, "uptime");
    Objects.requireNonNull(commandLine, "commandLine");
    Objects.requireNonNull(user, "user");
    Objects.requireNonNull(holders, "holders");
    Objects.requireNonNull(reason, "reason");
  }

  /** Whether a daemon runs. */
  public enum State {
    /** The process that the pidfile names holds the file's lock. */
    RUNNING,

    /** The pidfile names a process, and nobody holds its lock: the daemon has been killed. */
    DEAD,

    /** There is no pidfile, or it is empty, and nobody holds its lock. */
    NOT_RUNNING,

    /** It cannot be told, or not be shown; the {@linkplain DaemonStatus#reason reason} says why. */
    UNKNOWN
  }
}
