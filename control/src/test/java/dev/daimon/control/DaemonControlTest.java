package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** From the first start to the last stop. */
class DaemonControlTest {
  @RegisterExtension final Daemons daemons = new Daemons();

  @Test
  void aDaemonIsStartedQueriedSignalledRestartedAndStopped() throws Exception {
    DaemonControl control = daemons.control();
    assertThat(control.status().state()).isEqualTo(State.NOT_RUNNING);

    assertThat(control.start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.OK);

    daemons.awaitProgram("sleep");
    DaemonStatus status = control.status();
    assertThat(status.state()).as(status.reason()).isEqualTo(State.RUNNING);
    long pid = Daemons.pid(daemons.pidFile());
    assertThat(status.pid()).hasValue(pid);
    assertThat(status.commandLine()).containsExactly("sleep", "1000");
    String name = System.getProperty("user.name");
    assertThat(status.user())
        .as("its name, or its id if it has none")
        .hasValue(name.equals("?") ? Command.run("id", "-u") : name);
    assertThat(status.uptime().orElseThrow()).isLessThan(Duration.ofMinutes(1));
    assertThat(status.startTime().orElseThrow()).isBefore(Instant.now().plusSeconds(1));
    assertThat(control.start(daemons.daemon("exit 1"))).isEqualTo(Outcome.ALREADY_DONE);

    assertThat(control.restart(daemons.daemon("exec sleep 2000"), StopPolicy.DEFAULT))
        .isEqualTo(Outcome.OK);
    long second = Daemons.pid(daemons.pidFile());
    assertThat(second).isNotEqualTo(pid);
    Daemons.await("the second alone", () -> daemons.running("sleep").size() == 1);

    assertThat(control.stop(StopPolicy.DEFAULT))
        .isEqualTo(new StopResult(Outcome.OK, OptionalLong.of(second), List.of(Signal.TERM)));
    assertThat(daemons.pidFile()).doesNotExist();
    daemons.awaitEnd();
    assertThat(control.stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.ALREADY_DONE);
    assertThat(control.reload()).isEqualTo(Outcome.NOT_RUNNING);
  }

  @Test
  void aRelativePidFileIsFoundInADirectoryThatTheLocaleCannotDecode() throws Exception {
    ChildJvm jvm = ChildJvm.of(Relative.class).inUndecodableDirectory(daemons.directory());
    daemons.mark().forEach((name, value) -> jvm.startedBy("env", name + "=" + value));

    assertThat(jvm.run().lines()).containsExactly("OK", "RUNNING", "OK", "NOT_RUNNING");
  }

  static final class Relative {
    public static void main(String[] args) throws Exception {
      Path pidFile = Path.of("x.pid");
      DaemonControl control = DaemonControl.of(pidFile);
      System.out.println(Example.start(pidFile));
      System.out.println(control.status().state());
      System.out.println(Example.stop(control).outcome());
      System.out.println(control.status().state());
    }
  }
}
