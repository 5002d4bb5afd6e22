package dev.daimon.consumers;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A {@link ProcessSandbox} that runs the programs of {@code src/it}, which the build has built. */
final class Consumers extends ProcessSandbox implements BeforeEachCallback, AfterEachCallback {
  static final Path ROOT = Path.of(System.getProperty("daimon.root"));

  /** Where the invoker has built the projects. */
  static final Path BUILT = Path.of(System.getProperty("consumers"));

  /** Where Daimon was installed. */
  static final Path INSTALLED =
      Path.of(System.getProperty("consumers.repository")).resolve("dev/daimon");

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    begin();
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    end();
  }

  /** Returns what the build of a program has made. */
  static Path target(String program) {
    return BUILT.resolve("programs").resolve(program).resolve("target");
  }

  /** Returns the jar of a program. */
  static Path jar(String program) {
    return target(program).resolve(program + "-1.jar");
  }

  /** Returns the libraries of a program, without {@code .jar}. */
  static List<String> libraries(String program) throws IOException {
    try (Stream<Path> jars = Files.list(target(program).resolve("lib"))) {
      return jars.map(jar -> jar.getFileName().toString().replaceFirst("\\.jar$", ""))
          .sorted()
          .toList();
    }
  }

  /** Returns a class path: the jar of a program, and its libraries. */
  static String classPath(String program) {
    return jar(program) + ":" + target(program).resolve("lib") + "/*";
  }

  /** Returns a module path: the jar of a program, and its libraries. */
  static String modulePath(String program) {
    return jar(program) + ":" + target(program).resolve("lib");
  }

  /** Runs a command to its end; returns what it has printed, if it did not fail. */
  String output(List<String> command) throws Exception {
    Result result = run(command, Map.of());
    if (result.exitCode() != 0 || !result.err().isEmpty()) {
      throw new AssertionError(command + " failed: " + result);
    }
    return result.out();
  }
}
