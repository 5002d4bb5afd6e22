import org.jspecify.annotations.NullMarked;

/**
 * Handlers of signals on ordinary threads, signal dispositions, signal masks and kill.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.signals {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;
  // sun.misc.Signal: the JDK's only way to handle a signal.
  requires jdk.unsupported;

  exports dev.daimon.signals;
}
