import org.jspecify.annotations.NullMarked;

/** The command {@code daimon}. */
@NullMarked
module dev.daimon.cli {
  requires static org.jspecify;
  requires dev.daimon.control;
  requires dev.daimon.startup;
  requires dev.daimon.forking;
  requires dev.daimon.locking;
  requires dev.daimon.pidfd;
  requires dev.daimon.privileges;
  requires dev.daimon.signals;
  requires org.apache.commons.cli;
}
