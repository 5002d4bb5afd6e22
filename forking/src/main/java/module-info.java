import org.jspecify.annotations.NullMarked;

/**
 * Starts programs as children or as daemons, and turns this JVM into a program.
 *
 * <p>Run Java with {@code --enable-native-access=dev.daimon.posix}, or with {@code
 * --enable-native-access=ALL-UNNAMED} on the class path. Where the JVM denies native access, each
 * call throws a {@link dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.forking {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.forking;
}
