package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ExampleTest {
  @RegisterExtension final Facade facade = new Facade();

  @Test
  void theExampleServesReloadsAndStops() throws Exception {
    long pid = facade.daemon(Example.class);
    awaitLog("serving");
    Facade.signal("HUP", pid);
    awaitLog("reloaded");
    Facade.signal("TERM", pid);
    awaitLog("stopping");
    Facade.await("the end of the daemon", () -> !Files.exists(facade.pidFile()));

    assertThat(Files.readString(facade.file("log"))).isEqualTo("serving\nreloaded\nstopping\n");
  }

  private void awaitLog(String line) throws Exception {
    Facade.await(line, () -> Files.readString(facade.file("log")).contains(line));
  }
}
