package dev.daimon.cli;

import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Puts the option that has named a path before an error about that path. */
final class PathOptions {
  private final String message;
  private @Nullable String option;
  private int length;

  private PathOptions(String message) {
    this.message = message;
  }

  /** A failure with the option in its message; others than of files and calls as they are. */
  static StartException named(StartException failure, Request request) {
    PathOptions options = new PathOptions(String.valueOf(failure.getMessage()));
    options.match("pidfile", request.pidFile);
    options.match("lock", request.lockFile);
    options.match("stdout", request.standardOutput);
    options.match("stderr", request.standardError);
    options.match("chroot", request.rootDirectory);
    options.match("chdir", request.directory);
    options.match("guard", request.guardFile());
    return options.named(failure);
  }

  /** As {@link #named(StartException, Request)}, for a command that takes no program. */
  static StartException named(StartException failure, CommandLine line) {
    PathOptions options = new PathOptions(String.valueOf(failure.getMessage()));
    options.match("pidfile", line.path("pidfile"));
    options.match("guard", line.path("guard"));
    return options.named(failure);
  }

  private StartException named(StartException failure) {
    Reason reason = failure.reason();
    boolean ofPath = reason == Reason.FILE || reason == Reason.SYSTEM;
    return option == null || !ofPath
        ? failure
        : new StartException(reason, "--" + option + ": " + message);
  }

  /** The longest path wins; the first option if several have it. */
  private void match(String name, @Nullable Path path) {
    String text = path == null ? "" : path.toString();
    if (text.length() <= length) {
      return;
    }
    for (int i = message.indexOf(text); i >= 0; i = message.indexOf(text, i + 1)) {
      int end = i + text.length();
      if ((i == 0 || message.charAt(i - 1) == ' ')
          && (end == message.length() || " :;,".indexOf(message.charAt(end)) >= 0)) {
        option = name;
        length = text.length();
        return;
      }
    }
  }
}
