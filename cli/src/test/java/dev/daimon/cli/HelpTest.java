package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.startup.StartException.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HelpTest {
  private static final int WIDTH = 80;

  /** The example comes first, where it is seen. */
  @ParameterizedTest
  @EnumSource
  void theHelpOnACommandBeginsWithUsageAndExample(Command command) {
    assertThat(Help.of(command))
        .startsWith(
            "Usage: "
                + command.synopsis()
                + "\n\n  "
                + command.example()
                + "\n\n"
                + command.description().substring(0, 20))
        .endsWith("\n");
  }

  @ParameterizedTest
  @EnumSource
  void theHelpOnACommandHasALineForEachOption(Command command) {
    for (CommandOption option : CommandOption.of(command)) {
      String letter = option.letter() == null ? "      " : "  -" + option.letter() + ", ";
      String argument = option.argument() == null ? "" : " " + option.argument();
      String label = letter + option + argument;
      String firstWord = option.help().substring(0, option.help().indexOf(' ')).replace("`", "");

      assertThat(Help.of(command)).containsOnlyOnce("\n" + label);
      assertThat(Help.of(command).substring(Help.of(command).indexOf("\n" + label)))
          .matches("(?s)\n.{" + label.length() + "}\\s+\\Q" + firstWord + "\\E.*");
    }
  }

  @ParameterizedTest
  @EnumSource
  void theHelpFitsIntoAScreensWidth(Command command) {
    assertThat(Help.of(command).lines())
        .allMatch(line -> line.length() <= WIDTH)
        .noneMatch(line -> line.endsWith(" "))
        .noneMatch(line -> line.contains("`"));
  }

  @Test
  void timesAndSignalsAreExplainedWhereACommandTakesThem() {
    assertThat(Help.of(Command.STOP)).contains("\nTimes: ", "\nSignals: ");
    assertThat(Help.of(Command.WAIT)).contains("\nTimes: ").doesNotContain("\nSignals: ");
    assertThat(Help.of(Command.SIGNAL)).contains("\nSignals: ").doesNotContain("\nTimes: ");
    assertThat(Help.of(Command.STATUS)).doesNotContain("\nTimes: ", "\nSignals: ");
  }

  @Test
  void theOverviewHasTheCommandsAndTheExitCodesOnOneScreen() {
    assertThat(Help.overview().lines())
        .hasSizeLessThanOrEqualTo(24)
        .allMatch(line -> line.length() <= WIDTH);
    for (Command command : Command.values()) {
      assertThat(Help.overview()).containsOnlyOnce("\n  " + command.synopsis());
    }
    for (Reason reason : Reason.values()) {
      assertThat(Help.overview()).containsPattern("\\b" + reason.exitCode() + " [a-z]");
    }
  }
}
