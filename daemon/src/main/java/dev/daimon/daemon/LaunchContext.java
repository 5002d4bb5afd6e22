package dev.daimon.daemon;

import dev.daimon.readiness.DaemonEnd;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** How this process was started: by somebody, or by its own launcher. Found out once. */
final class LaunchContext {
  private static @Nullable LaunchContext found;

  private final Path launchDirectory;
  private final @Nullable FromLauncher fromLauncher;

  /** What a daemon got from its launcher. */
  record FromLauncher(DaemonEnd connection, Handover handover) {}

  private LaunchContext(Path launchDirectory, @Nullable FromLauncher fromLauncher) {
    this.launchDirectory = launchDirectory;
    this.fromLauncher = fromLauncher;
  }

  static synchronized LaunchContext find() {
    if (found == null) {
      try {
        found = look();
      } catch (IOException failure) {
        throw new StartException(Reason.SYSTEM, failure);
      }
    }
    return found;
  }

  private static LaunchContext look() throws IOException {
    DaemonEnd connection = DaemonEnd.find();
    if (connection == null) {
      return new LaunchContext(Files.readSymbolicLink(Path.of("/proc/self/cwd")), null);
    }
    Handover handover = Handover.decode(connection.greeting());
    return new LaunchContext(handover.launchDirectory, new FromLauncher(connection, handover));
  }

  Stage stage() {
    return fromLauncher == null ? Stage.LAUNCHER : Stage.DAEMON;
  }

  Path launchDirectory() {
    return launchDirectory;
  }

  /** What the launcher has left for this process; null if this one was not started by one. */
  @Nullable FromLauncher fromLauncher() {
    return fromLauncher;
  }
}
