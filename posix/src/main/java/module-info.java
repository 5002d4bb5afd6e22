import org.jspecify.annotations.NullMarked;

/**
 * System calls through the Foreign Function and Memory API, and the types that Daimon's other
 * modules share.
 *
 * <p>This is the one module that links native functions: run with {@code
 * --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the class path. A JVM that
 * denies native access fails each call by a {@link dev.daimon.posix.NativeAccessException}.
 */
// "module": the siblings are built after this module, so javac cannot see them yet.
@SuppressWarnings("module")
@NullMarked
module dev.daimon.posix {
  requires static org.jspecify;

  exports dev.daimon.posix;
  // The bindings are C-shaped, so they are for the modules that wrap them.
  exports dev.daimon.posix.call to
      dev.daimon.pidfile,
      dev.daimon.locking,
      dev.daimon.forking,
      dev.daimon.pidfd,
      dev.daimon.privileges,
      dev.daimon.readiness,
      dev.daimon.signals;
}
