package dev.daimon.cli;

import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a daemon is started and stopped: options under the names that {@link CommandOption} has, and
 * the program. As a text, each option has a line, and the program has the last one, in the quoting
 * of {@link Words}. Immutable.
 */
final class Definition {
  /** The word that begins the last line. */
  static final String PROGRAM = "program";

  /**
   * One option.
   *
   * @param option the option, as a definition has it
   * @param value its value; null if it takes none
   * @param place where it was read, such as {@code /etc/daimon/web.conf:3}; null if it was typed
   */
  record Line(CommandOption option, @Nullable String value, @Nullable String place) {
    /** Whether it is a user with a group. */
    private boolean namesGroup() {
      return option == CommandOption.USER && value != null && value.indexOf(':') > 0;
    }

    /** The words of the program that reads the output; none if this names no such program. */
    private List<String> reader() {
      return (option == CommandOption.STDOUT || option == CommandOption.STDERR) && value != null
          ? OutputCommand.words(value)
          : List.of();
    }

    private Line withPath(Map<String, String> readers) {
      List<String> words = new ArrayList<>(reader());
      String path = words.isEmpty() ? null : readers.get(words.get(0));
      if (path == null || path.equals(words.get(0))) {
        return this;
      }
      words.set(0, path);
      return new Line(option, OutputCommand.value(words), place);
    }

    /** Whether the other one says the same; a program is so by its name, too. */
    private boolean isSame(Line other) {
      return Objects.equals(value, other.value)
          || (!reader().isEmpty() && isSameProgram(reader(), other.reader()));
    }

    private Line withoutGroup() {
      return namesGroup() && value != null
          ? new Line(option, value.substring(0, value.indexOf(':')), place)
          : this;
    }
  }

  private final List<Line> lines;
  private final List<String> program;
  private final @Nullable String programPlace;

  private Definition(List<Line> lines, List<String> program, @Nullable String programPlace) {
    this.lines = lines;
    this.program = program;
    this.programPlace = programPlace;
  }

  /** A definition of what was typed. */
  static Definition typed(List<Line> lines, List<String> program) {
    return new Definition(List.copyOf(lines), List.copyOf(program), null);
  }

  /**
   * Reads a definition.
   *
   * @param content the text, with one character for each byte
   * @param file the file's name, for messages
   * @throws StartException if it is none; the message begins with file and line
   */
  static Definition parse(String content, String file) {
    List<Line> lines = new ArrayList<>();
    List<String> program = List.of();
    String programPlace = null;
    int number = 0;
    int end;
    for (int start = 0; start < content.length(); start = end + 1) {
      int feed = content.indexOf('\n', start);
      end = feed < 0 ? content.length() : feed;
      String place = file + ":" + ++number;
      List<String> words = words(content.substring(start, end), place);
      if (words.isEmpty()) {
        continue;
      }
      if (programPlace != null) {
        throw wrong(place, "nothing may follow the program");
      }
      if (words.get(0).equals(PROGRAM)) {
        program = List.copyOf(words.subList(1, words.size()));
        programPlace = place;
        if (program.isEmpty() || program.get(0).isEmpty()) {
          throw wrong(place, "no program was given");
        }
      } else {
        lines.add(line(words, place, lines));
      }
    }
    if (programPlace == null) {
      throw wrong(file, "the last line must be: program PROGRAM [ARG...]");
    }
    return new Definition(List.copyOf(lines), program, programPlace);
  }

  /** The words of a line; none for a comment. */
  private static List<String> words(String line, String place) {
    int first = 0;
    while (first < line.length() && (line.charAt(first) == ' ' || line.charAt(first) == '\t')) {
      first++;
    }
    if (first == line.length() || line.charAt(first) == '#') {
      return List.of();
    }
    if (line.endsWith("\r")) {
      throw wrong(
          place, "the line ends with a carriage return: save it with the line ends of Unix");
    }
    try {
      return Words.split(line);
    } catch (IllegalArgumentException wrong) {
      throw wrong(place, wrong.getMessage());
    }
  }

