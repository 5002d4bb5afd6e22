import org.jspecify.annotations.NullMarked;

/**
 * Lets a daemon tell whoever has started it, its launcher, a service manager or a supervisor, that
 * it is ready, or why it is not.
 *
 * <p>Run Java with {@code --enable-native-access=dev.daimon.posix}, or with {@code
 * --enable-native-access=ALL-UNNAMED} on the class path. Where the JVM denies native access, each
 * call throws a {@link dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.readiness {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.readiness;
}
