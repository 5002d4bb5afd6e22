package dev.daimon.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import dev.daimon.testing.ServiceManager;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** Starts it for a service manager. */
  private Process start(ServiceManager manager, int port, String... options) throws Exception {
    List<String> words = new ArrayList<>(List.of(options));
    words.addAll(List.of("-jar", Examples.jar("spring").toString(), "--server.port=" + port));
    return examples
        .prepare(
            Examples.command(words.toArray(new String[0])),
            Map.of("NOTIFY_SOCKET", manager.address()))
        .redirectOutput(examples.file("out").toFile())
        .redirectError(examples.file("err").toFile())
        .start();
  }

  @Test
  @Tag("python3")
  void aServiceManagerHearsOfEachStepAndOfReadyWhenItServes() throws Exception {
    int port = Ports.free();
    try (ServiceManager manager = ServiceManager.at(examples.file("notify"))) {
      Process process = start(manager, port, "-Dforeground=true");
      manager.await("READY=1");
      assertThat(Examples.get(port)).isEqualTo("Hello");
      manager.await("STATUS=serving port " + port);
      assertThat(manager.texts()).containsExactlyElementsOf(steps(port, "READY=1"));
      assertThat(manager.heard()).allMatch(message -> message.pid() == process.pid());
      manager.forget();

      examples.stop(process.pid());
      assertThat(manager.texts()).containsExactly("STOPPING=1");
      assertThat(examples.file("err")).isEmptyFile();
    }
  }

  @Test
  @Tag("python3")
  void itsLauncherTellsTheServiceManagerOfTheDaemon() throws Exception {
    int port = Ports.free();
    try (ServiceManager manager = ServiceManager.at(examples.file("notify"))) {
      assertThat(start(manager, port).waitFor()).isZero();
      long pid = Examples.pid(examples.file("spring.pid"));
      manager.await("STATUS=serving port " + port);

      assertThat(manager.texts())
          .containsExactlyElementsOf(steps(port, "MAINPID=" + pid + "|READY=1"));
      examples.stop(pid);
    }
  }

  private static List<String> steps(int port, String ready) {
    return List.of(
        "STATUS=reading the configuration",
        "STATUS=loading the beans",
        "STATUS=creating the beans",
        "STATUS=running what is to run at the start",
        ready,
        "STATUS=serving port " + port);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Tag("python3")
  void aServiceManagerIsNeverToldThatItIsReadyIfThePortIsTaken(boolean foreground)
      throws Exception {
    try (ServerSocket taken = new ServerSocket(0);
        ServiceManager manager = ServiceManager.at(examples.file("notify"))) {
      Process process =
          start(manager, taken.getLocalPort(), "-Dforeground=" + (foreground ? "true" : "false"));

      assertThat(process.waitFor()).isNotZero();
      assertThat(manager.texts())
          .contains("STATUS=creating the beans")
          .noneMatch(text -> text.contains("READY=1"));
      assertThat(Files.readString(examples.file(foreground ? "spring.log" : "err")))
          .contains("Port " + taken.getLocalPort() + " was already in use.");
    }
    assertThat(examples.processes()).isEmpty();
  }
}
