package dev.daimon.cli;

import dev.daimon.readiness.ListenAddress;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Puts the option that names a path in front of the message of an error about that path. */
final class PathOptions {
  private final String message;
  private @Nullable CommandOption option;
  private int length;

  private PathOptions(String message) {
    this.message = message;
  }

  /** The failure with the option in its message; unchanged if it is not one of a file or a call. */
  static StartException named(StartException failure, Request request) {
    PathOptions options = new PathOptions(String.valueOf(failure.getMessage()));
    options.match(CommandOption.PIDFILE, request.pidFile);
    options.match(CommandOption.LOCK, request.lockFile);
    options.match(CommandOption.STDOUT, request.standardOutput);
    options.match(CommandOption.STDERR, request.standardError);
    options.match(CommandOption.CHROOT, request.rootDirectory);
    options.match(CommandOption.CHDIR, request.directory);
    options.match(CommandOption.GUARD, request.guardFile());
    for (ListenAddress address : request.listen) {
      Path path = address.path();
      options.match(CommandOption.LISTEN, path == null ? Path.of(address.toString()) : path);
    }
    return options.named(failure);
  }

  /** As {@link #named(StartException, Request)}, for a command that takes no program. */
  static StartException named(StartException failure, CommandLine line) {
    PathOptions options = new PathOptions(String.valueOf(failure.getMessage()));
    options.match(CommandOption.PIDFILE, line.pidFile());
    options.match(CommandOption.GUARD, line.path(CommandOption.GUARD));
    return options.named(failure);
  }

  private StartException named(StartException failure) {
    Reason reason = failure.reason();
    boolean ofPath = reason == Reason.FILE || reason == Reason.SYSTEM;
    return option == null || !ofPath
        ? failure
        : new StartException(reason, option + ": " + message);
  }

  /** The option with the longest path wins; of several with the same path, the first one. */
  private void match(CommandOption candidate, @Nullable Path path) {
    String text = path == null ? "" : path.toString();
    if (text.length() <= length) {
      return;
    }
    for (int i = message.indexOf(text); i >= 0; i = message.indexOf(text, i + 1)) {
      int end = i + text.length();
      if ((i == 0 || message.charAt(i - 1) == ' ')
          && (end == message.length() || " :;,".indexOf(message.charAt(end)) >= 0)) {
        option = candidate;
        length = text.length();
        return;
      }
    }
  }
}
