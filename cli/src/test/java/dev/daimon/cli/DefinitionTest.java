package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.cli.Definition.Line;
import dev.daimon.startup.StartException;
import dev.daimon.testing.NearlyValid;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DefinitionTest {
  private static final String FILE = "/etc/daimon/web.conf";

  private static Definition parse(String... lines) {
    return Definition.parse(String.join("\n", lines) + "\n", FILE);
  }

  private static List<String> words(Definition definition) {
    List<String> words = new ArrayList<>();
    for (Line line : definition.lines()) {
      words.add(line.option().word() + "=" + line.value());
    }
    return words;
  }

  @Provide
  Arbitrary<String> bytes() {
    return Arbitraries.strings().withCharRange('\u0001', '\u00ff').ofMaxLength(12);
  }

  /** Whatever the values and the arguments are. */
  @Property(tries = 300)
  void whatIsWrittenIsReadAsTheSame(
      @ForAll("bytes") String value, @ForAll("bytes") String program, @ForAll List<Boolean> which) {
    List<CommandOption> options =
        Arrays.stream(CommandOption.values()).filter(CommandOption::isDefinable).toList();
    List<Line> lines = new ArrayList<>();
    for (int i = 0; i < which.size() && i < options.size(); i++) {
      CommandOption option = CommandOption.definable(options.get(i).word());
      if (which.get(i) && lines.stream().noneMatch(line -> line.option() == option)) {
        lines.add(new Line(option, option.argument() == null ? null : value, null));
      }
    }
    Definition typed = Definition.typed(lines, List.of("/" + program, value, program));

    Definition read = Definition.parse(typed.text(), FILE);

    assertThat(words(read)).isEqualTo(words(typed));
    assertThat(read.program()).isEqualTo(typed.program());
    assertThat(read.text()).isEqualTo(typed.text());
    assertThat(read.differences(typed)).isEmpty();
  }

  @Test
  @Tag("torture")
  void whatIsNearlyADefinitionIsReadAsTheSameOrRefusedWithItsLine() throws Exception {
    NearlyValid.of(
            "# The web server\nuser www\nnice 5\nenv A=b\nenv 'C=d e'\nprogram /usr/bin/web -v\n",
            "ready tcp:80\nready-timeout 10s\nrlimit core=0\n\n  truncate\nprogram web '' #",
            "stdout \"/var/log/f\u00c3\u00bcr\\x20alle\"\nthen KILL:5s\nprogram a\n",
            "program /bin/true\n")
        .check(input -> {
          String text = NearlyValid.text(input);
          Definition definition;
          try {
            definition = Definition.parse(text, FILE);
          } catch (StartException refused) {
            assertThat(refused).hasMessageStartingWith(FILE + ":");
            assertThat(isDefinition(text)).isFalse();
            return false;
          }
          assertThat(isDefinition(text)).isTrue();
          Definition again = Definition.parse(definition.text(), FILE);
          assertThat(words(again)).isEqualTo(words(definition));
          assertThat(again.program()).isEqualTo(definition.program());
          return true;
        });
  }

  /** The grammar, from its end: the last line that says something is the program's. */
  private static boolean isDefinition(String text) {
    List<List<String>> lines = new ArrayList<>();
    for (String line : text.split("\n", -1)) {
      if (!line.matches("(?s)[ \t]*(#.*)?")) {
        try {
          lines.add(Words.split(line));
        } catch (IllegalArgumentException wrong) {
          return false;
        }
      }
    }
    List<String> names = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      List<String> line = lines.get(i);
      CommandOption option = CommandOption.definable(line.get(0));
      boolean last = i == lines.size() - 1;
      if (last != line.get(0).equals("program")) {
        return false;
      }
      if (!last) {
        int values = option == null || option.argument() == null ? 0 : 1;
        if (option == null
            || line.size() != 1 + values
            || (names.contains(option.word()) && !option.isRepeatable())) {
          return false;
        }
        names.add(option.word());
      }
    }
    return !lines.isEmpty() && lines.getLast().size() > 1 && !lines.getLast().get(1).isEmpty();
  }

  @Test
  void commentsAndEmptyLinesAreNothing() {
    Definition definition =
        parse(
            "# a comment 'with a quote", "", "  user\tweb", " \t# another", "program web # x", "");

    assertThat(words(definition)).containsExactly("user=web");
    assertThat(definition.program()).containsExactly("web", "#", "x");
    assertThat(definition.placeOf("user")).isEqualTo(FILE + ":3");
    assertThat(definition.programPlace()).isEqualTo(FILE + ":5");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "stdot /x         | 2: unknown option \"stdot\"",
        "--stdout /x      | 2: an option has no dashes here: stdout",
        "-o /x            | 2: unknown option \"-o\"",
        "pidfile /x       | 2: a definition has no pidfile",
        "verbose          | 2: verbose belongs on the command line",
        "json             | 2: json belongs on the command line",
        "stdout           | 2: stdout needs a value",
        "env A=b c        | 2: env needs one value; quote it if it has blanks",
        "truncate yes     | 2: truncate takes no value",
        "user a           | 2: user is given twice",
        "program          | 2: no program was given",
        "program ``       | 2: no program was given",
        "env 'A=b         | 2: column 5: the quote ' is not closed",
        "program a        | 3: nothing may follow the program",
      })
  void whatIsWrongIsToldWithFileAndLine(String line, String message) {
    String wrong = line.replace("``", "\"\"");
    assertThatThrownBy(() -> parse("user web", wrong, "program web"))
        .isInstanceOf(StartException.class)
        .hasMessageStartingWith(FILE + ":" + message);
  }

  @Test
  void lineEndsOfWindowsAreTold() {
    assertThatThrownBy(() -> parse("# A comment\r", "nice 5\r", "program web\r"))
        .hasMessageStartingWith(FILE + ":2: the line ends with a carriage return");
  }

  @Test
  void theProgramIsNeverMissing() {
    assertThatThrownBy(() -> parse("user web"))
        .hasMessage(FILE + ": the last line must be: program PROGRAM [ARG...]");
    assertThatThrownBy(() -> Definition.parse("", FILE)).isInstanceOf(StartException.class);
  }

  @Test
  void whatIsTypedReplacesAllLinesOfTheSameTopic() {
    Definition file =
        parse("truncate", "env A=1", "env B=2", "ready tcp:80", "ready-timeout 1m", "program web");
    Definition typed =
        Definition.typed(
            List.of(
                new Line(CommandOption.APPEND, null, null),
                new Line(CommandOption.ENV, "C=3", null),
                new Line(CommandOption.ALIVE, "1s", null)),
            List.of());

    Definition merged = file.with(typed);

    assertThat(words(merged)).containsExactly("append=null", "env=C=3", "wait=1s");
    assertThat(merged.program()).containsExactly("web");
    assertThat(merged.differences(file))
        .containsExactly("truncate", "append", "env", "ready", "ready-timeout", "wait");
  }

  @Test
  void aProgramIsTheSameByItsNameAndByThePathThatWasFound() {
    Definition definition = parse("program web -x");

    assertThat(definition.differences(parse("program /usr/bin/web -x"))).isEmpty();
    assertThat(definition.differences(parse("program /usr/bin/webb -x")))
        .containsExactly("program");
    assertThat(definition.differences(parse("program web -y"))).containsExactly("program");

    Definition read = parse("stdout '|rd -x'", "program web -x");
    assertThat(read.differences(parse("stdout \"|/opt/rd '-x'\"", "program web -x"))).isEmpty();
    for (String other : List.of("|/opt/ard -x", "|rd -y", "|rd -x y", "rd -x", "|")) {
      assertThat(read.differences(parse("stdout '" + other + "'", "program web -x")))
          .containsExactly("stdout");
    }
  }

  @Test
  void howADaemonIsStoppedIsNoDifferenceOfItsStart() {
    Definition now = parse("signal INT", "nice 3", "then KILL:1s", "program web");
    Definition then = parse("signal TERM", "overlap", "program web");

    assertThat(now.differencesOfStart(then)).containsExactly("nice");
    assertThat(now.differences(then)).containsExactly("nice", "signal", "then", "overlap");
  }

  @Test
  void aMessageIsPlacedByTheOptionThatItNames() {
    Definition definition = parse("rlimit core=0", "rlimit nofle=1", "self", "program web");

    assertThat(definition.place("--rlimit: no resource nofle=1")).isEqualTo(FILE + ":2");
    assertThat(definition.place("--self and --stdout exclude each other")).isEqualTo(FILE + ":3");
    assertThat(definition.place("--stdout wants x; see --self")).isNull();
    assertThat(definition.place("--self-made is wrong")).isNull();
  }

  @Test
  void whatIsTypedReplacesWhatCannotGoWithIt() {
    Definition definition =
        parse("user web:www", "group staff", "ready tcp:1", "ready-timeout 2s", "program a");
    Definition group =
        Definition.typed(List.of(new Line(CommandOption.GROUP, "g", null)), List.of());
    Definition user = Definition.typed(List.of(new Line(CommandOption.USER, "u", null)), List.of());
    Definition both =
        Definition.typed(List.of(new Line(CommandOption.USER, "u:g", null)), List.of());
    Definition ready =
        Definition.typed(List.of(new Line(CommandOption.READY, "exec", null)), List.of());

    List<String> wait = List.of("ready=tcp:1", "ready-timeout=2s");
    assertThat(words(definition.with(ready)))
        .containsExactly("user=web:www", "group=staff", "ready=exec");
    assertThat(words(definition.with(group))).contains("user=web", "group=g").containsAll(wait);
    assertThat(words(definition.with(user))).contains("group=staff", "user=u");
    assertThat(words(definition.with(both))).doesNotContain("group=staff").contains("user=u:g");
  }
}
