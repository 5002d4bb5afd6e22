package dev.daimon.examples;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A {@link ProcessSandbox} that runs the built examples. */
final class Examples extends ProcessSandbox implements BeforeEachCallback, AfterEachCallback {
  static final Path ROOT = Path.of(System.getProperty("daimon.root")).normalize();

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    begin();
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    end();
  }

  /** Returns the jar that the build of an example makes. */
  static Path jar(String example) {
    return ROOT.resolve("examples/" + example + "/target/" + example + ".jar");
  }

  /** Returns a program of the JDK that runs these tests. */
  static String tool(String name) {
    return Path.of(System.getProperty("java.home"), "bin", name).toString();
  }

  /** Runs {@code java} with these arguments, until the launcher has ended. */
  Result java(String... words) throws Exception {
    return run(command(words), Map.of());
  }

  /** Returns the command that runs {@code java}, with options for a fast start. */
  static List<String> command(String... words) {
    List<String> command = new ArrayList<>(List.of(tool("java")));
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(List.of(words));
    return command;
  }

  /** Waits until a file contains this text. */
  void awaitWords(String name, String words) throws Exception {
    Path file = file(name);
    await(
        words + " in " + name, () -> Files.exists(file) && Files.readString(file).contains(words));
  }

  /** Returns the process id of the one child of a process. */
  static long onlyChild(long pid) {
    List<ProcessHandle> children = ProcessHandle.of(pid).orElseThrow().children().toList();
    if (children.size() != 1) {
      throw new AssertionError("children of " + pid + ": " + children);
    }
    return children.getFirst().pid();
  }

  /** Returns the answer of a web server. */
  static String get(int port) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/")).build();
      return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
  }
}
