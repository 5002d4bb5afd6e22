package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class DaemonizeTest {
  @RegisterExtension final Facade facade = new Facade();

  /** A daemon that stays until it is killed. */
  static final class Stays {
    public static void main(String[] args) throws Exception {
      DaemonConfig config = DaemonConfig.builder().pidFile(Path.of(args[0]).resolve("pid")).build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        daemon.ready();
        new CountDownLatch(1).await();
      }
    }
  }

  @Test
  void theLauncherSaysZeroBecauseTheDaemonIsReady() throws Exception {
    long pid = facade.daemon(Stays.class);

    assertThat(Facade.stat(pid, 4)).isEqualTo(1);
    assertThat(Facade.stat(pid, 6)).isNotEqualTo(pid);
    assertThat(Facade.stat(pid, 7)).isZero();
    assertThat(Facade.isLocked(facade.pidFile())).isTrue();
  }

  @Test
  void aSecondStartFindsTheFirstOneRunning() throws Exception {
    long pid = facade.daemon(Stays.class);

    ProcessSandbox.Result second = facade.launch(Stays.class);

    assertThat(second.exitCode()).isEqualTo(69);
    assertThat(second.err())
        .isEqualTo(
            "DaemonizeTest$Stays: already running: %s is locked by process %d%n"
                .formatted(facade.pidFile(), pid));
    assertThat(Facade.pid(facade.pidFile())).isEqualTo(pid);
  }

  @Test
  void thePidFileGoesWithTheDaemon() throws Exception {
    long pid = facade.daemon(Stays.class);

    facade.stop(pid);

    assertThat(Files.exists(facade.pidFile())).isFalse();
  }
}
