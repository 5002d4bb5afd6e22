import org.jspecify.annotations.NullMarked;

/**
 * The facade: a Java program daemonizes itself.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
@SuppressWarnings("module") // javac does not see dev.daimon.command here
module dev.daimon.daemon {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;
  requires transitive dev.daimon.startup;
  requires dev.daimon.forking;
  requires dev.daimon.locking;
  requires dev.daimon.privileges;
  requires dev.daimon.readiness;
  // The handlers of Daemon.on.
  requires transitive dev.daimon.signals;

  exports dev.daimon.daemon;
  // Failures are told in the same words.
  exports dev.daimon.daemon.runtime to
      dev.daimon.command;
}
