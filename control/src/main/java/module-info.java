import org.jspecify.annotations.NullMarked;

/** Starts, stops, signals and watches a daemon by its pidfile, without a race. */
@NullMarked
module dev.daimon.control {
  requires static transitive org.jspecify;
  requires transitive dev.daimon.posix;
  requires transitive dev.daimon.forking;
  requires dev.daimon.locking;
  requires dev.daimon.pidfd;
  requires dev.daimon.pidfile;
  requires dev.daimon.privileges;

  exports dev.daimon.control;
}
