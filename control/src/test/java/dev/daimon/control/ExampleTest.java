package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ExampleTest {
  @RegisterExtension final Daemons daemons = new Daemons();

  @Test
  void aDaemonIsStartedQueriedAndStopped() throws Exception {
    DaemonControl control = daemons.control();
    assertThat(Example.status(control)).isEqualTo("not running: there is no " + daemons.pidFile());

    assertThat(Example.start(daemons.pidFile())).isEqualTo(Outcome.OK);
    try {
      long pid = Daemons.pid(daemons.pidFile());
      assertThat(Example.status(control)).startsWith("process " + pid + " of ");
      assertThat(Example.start(daemons.pidFile())).isEqualTo(Outcome.ALREADY_DONE);
    } finally {
      assertThat(Example.stop(control).signals()).containsExactly(Signal.TERM);
    }

    assertThat(daemons.pidFile()).doesNotExist();
  }
}
