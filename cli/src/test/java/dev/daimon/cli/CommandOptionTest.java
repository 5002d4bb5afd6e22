package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.control.StopPolicy;
import dev.daimon.posix.Signal;
import dev.daimon.startup.StartException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CommandOptionTest {
  @ParameterizedTest
  @EnumSource
  void noCommandHasTwoOptionsOfOneName(Command command) {
    List<String> names = new ArrayList<>();
    for (CommandOption option : CommandOption.of(command)) {
      names.add(option.word());
      if (option.letter() != null) {
        names.add(option.letter());
      }
    }

    assertThat(names).contains("help").doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @EnumSource
  void theParserTakesEveryOptionOfTheCommand(Command command) {
    List<String> words = new ArrayList<>();
    for (CommandOption option : CommandOption.of(command)) {
      words.add(option.toString());
      if (option.argument() != null) {
        words.add("/value");
      }
    }
    words.add("word");

    CommandLine line = CommandLine.parse(command, words);

    assertThat(CommandOption.of(command))
        .allMatch(line::has)
        .filteredOn(option -> option.argument() != null)
        .allMatch(option -> line.values(option).equals(List.of("/value")));
    assertThat(line.words()).containsExactly("word");
  }

  @ParameterizedTest
  @EnumSource
  void theParserRefusesTheOptionsOfOtherCommands(Command command) {
    Set<String> own = new HashSet<>();
    CommandOption.of(command).forEach(option -> own.add(option.word()));
    for (CommandOption option : CommandOption.values()) {
      if (!own.contains(option.word())) {
        assertThat(refusal(command, option.toString()))
            .isEqualTo("unknown option " + option + "; see daimon help " + command);
      }
    }
  }

  private static String refusal(Command command, String word) {
    try {
      CommandLine _ = CommandLine.parse(command, List.of(word, "true"));
      return "";
    } catch (StartException refused) {
      return refused.getMessage();
    }
  }

  /** Each default is what the command does without the option; so it is no second literal. */
  @Test
  void theDefaultsThatTheHelpNamesAreThoseOfTheCommand() {
    CommandLine stop = CommandLine.parse(Command.STOP, List.of("-p", "/x.pid"));
    Request start = StartOptions.request(Command.START, CommandLine.parse(Command.START, words()));

    assertThat(ControlOptions.policy(stop)).isEqualTo(StopPolicy.DEFAULT);
    StopPolicy.Step first = StopPolicy.DEFAULT.steps().getFirst();
    assertThat(Signal.parse(value(CommandOption.FIRST_SIGNAL))).isEqualTo(first.signal());
    assertThat(CommandLine.duration(value(CommandOption.TIMEOUT))).isEqualTo(first.patience());
    CommandLine named =
        CommandLine.parse(Command.STOP, List.of("--then", value(CommandOption.THEN)));
    assertThat(ControlOptions.policy(named)).isEqualTo(StopPolicy.DEFAULT);
    assertThat(start.startTimeout)
        .isEqualTo(CommandLine.duration(value(CommandOption.READY_TIMEOUT)));
    assertThat(start.directory).hasToString(value(CommandOption.CHDIR));
    assertThat(start.umask).isEqualTo(Integer.parseInt(value(CommandOption.UMASK), 8));
    assertThat(start.rootsPidFile ? "root" : "user").isEqualTo(value(CommandOption.PIDFILE_OWNER));
    assertThat(start.guardFile()).hasToString("/x.guard");
    assertThat(value(CommandOption.GUARD)).isEqualTo("x.guard beside x.pid");
    assertThat(start.standardError).hasToString("/x.err");
    assertThat(value(CommandOption.STDERR)).endsWith("x.err beside x.out");
  }

  private static List<String> words() {
    return List.of("-p", "/x.pid", "-o", "/x.out", "true");
  }

  private static String value(CommandOption option) {
    return String.valueOf(option.defaultValue()).replace("`", "");
  }

  /** An option of a start is definable, unless it says how the command is to behave this time. */
  @Test
  void aDefinitionHasAllOptionsOfAStartButTheseFew() {
    Set<String> others = new TreeSet<>();
    for (Command command : List.of(Command.START, Command.RUN, Command.RESTART)) {
      for (CommandOption option : CommandOption.of(command)) {
        if (!CommandOption.isDefinable(option.word(), command)) {
          others.add(option.word());
        }
      }
    }

    assertThat(others)
        .containsExactly(
            "all", "dry-run", "foreground", "help", "oknodo", "pidfile", "save", "verbose");
    assertThat(CommandOption.isDefinable("timeout", Command.STOP)).isTrue();
    assertThat(CommandOption.isDefinable("timeout", Command.WAIT)).isFalse();
  }
}
