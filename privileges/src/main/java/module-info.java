import org.jspecify.annotations.NullMarked;

/** Users and groups, as the system resolves them, and switching to them. */
@NullMarked
module dev.daimon.privileges {
  requires static transitive org.jspecify;
  requires transitive dev.daimon.posix;

  exports dev.daimon.privileges;
}
