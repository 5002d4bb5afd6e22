package dev.daimon.cli;

/** What {@code --help} prints, at most 80 columns wide. */
final class Help {
  private static final int WIDTH = 80;

  /** The column in which the text about a command begins. */
  private static final int SUMMARY = 48;

  /** The column in which the text about an option begins. */
  private static final int TEXT = 25;

  private static final String USAGE =
      "Usage: daimon COMMAND [options]; NAME is a daemon's name, or else -p PIDFILE\n"
          + "(which show, check and logs do not have)\n\n  ";

  private static final String EXIT_STATUSES =
      """

      Exit statuses: 0 it runs (stop, wait: it does not; signal, reload: it was sent),
      1 dead, and a pidfile is left, 3 not running, 4 it cannot be shown whether it
      runs, 64 usage, 66 program or log missing, 67 no such user or group, 69 already
      running, 70 not started, 71 a system call failed, 73 a file cannot be made,
      opened or locked, 75 timed out, 77 no permission, 128 + n by signal n
      """;

  private static final String PROGRAM =
      """

      NAME is a daemon's name, by which its files have theirs; -p PATH is without one.
      Paths are absolute. PROGRAM is found as a shell finds it, from the directory you
      are in. Without a name "--" may be left out.
      """;

  private static final String TIMES =
      """

      Times: 10s, 500ms, 2m, 1h; a number alone counts seconds.
      """;

  private static final String SIGNALS =
      """

      Signals: TERM, SIGTERM, 15, RTMIN+1.
      """;

  private Help() {}

  /** The commands and the exit statuses. */
  static String overview() {
    StringBuilder text = new StringBuilder(USAGE);
    text.append(Command.START.example()).append("\n\n");
    for (Command command : Command.values()) {
      row(text, "  " + command.synopsis(), command.summary(), SUMMARY);
    }
    row(text, "  daimon help COMMAND | --version", "the options; the version", SUMMARY);
    return text.append(EXIT_STATUSES).toString();
  }

  /** A command with its options. */
  static String of(Command command) {
    StringBuilder text = new StringBuilder("Usage: ");
    text.append(command.synopsis()).append("\n\n  ").append(command.example()).append("\n\n");
    wrap(text, command.description(), 0);
    text.append('\n');
    boolean hasTimes = false;
    boolean hasSignals = command == Command.SIGNAL;
    for (CommandOption option : CommandOption.of(command)) {
      row(text, label(option), option.fullHelp(), TEXT);
      String argument = String.valueOf(option.argument());
      hasTimes |= argument.equals("T") || argument.equals("SIGNAL:T");
      hasSignals |= argument.startsWith("SIGNAL");
    }
    text.append(command.takesProgram() ? PROGRAM : "");
    text.append(hasTimes ? TIMES : "");
    return text.append(hasSignals ? SIGNALS : "").toString();
  }

  private static String label(CommandOption option) {
    String letter = option.letter() == null ? "      " : "  -" + option.letter() + ", ";
    return letter + option + (option.argument() == null ? "" : " " + option.argument());
  }

  /** Two columns; a label that is too long has a line of its own. */
  private static void row(StringBuilder text, String label, String help, int column) {
    text.append(label);
    if (help.isEmpty()) {
      text.append('\n');
      return;
    }
    boolean fits = label.length() < column;
    text.append(fits ? "" : "\n").repeat(' ', fits ? column - label.length() : column);
    wrap(text, help, column);
  }

  /** Appends words, and breaks the line before one that does not fit. */
  private static void wrap(StringBuilder text, String words, int indent) {
    int column = indent;
    int end;
    for (int start = 0; start < words.length(); start = end + 1) {
      int space = words.indexOf(' ', start);
      end = space < 0 ? words.length() : space;
      String word = words.substring(start, end).replace("`", "");
      if (column > indent && column + 1 + word.length() > WIDTH) {
        text.append('\n').repeat(' ', indent);
        column = indent;
      } else if (column > indent) {
        text.append(' ');
        column++;
      }
      text.append(word);
      column += word.length();
    }
    text.append('\n');
  }
}
