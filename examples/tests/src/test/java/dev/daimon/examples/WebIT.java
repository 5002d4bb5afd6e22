package dev.daimon.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Started by root, and served by somebody else. */
@Tag("root")
class WebIT {
  private static final String NOBODY = "65534\t65534\t65534\t65534";

  @RegisterExtension final Examples examples = new Examples();

  private int port;

  @BeforeEach
  void prepare() throws Exception {
    port = Ports.privileged();
    Files.writeString(examples.file("web.properties"), "greeting=First\n");
    Examples.openToAll(examples.directory(), "rwxr-xr-x");
  }

  @Test
  void itServesAPrivilegedPortAsNobody() throws Exception {
    assertThat(web()).isEqualTo(new Result(0, "", ""));

    long pid = Examples.pid(examples.file("web.pid"));
    assertThat(Examples.get(port)).isEqualTo("First\n");
    try (DirectoryStream<Path> threads =
        Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
      for (Path thread : threads) {
        assertThat(Files.readAllLines(thread.resolve("status")))
            .contains("Uid:\t" + NOBODY, "Gid:\t" + NOBODY, "Groups:\t65534 ");
      }
    }
    assertThat(Files.getOwner(examples.file("web.log")).getName()).isEqualTo("nobody");
    examples.stop(pid);
  }

  @Test
  void hangupReadsTheFileAgain() throws Exception {
    assertThat(web().exitCode()).isZero();
    long pid = Examples.pid(examples.file("web.pid"));

    Files.writeString(examples.file("web.properties"), "greeting=Second\n");
    hangUp(pid);
    examples.awaitWords("web.log", "Read ");
    assertThat(Examples.get(port)).isEqualTo("Second\n");

    Files.delete(examples.file("web.properties"));
    hangUp(pid);
    examples.awaitWords("web.log", "Not read: ");
    assertThat(Examples.get(port)).isEqualTo("Second\n");
    examples.stop(pid);
  }

  @Test
  void anEmptyAndUnlockedPidFileSaysThatItStopped() throws Exception {
    assertThat(web().exitCode()).isZero();
    Path pidFile = examples.file("web.pid");
    assertThat(Examples.isLocked(pidFile)).isTrue();

    examples.stop(Examples.pid(pidFile));

    // The directory is root's, and it was nobody who ended.
    assertThat(pidFile).isEmptyFile();
    assertThat(Examples.isLocked(pidFile)).isFalse();
    assertThat(Ports.isTaken(port)).isFalse();
  }

  @Test
  void theLauncherTellsOfAPortThatIsTaken() throws Exception {
    try (ServerSocket taken = new ServerSocket(port)) {
      assertThat(taken.isBound()).isTrue();
      assertThat(web())
          .isEqualTo(new Result(70, "", "web: java.net.BindException: Address already in use\n"));
    }
    assertNothingIsLeft();
  }

  @Test
  void theLauncherTellsOfAFileThatTheUserMayNotRead() throws Exception {
    Examples.openToAll(examples.file("web.properties"), "rw-------");

    Result result = web();

    assertThat(result.exitCode()).isEqualTo(70);
    assertThat(result.err())
        .isEqualTo(
            "web: java.nio.file.AccessDeniedException: " + examples.file("web.properties") + "\n");
    assertNothingIsLeft();
  }

  @Test
  void inTheForegroundItIsTheProcessThatWasStarted() throws Exception {
    Process process =
        examples
            .prepare(
                Examples.command(
                    "-Dforeground=true",
                    "-jar",
                    Examples.jar("web").toString(),
                    Integer.toString(port),
                    "nobody",
                    "web.properties"),
                Map.of())
            .start();
    examples.awaitWords("web.log", "Serving port " + port);

    assertThat(Examples.pid(examples.file("web.pid"))).isEqualTo(process.pid());
    Examples.await("the greeting", () -> Examples.get(port).equals("First\n"));
    assertThat(Examples.status(process.pid(), "Uid")).isEqualTo(NOBODY);
    examples.stop(process.pid());
  }

  private Result web() throws Exception {
    return examples.java(
        "-jar", Examples.jar("web").toString(), Integer.toString(port), "nobody", "web.properties");
  }

  private static void hangUp(long pid) throws Exception {
    Process kill = new ProcessBuilder(List.of("kill", "-HUP", Long.toString(pid))).start();
    assertThat(kill.waitFor()).isZero();
  }

  private void assertNothingIsLeft() throws IOException {
    assertThat(examples.processes()).isEmpty();
    assertThat(examples.file("web.pid")).doesNotExist();
  }
}
