import org.jspecify.annotations.NullMarked;

/** A handle of a process that never means another one: signals and waits without a race. */
@NullMarked
module dev.daimon.pidfd {
  requires static transitive org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.pidfd;
}
