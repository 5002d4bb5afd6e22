import org.jspecify.annotations.NullMarked;

/**
 * Handles signals on an ordinary thread, reads and sets signal dispositions and masks, and sends
 * signals.
 *
 * <p>Run Java with {@code --enable-native-access=dev.daimon.posix}, or with {@code
 * --enable-native-access=ALL-UNNAMED} on the class path. Where the JVM denies native access, each
 * call throws a {@link dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
module dev.daimon.signals {
  requires static org.jspecify;
  requires transitive dev.daimon.posix;
  // sun.misc.Signal: the JDK's only way to handle a signal.
  requires jdk.unsupported;

  exports dev.daimon.signals;
}
