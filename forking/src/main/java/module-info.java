import org.jspecify.annotations.NullMarked;

/**
 * Starting programs as daemons, and becoming them: spawn, session, umask, exec, descriptors.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.forking {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.forking;
}
