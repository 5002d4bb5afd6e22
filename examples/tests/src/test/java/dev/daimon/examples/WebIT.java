package dev.daimon.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Command;
import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A server that root starts and that serves as another user. */
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
  void itsWordsStartTellReloadRestartAndStop() throws Exception {
    String[] start = {Integer.toString(port), "nobody", "web.properties"};
    assertThat(word("start", start)).isEqualTo(new Result(0, "", ""));
    long first = Examples.pid(examples.file("web.pid"));
    assertThat(word("status").out()).startsWith("running: ").contains(Long.toString(first));
    Files.writeString(examples.file("web.properties"), "greeting=Second\n");
    assertThat(word("reload")).isEqualTo(new Result(0, "", ""));
    examples.awaitWords("web.log", "Read ");
    assertThat(Examples.get(port)).isEqualTo("Second\n");

    assertThat(word("restart", start)).isEqualTo(new Result(0, "", ""));
    assertThat(Examples.pid(examples.file("web.pid"))).isNotEqualTo(first);
    assertThat(word("stop")).isEqualTo(new Result(0, "", ""));
    examples.awaitEnd();
    assertThat(word("status").exitCode()).isEqualTo(3);
  }

  private Result word(String word, String... arguments) throws Exception {
    List<String> words = new ArrayList<>(List.of("-jar", Examples.jar("web").toString(), word));
    words.addAll(List.of(arguments));
    return examples.java(words.toArray(new String[0]));
  }

  @Test
  void hangupReadsTheFileAgain() throws Exception {
    assertThat(web().exitCode()).isZero();
    long pid = Examples.pid(examples.file("web.pid"));

    Files.writeString(examples.file("web.properties"), "greeting=Second\n");
    signal("HUP", pid);
    examples.awaitWords("web.log", "Read ");
    assertThat(Examples.get(port)).isEqualTo("Second\n");

    Files.delete(examples.file("web.properties"));
    signal("HUP", pid);
    examples.awaitWords("web.log", "NoSuchFileException");
    assertThat(Examples.get(port)).isEqualTo("Second\n");
    examples.stop(pid);
  }

  @Test
  void usr1OpensTheLogAgainAndNoLineIsLost() throws Exception {
    giveDirectoryToNobody();
    assertThat(web().exitCode()).isZero();
    long pid = Examples.pid(examples.file("web.pid"));
    List<String> requests = new ArrayList<>(List.of("Serving port " + port));
    try (HttpClient client = HttpClient.newHttpClient()) {
      for (int i = 1; i <= 100; i++) {
        String path = "/" + i;
        assertThat(client.send(request(path), HttpResponse.BodyHandlers.ofString()).statusCode())
            .isEqualTo(200);
        requests.add("GET " + path);
        if (i % 20 == 0) {
          Files.move(examples.file("web.log"), examples.file("web.log." + i));
          signal("USR1", pid);
        }
        if (i % 20 == 10) {
          // Meanwhile lines went to both files.
          Examples.await("a new log", () -> Files.exists(examples.file("web.log")));
        }
      }
    }
    Examples.await("a new log", () -> Files.exists(examples.file("web.log")));
    assertThat(Files.getOwner(examples.file("web.log")).getName()).isEqualTo("nobody");
    examples.stop(pid);

    List<String> lines = new ArrayList<>();
    for (String name :
        List.of("web.log.20", "web.log.40", "web.log.60", "web.log.80", "web.log.100", "web.log")) {
      lines.addAll(Files.readAllLines(examples.file(name)));
    }
    assertThat(lines).isEqualTo(requests);
  }

  private HttpRequest request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build();
  }

  private void giveDirectoryToNobody() throws Exception {
    Process chown = new ProcessBuilder("chown", "nobody", examples.directory().toString()).start();
    assertThat(chown.waitFor()).isZero();
  }

  @Test
  void termLetsARequestInFlightFinish() throws Exception {
    giveDirectoryToNobody();
    assertThat(web().exitCode()).isZero();
    long pid = Examples.pid(examples.file("web.pid"));
    try (Socket client = begunRequest()) {
      signal("TERM", pid);
      // From then on it accepts no connection.
      Examples.await("the server to close", () -> !Ports.isTaken(port));
      assertThat(ProcessHandle.of(pid)).isPresent();
      assertThat(Examples.isLocked(examples.file("web.pid"))).isTrue();

      client.getOutputStream().write("body".getBytes(StandardCharsets.US_ASCII));

      String answer = new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      assertThat(answer).contains("HTTP/1.1 200 OK").endsWith("First\n");
    }
    examples.awaitEnd();
    assertThat(examples.file("web.pid")).doesNotExist();
  }

  @Test
  void pastItsDeadlineItEndsAllTheSame() throws Exception {
    giveDirectoryToNobody();
    assertThat(web("-Ddrain=0").exitCode()).isZero();
    long pid = Examples.pid(examples.file("web.pid"));
    try (Socket client = begunRequest()) {
      signal("TERM", pid);

      examples.awaitEnd();
      assertThat(client.getInputStream().readAllBytes()).isEmpty();
    }
    assertThat(examples.file("web.pid")).doesNotExist();
  }

  /** A request whose beginning the server has read; it waits for the rest. */
  private Socket begunRequest() throws IOException {
    Socket client = new Socket(InetAddress.getLoopbackAddress(), port);
    String head =
        """
        POST / HTTP/1.1\r
        Host: test\r
        Connection: close\r
        Content-Length: 4\r
        Expect: 100-continue\r
        \r
        """;
    client.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    StringBuilder answer = new StringBuilder();
    while (answer.indexOf("\r\n\r\n") < 0) {
      answer.append((char) client.getInputStream().read());
    }
    assertThat(answer).startsWith("HTTP/1.1 100 Continue\r\n");
    return client;
  }

  @Test
  void anEmptyAndUnlockedPidFileSaysThatItStopped() throws Exception {
    assertThat(web().exitCode()).isZero();
    Path pidFile = examples.file("web.pid");
    assertThat(Examples.isLocked(pidFile)).isTrue();

    examples.stop(Examples.pid(pidFile));

    // The directory is root's, and the server ended as nobody, so the pidfile is emptied.
    assertThat(pidFile).isEmptyFile();
    assertThat(Examples.isLocked(pidFile)).isFalse();
    assertThat(Ports.isTaken(port)).isFalse();
  }

  @Test
  void theLauncherTellsOfAPortThatIsTaken() throws Exception {
    try (ServerSocket taken = new ServerSocket(port)) {
      assertThat(taken.isBound()).isTrue();
      assertThat(web())
          .isEqualTo(
              new Result(
                  70,
                  "",
                  "web: java.net.BindException: Address already in use; see "
                      + examples.file("web.log")
                      + "\n"));
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
            "web: java.nio.file.AccessDeniedException: "
                + examples.file("web.properties")
                + "; see "
                + examples.file("web.log")
                + "\n");
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

  private Result web(String... options) throws Exception {
    List<String> words = new ArrayList<>(List.of(options));
    words.addAll(List.of("-jar", Examples.jar("web").toString(), Integer.toString(port)));
    words.addAll(List.of("nobody", "web.properties"));
    return examples.java(words.toArray(new String[0]));
  }

  private static void signal(String signal, long pid) throws Exception {
    Command.kill(signal, pid);
  }

  private void assertNothingIsLeft() throws IOException {
    assertThat(examples.processes()).isEmpty();
    assertThat(examples.file("web.pid")).doesNotExist();
  }
}
