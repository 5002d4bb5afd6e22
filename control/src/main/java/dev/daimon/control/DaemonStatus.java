package dev.daimon.control;

import dev.daimon.locking.Holder;
import dev.daimon.posix.VisibleText;
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
 *     start was recorded; also if they, or the daemon, have ended. Without a pidfile those that run
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
  private static final int DAY = 24 * 60 * 60;

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

  /**
   * The status of a daemon whose pidfile or process cannot be read.
   *
   * @param pidFile the pidfile
   * @param reason why, in words
   * @return a status with the state {@link State#UNKNOWN}, and nothing else
   */
  public static DaemonStatus unknown(Path pidFile, String reason) {
    return new DaemonStatus(
        State.UNKNOWN,
        pidFile,
        OptionalLong.empty(),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        Optional.empty(),
        List.of(),
        List.of(),
        reason);
  }

  /**
   * {@return one line for people: the reason, the user, the uptime, the command line, and what does
   * not read the output any more, or still does}
   */
  public String line() {
    StringBuilder line = new StringBuilder(reason());
    if (user().isPresent()) {
      line.append(", user ").append(user().get());
    }
    if (uptime().isPresent()) {
      line.append(", up ").append(time(uptime().get()));
    }
    if (!commandLine().isEmpty()) {
      // Some programs overwrite their command line, and pad it with spaces.
      line.append(": ").append(String.join(" ", commandLine()).stripTrailing());
    }
    for (OutputReader reader : output) {
      if (!reader.running() && state == State.RUNNING) {
        line.append("; output: ").append(reader.command()).append(" has ended");
      } else if (reader.running() && state != State.RUNNING) {
        line.append("; output: ").append(reader.command());
        line.append(", process ").append(reader.pid()).append(", still reads");
      }
    }
    return VisibleText.line(line.toString());
  }

  /** Such as {@code "2 days 3:04:05"}. */
  private static String time(Duration duration) {
    long seconds = duration.toSeconds();
    StringBuilder text = new StringBuilder();
    if (seconds >= DAY) {
      text.append(seconds / DAY).append(seconds < 2 * DAY ? " day " : " days ");
    }
    text.append(seconds % DAY / 3600);
    twoDigits(text, seconds % 3600 / 60);
    twoDigits(text, seconds % 60);
    return text.toString();
  }

  private static void twoDigits(StringBuilder text, long number) {
    text.append(number < 10 ? ":0" : ":").append(number);
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
