package dev.daimon.cli;

import dev.daimon.posix.Capability;
import dev.daimon.posix.Resource;
import dev.daimon.posix.Signal;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** The tables of the shells' completions, made from those of the commands and options. */
final class Completions {
  private static final Pattern CONDITION = Pattern.compile("`([a-z]+)(:[^`]*)?`");

  private Completions() {}

  /** The commands and options for bash. */
  static String bash() {
    StringBuilder text = new StringBuilder();
    text.append("_daimon_commands=(").append(words(List.of(Command.values()))).append(")\n");
    text.append("_daimon_signals=(").append(words(signals())).append(")\n");
    text.append("_daimon_capabilities=(").append(words(capabilities())).append(")\n");
    text.append("_daimon_limits=(").append(words(List.of(Resource.values()))).append(")\n\n");
    text.append("# Sets options: \"OPTION\", or \"OPTION=VALUE\".\n");
    text.append("_daimon_options() {\n    case $1 in\n");
    for (Command command : Command.values()) {
      text.append("    ").append(command).append(")\n        options=(\n");
      for (CommandOption option : CommandOption.of(command)) {
        String value = option.argument() == null ? "" : "=" + value(option);
        text.append("            ");
        if (option.letter() != null) {
          text.append("'-").append(option.letter()).append(value).append("' ");
        }
        text.append('\'').append(option).append(value).append("'\n");
      }
      text.append("        )\n        ;;\n");
    }
    return text.append("    *) return 1 ;;\n    esac\n}\n").toString();
  }

  /** The commands and options for zsh. */
  static String zsh() {
    StringBuilder text = new StringBuilder("_daimon_table() {\n    daimon_commands=(\n");
    for (Command command : Command.values()) {
      text.append("        ").append(quoted(command + ":" + command.summary())).append('\n');
    }
    text.append("    )\n");
    text.append("    daimon_signals=(").append(words(signals())).append(")\n");
    text.append("    daimon_capabilities=(").append(words(capabilities())).append(")\n");
    text.append("    daimon_limits=(").append(words(List.of(Resource.values()))).append(")\n");
    text.append("}\n\n_daimon_options() {\n    case $command in\n");
    for (Command command : Command.values()) {
      text.append("    ").append(command).append(")\n        specs=(\n");
      for (CommandOption option : CommandOption.of(command)) {
        text.append("            ").append(specification(option)).append('\n');
      }
      text.append("        )\n        ;;\n");
    }
    return text.append("    *) return 1 ;;\n    esac\n}\n").toString();
  }

  /** What {@code _arguments} wants to know of an option. */
  private static String specification(CommandOption option) {
    boolean takesValue = option.argument() != null;
    boolean isRepeatable = option.fullHelp().contains("(repeatable");
    String rest = "[" + shortHelp(option).replaceAll("([\\[\\]:\\\\])", "\\\\$1") + "]";
    if (takesValue) {
      String message = String.valueOf(option.argument()).replace(":", "\\:");
      String value = value(option).replace(":", "\\:");
      rest += ":" + message + ":" + (value.isEmpty() ? "" : "{_daimon_value \"" + value + "\"}");
    }
    String word = option + (takesValue ? "=" : "");
    if (option.letter() == null) {
      return quoted((isRepeatable ? "*" : "") + word + rest);
    }
    String letter = "-" + option.letter() + (takesValue ? "+" : "");
    return quoted(isRepeatable ? "*" : "(-" + option.letter() + " " + option + ")")
        + ("{" + letter + "," + word + "}")
        + quoted(rest);
  }

  /** The commands and options for fish. */
  static String fish() {
    StringBuilder text = new StringBuilder();
    for (Command command : Command.values()) {
      String summary = quoted(command.summary());
      text.append("complete -c daimon -n '__daimon_is \"\"' -a ").append(command);
      text.append(" -d ").append(summary).append('\n');
      text.append("complete -c daimon -n '__daimon_is help' -a ").append(command);
      text.append(" -d ").append(summary).append('\n');
    }
    text.append("complete -c daimon -n '__daimon_is \"\"' -a help -d 'the options of a command'\n");
    text.append("complete -c daimon -n '__daimon_is \"\"' -s h -l help\n");
    text.append("complete -c daimon -n '__daimon_is \"\"' -s V -l version\n");
    text.append("complete -c daimon -n '__daimon_wants signal' -a ");
    text.append(quoted(words(signals()))).append('\n');
    for (Command command : Command.values()) {
      for (CommandOption option : CommandOption.of(command)) {
        text.append("complete -c daimon ").append(command == Command.START ? "-c daimonize " : "");
        text.append("-n '__daimon_is ").append(command).append('\'');
        text.append(option.letter() == null ? "" : " -s " + option.letter());
        text.append(" -l ").append(option.word()).append(fishValue(option));
        text.append(" -d ").append(quoted(shortHelp(option))).append('\n');
      }
    }
    text.append("\n# Tells whether the next word is the value of a command's option.\n");
    text.append("function __daimon_awaits\n    set -l awaits\n    switch $argv[1]\n");
    for (Command command : Command.values()) {
      text.append("        case ").append(command).append("\n            set awaits ");
      text.append(quoted(awaits(command))).append('\n');
    }
    text.append("    end\n    set -q awaits[1]; and string match -qr -- $awaits $argv[2]\nend\n");
    return text.toString();
  }

