import org.jspecify.annotations.NullMarked;

/**
 * Handles of processes that stay valid when process ids are reused: signals and waits without a
 * race.
 *
 * <p>Run with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the class
 * path. In a JVM that denies native access each call throws {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.pidfd {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.pidfd;
}
