import org.jspecify.annotations.NullMarked;

/**
 * Pidfiles that are read, written and removed atomically.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.pidfile {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.pidfile;
}
