import org.jspecify.annotations.NullMarked;

/**
 * A singleton lock that is held by at most one process at a time, and through a spawn.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.locking {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.locking;
}
