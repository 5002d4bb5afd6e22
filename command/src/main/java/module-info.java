import org.jspecify.annotations.NullMarked;

/**
 * The command line of a program that daemonizes itself: {@code start}, {@code stop}, {@code
 * status}, {@code restart}, {@code reload} and {@code run}.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.command {
  requires static org.jspecify;
  requires transitive dev.daimon.daemon;
  requires dev.daimon.control;
  requires dev.daimon.forking;
  requires dev.daimon.posix;
  requires dev.daimon.startup;

  exports dev.daimon.command;
}
