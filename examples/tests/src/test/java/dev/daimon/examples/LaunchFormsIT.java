package dev.daimon.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.examples.LaunchForms.Form;
import dev.daimon.testing.ProcessSandbox.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The daemon is started in the same way as its launcher, in another directory. */
class LaunchFormsIT {
  @TempDir static Path built;

  private static Installation installation;

  @RegisterExtension final Examples examples = new Examples();

  private int port;

  @BeforeAll
  static void build() throws Exception {
    installation = Installation.in(built);
  }

  @BeforeEach
  void prepare() throws Exception {
    installation.linkInto(examples.directory());
    port = Ports.free();
  }

  static List<Form> working() {
    return LaunchForms.all().stream().filter(Form::works).toList();
  }

  static List<Form> refused() {
    return LaunchForms.all().stream().filter(form -> !form.works()).toList();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("working")
  void theDaemonIsRunAsItsLauncherWas(Form form) throws Exception {
    if (form.words().contains("-XX:AOTCache=")) {
      train();
    }

    Result result = launch(form);

    assertThat(result.exitCode()).as(result.toString()).isZero();
    long pid = Examples.pid(examples.file(form.program() + ".pid"));
    Path process = Path.of("/proc/" + pid);
    assertThat(Files.readSymbolicLink(process.resolve("cwd"))).isEqualTo(Path.of("/"));
    assertThat(Examples.strings(process.resolve("cmdline")))
        .isEqualTo(words(Objects.requireNonNull(form.daemon())));
    examples.awaitWords(form.program() + ".log", form.says());
    form.serves().check(port);
    examples.stop(pid);
    assertThat(examples.file(form.program() + ".pid")).doesNotExist();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refused")
  void whatOnlyOneOfTheTwoCanHaveIsRefused(Form form) throws Exception {
    Result result = launch(form);

    assertThat(result.exitCode()).isEqualTo(64);
    assertThat(result.err()).isEqualTo(filledIn(form.says()));
    assertThat(examples.processes()).isEmpty();
    assertThat(examples.file("hello.pid")).doesNotExist();
  }

  @Test
  void eachRowOfTheDocumentIsTestedAndEachTestIsARow() throws Exception {
    List<String> rows = new ArrayList<>();
    for (String line : Files.readAllLines(Examples.ROOT.resolve("docs/launch-forms.md"))) {
      String[] cells = line.split("\\s*(?<!\\\\)\\|\\s*", -1);
      if (line.startsWith("| ") && !cells[1].equals("form")) {
        rows.add(cells[1].replace("`", "") + ": " + cells[2]);
      }
    }
    assertThat(rows)
        .containsExactlyElementsOf(
            LaunchForms.all().stream()
                .map(form -> form.name() + ": " + (form.works() ? "yes" : "no, 64"))
                .toList());
  }

  /** In a training run the daemon writes the cache, when it ends. */
  private void train() throws Exception {
    Result result =
        examples.run(words("java -XX:AOTCacheOutput=hello.aot -jar hello.jar"), Map.of());
    assertThat(result.exitCode()).as(result.toString()).isZero();
    examples.stop(Examples.pid(examples.file("hello.pid")));
    assertThat(examples.file("hello.aot")).exists();
  }

  private Result launch(Form form) throws Exception {
    Map<String, String> variables = new HashMap<>();
    form.variables().forEach((name, value) -> variables.put(name, filledIn(value)));
    return examples.run(words(form.words()), variables);
  }

  private List<String> words(String text) {
    List<String> words = new ArrayList<>(List.of(filledIn(text).split(" ", -1)));
    if (words.getFirst().equals("java")) {
      words.set(0, Examples.tool("java"));
    }
    return words;
  }

  private String filledIn(String text) {
    return text.replace("HERE", examples.directory().toString())
        .replace("PORT", Integer.toString(port));
  }
}
