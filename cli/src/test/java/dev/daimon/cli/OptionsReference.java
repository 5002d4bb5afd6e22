package dev.daimon.cli;

/** The reference of the options in {@code docs/command.md}, made from their table. */
final class OptionsReference {
  private OptionsReference() {}

  /** The options as a table in Markdown. */
  static String markdown() {
    StringBuilder text = new StringBuilder();
    text.append("| option | meaning | commands |\n|---|---|---|\n");
    for (CommandOption option : CommandOption.values()) {
      row(text, label(option), option.fullHelp(), commands(option));
    }
    return text.toString();
  }

  private static String label(CommandOption option) {
    String letter = option.letter() == null ? "" : "`-" + option.letter() + "`, ";
    String argument = option.argument() == null ? "" : " " + option.argument();
    return letter + "`" + option + argument + "`";
  }

  private static String commands(CommandOption option) {
    StringBuilder text = new StringBuilder();
    int count = 0;
    for (Command command : Command.values()) {
      if (option.isTakenBy(command)) {
        text.append(count++ == 0 ? "" : ", ").append(command);
      }
    }
    return count == Command.values().length ? "all" : text.toString();
  }

  private static void row(StringBuilder text, String... cells) {
    for (String cell : cells) {
      text.append("| ").append(cell.replace("|", "\\|")).append(' ');
    }
    text.append("|\n");
  }
}
