import org.jspecify.annotations.NullMarked;

/**
 * How a daemon tells its launcher that it is ready, or why it never will be.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.readiness {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.readiness;
}
