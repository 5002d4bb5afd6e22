import org.jspecify.annotations.NullMarked;

/**
 * A handle of a process that never means another one: signals and waits without a race.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.pidfd {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.pidfd;
}
