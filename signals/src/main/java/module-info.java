import org.jspecify.annotations.NullMarked;

/** Handlers of signals on ordinary threads, signal dispositions, signal masks and kill. */
@NullMarked
module dev.daimon.signals {
  requires static transitive org.jspecify;
  requires transitive dev.daimon.posix;
  // sun.misc.Signal: the JDK's only way to handle a signal.
  requires jdk.unsupported;

  exports dev.daimon.signals;
}