  private static Line line(List<String> words, String place, List<Line> before) {
    String word = words.get(0);
    CommandOption option = CommandOption.definable(word);
    if (option == null) {
      throw wrong(place, unknown(word));
    }
    int values = words.size() - 1;
    if (option.argument() == null && values > 0) {
      throw wrong(place, word + " takes no value");
    }
    if (option.argument() != null && values != 1) {
      throw wrong(
          place,
          word + " needs " + (values == 0 ? "a value" : "one value; quote it if it has blanks"));
    }
    for (Line other : before) {
      if (other.option == option && !option.isRepeatable()) {
        throw wrong(place, word + " is given twice");
      }
    }
    return new Line(option, values == 0 ? null : words.get(1), place);
  }

  private static String unknown(String word) {
    String bare = word.startsWith("--") ? word.substring(2) : word;
    if (bare.equals(CommandOption.PIDFILE.word())) {
      return "a definition has no pidfile: the name is the pidfile's";
    }
    if (!bare.equals(word) && CommandOption.definable(bare) != null) {
      return "an option has no dashes here: " + bare;
    }
    for (CommandOption option : CommandOption.values()) {
      if (option.word().equals(bare)) {
        return bare + " belongs on the command line, and not in a definition";
      }
    }
    return "unknown option \"" + Text.readable(word) + "\"";
  }

  private static StartException wrong(String place, @Nullable String message) {
    return new StartException(Reason.CONFIGURATION, place + ": " + message);
  }

  /** The definition as a text, which is read as the same one. */
  String text() {
    StringBuilder text = new StringBuilder();
    for (Line line : lines) {
      text.append(text(line)).append('\n');
    }
    return text.append(programText()).append('\n').toString();
  }

  /** The line of an option. */
  static String text(Line line) {
    String word = line.option.word();
    return line.value == null ? word : word + " " + Words.quote(line.value);
  }

  /** The last line. */
  String programText() {
    return PROGRAM + " " + Words.join(program);
  }

  /** The options, in their order. */
  List<Line> lines() {
    return lines;
  }

  /** The program and its arguments. */
  List<String> program() {
    return program;
  }

  /** Where the program was read; null if it was typed. */
  @Nullable String programPlace() {
    return programPlace;
  }

  /** Whether the program daemonizes itself, and has the streams of the command's caller. */
  boolean isSelf() {
    return has(CommandOption.SELF.word()) || values(CommandOption.READY.word()).contains("exit");
  }

  /** Whether it has an option of this name. */
  boolean has(String word) {
    for (Line line : lines) {
      if (line.option.word().equals(word)) {
        return true;
      }
    }
    return false;
  }

  /** The values of the options of this name. */
  List<String> values(String word) {
    List<String> values = new ArrayList<>();
    for (Line line : withValue(word)) {
      values.add(Objects.requireNonNull(line.value));
    }
    return values;
  }

  /**
   * This definition with other options and another program in place of its own. An option replaces
   * all of the same {@linkplain CommandOption#replaces topic}, and one that names a group replaces
   * only the group of a user.
   *
   * @param typed the options; its program counts if it has one
   */
  Definition with(Definition typed) {
    List<Line> merged = new ArrayList<>();
    for (Line line : lines) {
      boolean replaced = false;
      Line kept = line;
      for (Line other : typed.lines) {
        replaced |=
            other.option.replaces(line.option)
                || (line.option == CommandOption.GROUP && other.namesGroup());
        kept = other.option == CommandOption.GROUP ? kept.withoutGroup() : kept;
      }
      if (!replaced) {
        merged.add(kept);
      }
    }
    merged.addAll(typed.lines);
    return typed.program.isEmpty()
        ? new Definition(List.copyOf(merged), program, programPlace)
        : new Definition(List.copyOf(merged), typed.program, typed.programPlace);
  }

  /** The options that say how the daemon is stopped, which count for another program, too. */
  Definition ofStop() {
    List<Line> kept = new ArrayList<>();
    for (Line line : lines) {
      if (CommandOption.isDefinable(line.option.word(), Command.STOP)) {
        kept.add(line);
      }
    }
    return new Definition(List.copyOf(kept), List.of(), null);
  }

  /**
   * This definition with the paths at which programs were found, in place of their names.
   *
   * @param path that of the program
   * @param readers those of the programs that read its output, by their names
   */
  Definition withPaths(String path, Map<String, String> readers) {
    List<String> words = new ArrayList<>(program);
    words.set(0, path);
    List<Line> found = new ArrayList<>(lines.size());
    for (Line line : lines) {
      found.add(readers.isEmpty() ? line : line.withPath(readers));
    }
    return new Definition(List.copyOf(found), List.copyOf(words), programPlace);
  }