  /** What fish wants to know of an option's value. */
  private static String fishValue(CommandOption option) {
    if (option.argument() == null) {
      return "";
    }
    boolean hasFiles = false;
    List<String> words = new ArrayList<>();
    for (String kind : value(option).split("\\|", -1)) {
      switch (kind) {
        case "@file" -> hasFiles = true;
        case "@directory" -> words.add("(__fish_complete_directories)");
        case "@user", "@owner" -> words.add("(__fish_complete_users)");
        case "@group" -> words.add("(__fish_complete_groups)");
        case "@signal" -> words.addAll(signals());
        case "@step" -> words.add(words(signals()).replace(" ", ": ") + ":");
        case "@capability" -> words.addAll(capabilities());
        case "@limit" -> words.add(words(List.of(Resource.values())).replace(" ", "= ") + "=");
        default -> words.add(kind.replace("@file", ""));
      }
    }
    String list = String.join(" ", words).strip();
    return (hasFiles ? " -rF" : " -x") + (list.isEmpty() ? "" : " -a " + quoted(list));
  }

  /** A pattern of the options of a command that take a value. */
  private static String awaits(Command command) {
    StringBuilder letters = new StringBuilder();
    StringBuilder flags = new StringBuilder();
    List<String> words = new ArrayList<>();
    for (CommandOption option : CommandOption.of(command)) {
      String letter = option.letter() == null ? "" : option.letter();
      (option.argument() == null ? flags : letters).append(letter);
      if (option.argument() != null) {
        words.add(option.word());
      }
    }
    return (letters.isEmpty() ? "" : "^-[" + flags + "]*[" + letters + "]$|")
        + ("^--(" + String.join("|", words) + ")$");
  }

  private static String shortHelp(CommandOption option) {
    return option.help().replace("`", "").split(";", -1)[0];
  }

  /**
   * What may be an option's value: words, and behind an {@code @} what the shell knows, separated
   * by {@code |}. Empty if nothing is known; a word that ends with a colon is a beginning.
   */
  static String value(CommandOption option) {
    String argument = String.valueOf(option.argument());
    return switch (argument) {
      case "PATH" ->
          option == CommandOption.CHDIR || option == CommandOption.CHROOT ? "@directory" : "@file";
      case "OUTPUT" -> "@file|journal|syslog|syslog:";
      case "USER[:GROUP]" -> "@owner";
      case "USER" -> "@user";
      case "NAME" -> option.word().equals("user") ? "@user" : "";
      case "GROUP" -> "@group";
      case "LIST|none" -> "@group|none";
      case "NAME|none" -> "@capability|none";
      case "NAME=SOFT[:HARD]" -> "@limit";
      case "SIGNAL" -> "@signal";
      case "SIGNAL:T" -> "@step|none";
      case "ADDRESS" -> "tcp:|unix:@file";
      case "WHEN" -> conditions(option.help());
      default -> argument.matches("[a-z]+(\\|[a-z]+)*") ? argument : "";
    };
  }

  /** The conditions that the help has in backquotes. */
  private static String conditions(String help) {
    List<String> found = new ArrayList<>();
    for (MatchResult condition : CONDITION.matcher(help).results().toList()) {
      String rest = condition.group(2);
      if (rest == null || rest.matches(":[a-z]+")) {
        found.add(condition.group().replace("`", ""));
      } else {
        found.add(condition.group(1) + ":" + (rest.equals(":PATH") ? "@file" : ""));
      }
    }
    return String.join("|", found);
  }

  private static List<String> signals() {
    List<String> names = new ArrayList<>();
    for (int number = 1; number <= Signal.SYS.number(); number++) {
      names.add(Signal.of(number).name().substring("SIG".length()));
    }
    return names;
  }

  private static List<String> capabilities() {
    List<String> names = new ArrayList<>();
    for (Capability capability : Capability.values()) {
      names.add(capability.name());
    }
    return names;
  }

  private static String words(List<?> words) {
    StringBuilder text = new StringBuilder();
    for (Object word : words) {
      text.append(text.isEmpty() ? "" : " ").append(word);
    }
    return text.toString();
  }

  /** In single quotes, for both shells. */
  private static String quoted(String text) {
    return "'" + text.replace("'", "'\\''") + "'";
  }
}
