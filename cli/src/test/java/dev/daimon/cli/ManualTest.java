package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The manual's pages are those of the tables, and their examples are right. */
class ManualTest {
  private static final Path MAN =
      Path.of(System.getProperty("daimon.root"), "cli/src/main/dist/share/man");

  private static final Pattern OWN_PAGE =
      Pattern.compile("\\\\fB(dai[a-z.\\\\-]+)\\\\fR\\(([1-8])\\)");

  static Stream<String> pages() throws IOException {
    return Manual.pages().keySet().stream();
  }

  /** With {@code -Ddaimon.write.reference=true} it writes the pages instead. */
  @Test
  void thePagesAreThoseOfTheTables() throws Exception {
    Map<String, String> expected = new TreeMap<>(Manual.pages());
    if (Boolean.getBoolean("daimon.write.reference")) {
      for (Map.Entry<String, String> page : expected.entrySet()) {
        Files.createDirectories(MAN.resolve(page.getKey()).getParent());
        Files.writeString(MAN.resolve(page.getKey()), page.getValue());
      }
    }
    Map<String, String> found = new TreeMap<>();
    try (Stream<Path> files = Files.walk(MAN)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        found.put(MAN.relativize(file).toString(), Files.readString(file));
      }
    }

    assertThat(found)
        .as(
            MAN
                + "; to write it anew: ./mvnw verify -pl cli -am -Dtest=ManualTest"
                + " -Dsurefire.failIfNoSpecifiedTests=false -DskipITs"
                + " -Ddaimon.write.reference=true")
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @MethodSource("pages")
  void aPageRefersToPagesThatExist(String page) throws Exception {
    for (MatchResult reference : OWN_PAGE.matcher(text(page)).results().toList()) {
      String name = reference.group(1).replace("\\", "") + "." + reference.group(2);

      assertThat(MAN.resolve("man" + reference.group(2)).resolve(name)).exists();
    }
  }

  /** An example is a command line that the command takes, or a definition. */
  @ParameterizedTest
  @MethodSource("pages")
  void theExamplesOfAPageAreRight(String page) throws Exception {
    List<String> examples = examples(text(page));
    List<String> commands = examples.stream().filter(line -> line.startsWith("daimon ")).toList();
    List<String> definition = new ArrayList<>(examples);
    definition.removeAll(commands);

    for (String command : commands) {
      assertIsRight(command);
    }
    if (!definition.isEmpty()) {
      assertThat(Definition.parse(String.join("\n", definition), page).has("ready")).isTrue();
    }
    assertThat(examples).isNotEmpty();
  }

  private static void assertIsRight(String example) {
    List<String> words = Words.split(example);
    Command command = Objects.requireNonNull(Command.of(words.get(1)), example);
    CommandLine line = CommandLine.parse(command, words.subList(2, words.size()));

    switch (command) {
      case START, RUN, RESTART -> {
        if (!line.words().isEmpty()) {
          assertThat(StartOptions.request(command, line).command).isEqualTo(line.words());
        }
      }
      case STOP -> assertThat(ControlOptions.policy(line).steps()).isNotEmpty();
      case SIGNAL ->
          assertThat(ControlOptions.signal(line, "", line.words().getFirst())).isNotNull();
      case WAIT -> assertThat(line.time(CommandOption.WAIT_TIMEOUT)).isNotEqualTo(Duration.ZERO);
      default -> assertThat(line.words()).as(example).isEmpty();
    }
  }

  /** The lines of the last section's examples, as a reader sees them. */
  private static List<String> examples(String text) {
    List<String> examples = new ArrayList<>();
    boolean isInside = false;
    for (String line : text.substring(Math.max(0, text.indexOf(".SH EXAMPLES"))).lines().toList()) {
      if (line.equals(".EX") || line.equals(".EE")) {
        isInside = line.equals(".EX");
      } else if (isInside) {
        examples.add(line.replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\"));
      }
    }
    return examples;
  }

  private static String text(String page) throws IOException {
    return Files.readString(MAN.resolve(page));
  }
}