  /** The names of the program and of those that read its output, as they were written. */
  List<String> programNames() {
    List<String> names = new ArrayList<>();
    names.add(program.get(0));
    for (CommandOption option : List.of(CommandOption.STDOUT, CommandOption.STDERR)) {
      for (Line line : withValue(option.word())) {
        List<String> reader = line.reader();
        if (!reader.isEmpty()) {
          names.add(reader.get(0));
        }
      }
    }
    return names;
  }

  /**
   * The names of the options that differ from another definition's, and {@code program}. A program
   * without a slash is the same as one that was found in a directory; so is a program that reads
   * the output.
   */
  List<String> differences(Definition other) {
    List<String> words = new ArrayList<>();
    for (CommandOption option : CommandOption.values()) {
      String word = option.word();
      if (option.isDefinable()
          && !words.contains(word)
          && (has(word) != other.has(word) || !areSame(withValue(word), other.withValue(word)))) {
        words.add(word);
      }
    }
    if (!isSameProgram(program, other.program)) {
      words.add(PROGRAM);
    }
    return words;
  }

  private List<Line> withValue(String word) {
    List<Line> found = new ArrayList<>();
    for (Line line : lines) {
      if (line.option.word().equals(word) && line.value != null) {
        found.add(line);
      }
    }
    return found;
  }

  private static boolean areSame(List<Line> some, List<Line> others) {
    if (some.size() != others.size()) {
      return false;
    }
    for (int i = 0; i < some.size(); i++) {
      if (!some.get(i).isSame(others.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** The {@link #differences} that a daemon shows which was started with the other definition. */
  List<String> differencesOfStart(Definition other) {
    List<String> words = new ArrayList<>();
    for (String word : differences(other)) {
      if (word.equals(PROGRAM) || CommandOption.isDefinable(word, Command.START)) {
        words.add(word);
      }
    }
    return words;
  }

  private static boolean isSameProgram(List<String> one, List<String> other) {
    if (one.isEmpty() || other.isEmpty()) {
      return one.isEmpty() == other.isEmpty();
    }
    return one.subList(1, one.size()).equals(other.subList(1, other.size()))
        && (one.get(0).equals(other.get(0))
            || one.get(0).endsWith("/" + other.get(0))
            || other.get(0).endsWith("/" + one.get(0)));
  }

  /**
   * Where the option was read that a message is about: the first one that the message names as it
   * is typed, such as {@code --umask}; of several with that name the one whose value, or a part of
   * it, the message quotes last. Null if it names none.
   */
  @Nullable String place(String message) {
    int semicolon = message.indexOf(';');
    String about = semicolon < 0 ? message : message.substring(0, semicolon);
    for (int dashes = about.indexOf("--"); dashes >= 0; dashes = about.indexOf("--", dashes + 2)) {
      int end = dashes + 2;
      while (end < about.length() && isOfWord(about.charAt(end))) {
        end++;
      }
      String place = place(about.substring(dashes + 2, end), message);
      if (place != null) {
        return place;
      }
    }
    return null;
  }

  private static boolean isOfWord(char c) {
    return (c >= 'a' && c <= 'z') || c == '-';
  }

  private @Nullable String place(String word, String message) {
    int end = message.lastIndexOf('"');
    String quoted = end < 1 ? "" : message.substring(message.lastIndexOf('"', end - 1) + 1, end);
    Line best = null;
    int closest = -1;
    for (Line line : lines) {
      int close = line.value == null ? 0 : closeness(Text.readable(line.value), message, quoted);
      if (line.option.word().equals(word) && line.place != null && close > closest) {
        best = line;
        closest = close;
      }
    }
    return best == null ? null : best.place;
  }

  /** How likely a message is about this value: that it quotes, or that is in it. */
  private static int closeness(String value, String message, String quoted) {
    if (value.equals(quoted)) {
      return Integer.MAX_VALUE;
    }
    if (!quoted.isEmpty() && value.contains(quoted)) {
      return Integer.MAX_VALUE - 1;
    }
    return message.contains(value) ? value.length() : 0;
  }

  /** Where an option of this name was read; null if it was not. */
  @Nullable String placeOf(String word) {
    return place(word, "");
  }
}
