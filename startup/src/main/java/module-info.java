import org.jspecify.annotations.NullMarked;

/**
 * The part of a start that the command and the facade share: its files, the identity that the
 * daemon becomes, and the reasons and exit codes of a failure.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.startup {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;
  requires transitive dev.daimon.locking;
  requires transitive dev.daimon.privileges;
  requires transitive dev.daimon.readiness;
  requires dev.daimon.forking;
  requires dev.daimon.pidfile;

  exports dev.daimon.startup;
}
