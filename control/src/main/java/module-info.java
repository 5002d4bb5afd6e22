import org.jspecify.annotations.NullMarked;

/**
 * Starts, stops, signals and watches a daemon by its pidfile, without a race.
 *
 * <p>Run with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the class
 * path. In a JVM that denies native access each call throws {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.control {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;
  requires transitive dev.daimon.forking;
  requires transitive dev.daimon.locking;
  requires transitive dev.daimon.pidfd;
  requires dev.daimon.pidfile;
  requires dev.daimon.privileges;
  requires dev.daimon.readiness;
  requires transitive dev.daimon.startup;

  exports dev.daimon.control;
}
