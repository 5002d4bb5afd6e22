import org.jspecify.annotations.NullMarked;

/**
 * Looks up users and groups, accesses files as another user, and gives up privileges.
 *
 * <p>Run Java with {@code --enable-native-access=dev.daimon.posix}, or with {@code
 * --enable-native-access=ALL-UNNAMED} on the class path. Where the JVM denies native access, each
 * call throws a {@link dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.privileges {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.privileges;
}
