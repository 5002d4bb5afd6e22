import org.jspecify.annotations.NullMarked;

/** Pidfiles that are read, written and removed atomically. */
@NullMarked
module dev.daimon.pidfile {
  requires static transitive org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.pidfile;
}
