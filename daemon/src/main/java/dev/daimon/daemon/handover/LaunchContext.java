package dev.daimon.daemon.handover;

import dev.daimon.readiness.DaemonEnd;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How this process was started: by a user, by a service manager, or as a daemon by its launcher.
 */
public final class LaunchContext {
  /** The variable in which a service manager names the socket that it reads; empty is absent. */
  public static final String NOTIFY_SOCKET = "NOTIFY_SOCKET";

  private static @Nullable LaunchContext found;

  private final Path launchDirectory;
  private final @Nullable FromLauncher fromLauncher;

  /** The connection to the launcher, and what the launcher has handed over. */
  public record FromLauncher(DaemonEnd connection, Handover handover) {}

  private LaunchContext(Path launchDirectory, @Nullable FromLauncher fromLauncher) {
    this.launchDirectory = launchDirectory;
    this.fromLauncher = fromLauncher;
  }

  /**
   * Finds out once how this process was started.
   *
   * @throws StartException if the connection to the launcher cannot be read
   */
  public static synchronized LaunchContext find() {
    if (found == null) {
      try {
        found = examine();
      } catch (IOException failure) {
        throw new StartException(Reason.SYSTEM, failure);
      }
    }
    return found;
  }

  /** Whether a service manager wants to be told how this process is. */
  public static boolean hasServiceManager() {
    String socket = System.getenv(NOTIFY_SOCKET);
    return socket != null && !socket.isEmpty();
  }

  private static LaunchContext examine() throws IOException {
    DaemonEnd connection = DaemonEnd.find();
    if (connection == null) {
      return new LaunchContext(Files.readSymbolicLink(Path.of("/proc/self/cwd")), null);
    }
    Handover handover = Handover.decode(connection.greeting());
    return new LaunchContext(handover.launchDirectory, new FromLauncher(connection, handover));
  }

  /** Returns the working directory of the launcher. */
  public Path launchDirectory() {
    return launchDirectory;
  }

  /** Returns what the launcher has handed over; null if this process is no daemon. */
  public @Nullable FromLauncher fromLauncher() {
    return fromLauncher;
  }
}
