package dev.daimon.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SpringIT {
  @RegisterExtension final Examples examples = new Examples();

  @Test
  void itServesAsSoonAsItsLauncherHasSaidZero() throws Exception {
    int port = Ports.free();

    assertThat(spring(port)).isEqualTo(new Result(0, "", ""));

    long pid = Examples.pid(examples.file("spring.pid"));
    assertThat(Examples.get(port)).isEqualTo("Hello");
    assertThat(Examples.isLocked(examples.file("spring.pid"))).isTrue();
    examples.stop(pid);
    assertThat(examples.file("spring.pid")).doesNotExist();
    examples.awaitWords("spring.log", "Graceful shutdown complete");
  }

  @Test
  void theLauncherTellsOfAPortThatIsTaken() throws Exception {
    try (ServerSocket taken = new ServerSocket(0)) {
      Result result = spring(taken.getLocalPort());

      assertThat(result.exitCode()).isEqualTo(1);
      assertThat(result.out()).isEmpty();
      assertThat(result.err())
          .startsWith(
              "spring: the daemon exited with 1 before it was ready. Its last words, in "
                  + examples.file("spring.log")
                  + ":\n")
          .contains("Port " + taken.getLocalPort() + " was already in use.");
    }
    assertThat(examples.processes()).isEmpty();
    assertThat(examples.file("spring.pid")).doesNotExist();
  }

  private Result spring(int port) throws Exception {
    return examples.java("-jar", Examples.jar("spring").toString(), "--server.port=" + port);
  }
}
