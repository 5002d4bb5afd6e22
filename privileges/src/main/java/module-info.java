import org.jspecify.annotations.NullMarked;

/**
 * Users and groups, as the system resolves them, and switching to them.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.privileges {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.privileges;
}
