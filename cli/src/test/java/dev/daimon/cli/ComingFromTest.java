package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.daimon.startup.StartException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code docs/coming-from.md} says to type is understood by the command's own parsers. */
class ComingFromTest {
  private static final Path PAGE =
      Path.of(System.getProperty("daimon.root"), "docs", "coming-from.md");

  private static final Pattern SPAN = Pattern.compile("`([^`]+)`");
  private static final Pattern CALL = Pattern.compile("(?:^|[\\s/])daimon (.+)$");
  private static final String CODE = "    ";

  /** The commands whose options are judged here with their values. */
  private static final List<Command> JUDGES = List.of(Command.START, Command.RUN, Command.STOP);

  /** Every call of {@code daimon}, in a code block or within a line, without that word. */
  static Set<String> calls() throws IOException {
    Set<String> calls = new LinkedHashSet<>();
    for (String line : Files.readString(PAGE).replaceAll("\\\\\n *", "").lines().toList()) {
      List<String> code = line.startsWith(CODE) ? List.of(line) : spans(line);
      for (String each : code) {
        Matcher call = CALL.matcher(each);
        if (call.find()) {
          calls.add(call.group(1));
        }
      }
    }
    return calls;
  }

  /** The options that stand alone in a column for {@code daimon}. */
  static Set<String> options() throws IOException {
    Set<String> options = new LinkedHashSet<>();
    for (String line : Files.readAllLines(PAGE)) {
      String[] cells = line.split("(?<!\\\\)\\|", -1);
      if (line.startsWith("|") && cells.length == 4) {
        spans(cells[2]).stream().filter(span -> span.startsWith("-")).forEach(options::add);
      }
    }
    options.removeAll(Set.of("--help", "--version", "--"));
    return options;
  }

  /** The blocks that begin with a comment of a definition's path. */
  static List<String> definitions() throws IOException {
    List<String> definitions = new ArrayList<>();
    StringBuilder block = new StringBuilder();
    for (String line : (Files.readString(PAGE) + "\n\n").lines().toList()) {
      if (line.startsWith(CODE)) {
        block.append(line.strip()).append('\n');
      } else if (!block.isEmpty()) {
        if (block.toString().matches("(?s)# \\S*/daimon/\\w+\\.conf.*")) {
          definitions.add(block.toString());
        }
        block.setLength(0);
      }
    }
    return definitions;
  }

  private static List<String> spans(String text) {
    return SPAN.matcher(text).results().map(span -> span.group(1).replace("\\|", "|")).toList();
  }

  @Test
  void thePageIsRead() throws Exception {
    assertThat(calls()).hasSizeGreaterThan(40).contains("start --all", "run web", "list --json");
    assertThat(options()).hasSizeGreaterThan(30).contains("-p FILE", "--timeout 24h --then none");
    assertThat(definitions()).hasSize(4);
  }

  @ParameterizedTest
  @MethodSource("calls")
  void aCallIsUnderstood(String call) {
    List<String> words = Words.split(call.replace("$PWD", "/srv/web"));
    Command command = Command.of(words.getFirst());
    assertThat(command).as(words.getFirst()).isNotNull();
    assertThatCode(() -> understand(command, words.subList(1, words.size())))
        .doesNotThrowAnyException();
  }

  /** By one command at least; its value, too, if a command that is judged here has the option. */
  @ParameterizedTest
  @MethodSource("options")
  void anOptionIsUnderstood(String option) {
    List<String> words =
        Words.split(option.replaceAll(" (FILE|file|path)\\b", " /x").replaceAll(" mask$", " 022"));
    assertThat(Command.values())
        .as(option)
        .anyMatch(command -> new OptionWords(command).isKnown(words.getFirst()));
    if (words.size() == 1 && !option.contains("=")) {
      return;
    }
    List<String> answers = new ArrayList<>();
    for (Command command : JUDGES) {
      try {
        understand(command, command == Command.STOP ? words : withProgram(words));
        return;
      } catch (StartException refused) {
        answers.add(refused.getMessage());
      }
    }
    assertThat(answers)
        .as(option)
        // Another command has it, or it stands for itself only on the page.
        .allMatch(answer -> answer.startsWith("unknown option") || answer.contains(" is for "));
  }

  private static List<String> withProgram(List<String> words) {
    List<String> all = new ArrayList<>(words);
    all.addAll(List.of("--", "program"));
    return all;
  }

  @ParameterizedTest
  @MethodSource("definitions")
  void aDefinitionIsUnderstood(String text) {
    Definition definition = Definition.parse(text, "/etc/daimon/web.conf");
    List<String> words = new ArrayList<>(List.of("web"));
    List<String> control = new ArrayList<>(List.of("web"));
    for (Definition.Line line : definition.lines()) {
      String option = line.option() + (line.value() == null ? "" : "=" + line.value());
      (CommandOption.isDefinable(line.option().word(), Command.START) ? words : control)
          .add(option);
    }
    words.add("--");
    words.addAll(definition.program());
    assertThatCode(
            () -> {
              understand(Command.START, words);
              understand(Command.STOP, control);
            })
        .doesNotThrowAnyException();
  }

  /** As far as nothing depends on what is defined or runs on this machine. */
  private static void understand(Command command, List<String> words) {
    CommandLine line = CommandLine.parse(command, words);
    switch (command) {
      case START, RUN -> {
        if (words.contains("--")) {
          StartOptions.request(command, line);
        }
      }
      case SIGNAL -> ControlOptions.signal(line, "", line.words().getFirst());
      case STOP -> ControlOptions.policy(line);
      default -> {}
    }
    if (!command.takesProgram()) {
      assertThat(line.words()).hasSize(command == Command.SIGNAL ? 1 : 0);
    }
  }
}
