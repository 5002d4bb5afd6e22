/** A daemon in twenty lines. */
module dev.daimon.examples.hello {
  requires dev.daimon.daemon;
}
