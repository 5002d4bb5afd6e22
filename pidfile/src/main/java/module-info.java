import org.jspecify.annotations.NullMarked;

/**
 * Reads, writes and removes pidfiles.
 *
 * <p>Run with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the class
 * path. In a JVM that denies native access each call throws {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.pidfile {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.pidfile;
}
