import org.jspecify.annotations.NullMarked;

/** Starting programs as daemons, and becoming them: spawn, session, umask, exec, descriptors. */
@NullMarked
module dev.daimon.forking {
  requires static transitive org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.forking;
}
