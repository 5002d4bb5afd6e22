package dev.daimon.cli;

import dev.daimon.control.DaemonRegistry;
import dev.daimon.control.DaemonStatus;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.ListedDaemon;
import dev.daimon.forking.StandardStream;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.startup.TargetIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** {@code daimon list}: a table of the daemons that have a name, or a JSON array of them. */
final class ListCommand {
  private final Terminal terminal = new Terminal(false);
  private final CommandLine line;

  private ListCommand(CommandLine line) {
    this.line = line;
  }

  /** Runs the command, and returns its exit code. */
  static int run(CommandLine line) {
    if (!line.words().isEmpty()) {
      throw line.usage("unexpected word: \"" + Text.readable(line.words().get(0)) + "\"");
    }
    new ListCommand(line).run();
    return 0;
  }

  private void run() {
    DaemonDirectories directories = directories();
    try {
      if (line.has(CommandOption.JSON)) {
        json(DaemonRegistry.of(directories));
      } else if (!table(DaemonRegistry.of(directories))) {
        terminal.error("no daemon is defined in " + directories.definitions() + ", and none runs");
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /** Those of this user, or of the one that is named. */
  private DaemonDirectories directories() {
    String user = line.value(CommandOption.OF_USER);
    if (user == null) {
      return DaemonDirectories.ofCaller();
    }
    String name = Text.readable(user);
    Identity identity = Objects.requireNonNull(TargetIdentity.resolve(name, null, null));
    long caller = Identity.effectiveUser();
    if (TargetIdentity.user(identity) == caller) {
      return DaemonDirectories.ofCaller();
    }
    if (caller != 0) {
      throw new StartException(
          Reason.PERMISSION, "only root can list the daemons of another user, " + name);
    }
    return DaemonDirectories.ofUser(name);
  }

  private void json(DaemonRegistry registry) throws IOException {
    ListJson json = new ListJson(terminal);
    registry.list(daemon -> json.add(byItsOptions(daemon)));
    json.end();
  }

  /** One that is unknown may lock nothing, or have its record in another guard file. */
  private static ListedDaemon byItsOptions(ListedDaemon daemon) {
    if (daemon.status().state() != State.UNKNOWN
        || daemon.status().pid().isEmpty()
        || !Files.exists(daemon.daemon().pidFile(), LinkOption.NOFOLLOW_LINKS)) {
      return daemon;
    }
    try {
      RequestedDaemon requested = new RequestedDaemon(daemon.daemon());
      Definition options = requested.optionsOf(daemon.status().pid().getAsLong());
      if (options == null
          || !(options.has(CommandOption.PID_ONLY.word())
              || options.has(CommandOption.GUARD.word()))) {
        return daemon;
      }
      DaemonStatus status = requested.control(options).status();
      return new ListedDaemon(daemon.daemon(), daemon.defined(), status, memory(status));
    } catch (IOException | StartException unusable) {
      return daemon;
    }
  }

  /** The resident set of a daemon's process; empty if it does not run any more, or is hidden. */
  private static OptionalLong memory(DaemonStatus status) {
    if (status.startTime().isPresent()) {
      try (PidFd process = PidFd.open(status.pid().orElseThrow())) {
        ProcessInfo info = process.info();
        if (info.startTime().equals(status.startTime().get())) {
          return OptionalLong.of(info.memory());
        }
      } catch (PosixException ended) {
        return OptionalLong.empty();
      }
    }
    return OptionalLong.empty();
  }

  /** Whether there is a daemon to print. */
  private boolean table(DaemonRegistry registry) throws IOException {
    ListTable table = new ListTable(terminal, width());
    registry.list(daemon -> table.add(byItsOptions(daemon)));
    return table.end();
  }

  /** How many columns a line may have. */
  private static int width() {
    String columns = System.getenv("COLUMNS");
    if (columns != null) {
      try {
        int width = Integer.parseInt(columns);
        if (width > 0) {
          return width;
        }
      } catch (NumberFormatException none) {
        // As if it were not set.
      }
    }
    OptionalInt width = StandardStream.OUTPUT.columns();
    return width.isPresent() ? width.getAsInt() : Integer.MAX_VALUE;
  }
}
