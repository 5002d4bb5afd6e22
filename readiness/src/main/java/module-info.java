import org.jspecify.annotations.NullMarked;

/** How a daemon tells its launcher that it is ready, or why it never will be. */
@NullMarked
module dev.daimon.readiness {
  requires static transitive org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.readiness;
}
