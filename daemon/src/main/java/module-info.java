import org.jspecify.annotations.NullMarked;

/**
 * A Java program that daemonizes itself, and what that shares with the command {@code daimon}.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
// "module": the command is built after this module, so javac cannot see it yet.
@SuppressWarnings("module")
@NullMarked
module dev.daimon.daemon {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;
  requires dev.daimon.forking;
  requires dev.daimon.locking;
  requires dev.daimon.pidfile;
  requires dev.daimon.privileges;
  requires dev.daimon.readiness;
  // The handlers of Daemon.on.
  requires transitive dev.daimon.signals;

  exports dev.daimon.daemon;
  // The order of steps on a daemon's files: the command's as well, and nobody else's.
  exports dev.daimon.daemon.files to
      dev.daimon.cli;
}
