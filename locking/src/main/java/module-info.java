import org.jspecify.annotations.NullMarked;

/** A singleton lock that is held by at most one process at a time, and through a spawn. */
@NullMarked
module dev.daimon.locking {
  requires static transitive org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.locking;
}
