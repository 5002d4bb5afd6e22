package dev.daimon.control;

import dev.daimon.locking.Holder;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The status of a daemon at one moment.
 *
 * @param state whether the daemon runs
 * @param pidFile the pidfile
 * @param pid the process id in the pidfile, also if that process does not run
 * @param startTime when the daemon was started; empty if it does not run
 * @param uptime how long the daemon has been running; empty if it does not run
 * @param commandLine the words of its command line; none if it does not run. Bytes that are not
 *     UTF-8 are replaced
 * @param user the name of its effective user, or the user id if there is no name; empty if it does
 *     not run
 * @param holders if the daemon does not run: the processes that hold the lock all the same, such as
 *     a child of the daemon, as far as this process may see them
 * @param output the programs that were started with the daemon to read its output, as far as the
 *     start was recorded; also if they, or the daemon, have ended. Empty if the daemon itself has
 *     closed that output
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
    List<OutputReader> output,
    String reason) {
  /** Requires every object. */
  public DaemonStatus {
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(pidFile, "pidFile");
    Objects.requireNonNull(pid, "pid");
    Objects.requireNonNull(startTime, "startTime");
    Objects.requireNonNull(uptime, "uptime");
    Objects.requireNonNull(commandLine, "commandLine");
    Objects.requireNonNull(user, "user");
    Objects.requireNonNull(holders, "holders");
    Objects.requireNonNull(output, "output");
    Objects.requireNonNull(reason, "reason");
  }

  /** Whether a daemon runs. */
  public enum State {
    /** The process that the pidfile names holds the file's lock. */
    RUNNING,

    /**
     * No process holds the lock, and the daemon that the pidfile names has ended; another process
     * may have its id by now.
     */
    DEAD,

    /** There is no pidfile, or it is empty, and no process holds the lock. */
    NOT_RUNNING,

    /** It cannot be shown whether it runs; the {@linkplain DaemonStatus#reason reason} says why. */
    UNKNOWN
  }
}
