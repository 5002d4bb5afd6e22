import org.jspecify.annotations.NullMarked;

/**
 * System calls through the Foreign Function and Memory API, and the types that Daimon's other
 * modules share.
 *
 * <p>This is the only module that links native functions. Run Java with {@code
 * --enable-native-access=dev.daimon.posix}, or with {@code --enable-native-access=ALL-UNNAMED} on
 * the class path. Where the JVM denies native access, each call throws a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
// "module": the siblings are built after this module, so javac cannot see them yet.
@SuppressWarnings("module")
@NullMarked
module dev.daimon.posix {
  requires static org.jspecify;

  exports dev.daimon.posix;
  // The bindings have the shape of C functions; only the modules that wrap them use them.
  exports dev.daimon.posix.call to
      dev.daimon.pidfile,
      dev.daimon.locking,
      dev.daimon.forking,
      dev.daimon.pidfd,
      dev.daimon.privileges,
      dev.daimon.readiness,
      dev.daimon.signals;
}
