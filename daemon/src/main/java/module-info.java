import org.jspecify.annotations.NullMarked;

/** A Java program daemonizes itself in one call. */
@NullMarked
module dev.daimon.daemon {
  requires static transitive org.jspecify;
  requires transitive dev.daimon.posix;
  requires transitive dev.daimon.forking;
}
