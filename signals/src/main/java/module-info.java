import org.jspecify.annotations.NullMarked;

/** Signal dispositions, signal masks and kill. */
@NullMarked
module dev.daimon.signals {
  requires static transitive org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.signals;
}
