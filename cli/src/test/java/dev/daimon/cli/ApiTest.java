package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The directory {@code api} has the public API of each module, so that a review sees a change. */
class ApiTest {
  private static final Path ROOT = Path.of(System.getProperty("daimon.root"));
  private static final Path API = ROOT.resolve("api");

  private static final String HOW =
      "Every user of the module has to bear such a change. If it is meant, write the text anew:\n"
          + "./mvnw verify -pl command,cli -am -Dtest=ApiTest"
          + " -Dsurefire.failIfNoSpecifiedTests=false -DskipITs -Ddaimon.write.reference=true";

  /** The class files of each module that is published and exports a package to everybody. */
  static List<Path> modules() throws IOException {
    try (Stream<Path> directories = Files.list(ROOT)) {
      return directories
          // Not published.
          .filter(module -> !module.endsWith("testing") && !module.endsWith("benchmarks"))
          .map(module -> module.resolve("target/classes"))
          .filter(classes -> Files.exists(classes.resolve("module-info.class")))
          .filter(ApiTest::hasApi)
          .sorted()
          .toList();
    }
  }

  private static boolean hasApi(Path classes) {
    try {
      return ApiText.hasApi(classes);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static Path file(Path classes) throws IOException {
    return API.resolve(ApiText.moduleName(classes) + ".txt");
  }

  /** With {@code -Ddaimon.write.reference=true} it writes the text instead. */
  @ParameterizedTest
  @MethodSource("modules")
  void theTextIsTheApi(Path classes) throws Exception {
    String actual = ApiText.of(classes);
    Path file = file(classes);

    if (Boolean.getBoolean("daimon.write.reference")) {
      Files.createDirectories(API);
      Files.writeString(file, actual);
    }

    String text = Files.exists(file) ? Files.readString(file) : "";
    List<String> differences = new ArrayList<>();
    List<String> before = qualified(text);
    List<String> after = qualified(actual);
    before.stream().filter(line -> !after.contains(line)).forEach(l -> differences.add("- " + l));
    after.stream().filter(line -> !before.contains(line)).forEach(l -> differences.add("+ " + l));
    assertThat(differences)
        .as("%s and the module's classes differ.\n%s", ROOT.relativize(file), HOW)
        .isEmpty();
    // The order, of an enum's constants for example.
    assertThat(actual).as("%s\n%s", ROOT.relativize(file), HOW).isEqualTo(text);
  }

  /** Each line of a member behind the name of its type, so that a difference says where it is. */
  private static List<String> qualified(String text) {
    List<String> lines = new ArrayList<>();
    String type = "";
    for (String line : text.lines().toList()) {
      if (line.startsWith("    ")) {
        lines.add(type + ": " + line.strip());
      } else {
        lines.add(line);
        type = line.replaceFirst(".*?(?:class|interface|enum|record) ([\\w.]+).*", "$1");
      }
    }
    return lines;
  }

  @Test
  void thereIsATextForEachModuleAndNoOther() throws Exception {
    List<Path> expected = new ArrayList<>();
    for (Path classes : modules()) {
      expected.add(file(classes));
    }
    try (Stream<Path> files = Files.list(API)) {
      assertThat(files.toList()).containsExactlyInAnyOrderElementsOf(expected);
    }
  }
}
