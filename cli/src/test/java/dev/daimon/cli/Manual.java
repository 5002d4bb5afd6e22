package dev.daimon.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The manual: a page for the command, for each of its commands and for definitions. A page has one
 * text of its own in {@code src/test/resources/manual}. What others know is inserted: commands and
 * options from their tables, and the tables of {@code docs/command.md}.
 */
final class Manual {
  /** The page of definitions, named after their files. */
  static final String DEFINITION = "daimon.conf";

  private static final Path ROOT = Path.of(System.getProperty("daimon.root"));

  /** {@code <!-- table: FIRST CELL OF ITS HEAD -->}, and {@code : ROWS} if not all are wanted. */
  private static final Pattern TABLE = Pattern.compile("<!-- table: (.+?)(?: : (.+))? -->");

  private Manual() {}

  /** The pages by their path below {@code share/man}. */
  static Map<String, String> pages() throws IOException {
    Map<String, String> pages = new LinkedHashMap<>();
    pages.put("man1/daimon.1", page("daimon", 1, overview()));
    for (Command command : Command.values()) {
      String name = "daimon-" + command;
      String page = page(name, 1, head(command));
      pages.put("man1/" + name + ".1", page);
      if (command == Command.START) {
        // A second file, since mandoc warns about a reference to another one.
        pages.put("man1/daimonize.1", page);
      }
    }
    pages.put("man5/" + DEFINITION + ".5", page(DEFINITION, 5, definable()));
    return pages;
  }

  /**
   * Puts what the tables know into the text.
   *
   * @param inserted by the line in its place, such as {@code <!-- options -->}
   */
  private static String page(String name, int section, Map<String, String> inserted)
      throws IOException {
    String file = "src/test/resources/manual/" + name + ".md";
    StringBuilder markdown = new StringBuilder();
    Set<String> missing = new LinkedHashSet<>(inserted.keySet());
    for (String line : text(name).lines().toList()) {
      Matcher table = TABLE.matcher(line);
      if (table.matches()) {
        markdown.append(table(table.group(1), table.group(2)));
      } else {
        markdown.append(inserted.getOrDefault(line, line)).append('\n');
        missing.remove(line);
      }
    }
    if (!missing.isEmpty()) {
      throw new IllegalStateException(file + " has no line " + missing);
    }
    return ManualPage.of(name, section, "the option table and cli/" + file, markdown.toString());
  }

  private static String text(String name) throws IOException {
    try (InputStream in = Manual.class.getResourceAsStream("/manual/" + name + ".md")) {
      if (in == null) {
        throw new IOException("the manual has no text for " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static Map<String, String> overview() {
    StringBuilder synopses = new StringBuilder();
    StringBuilder commands = new StringBuilder();
    for (Command command : Command.values()) {
      synopses.append("    ").append(command.synopsis()).append('\n');
      commands.append("* `").append(command).append("`: ");
      commands.append(command.summary()).append(": daimon-").append(command).append("(1)\n");
    }
    return Map.of(
        "<!-- synopses -->", synopses.toString(), "<!-- commands -->", commands.toString());
  }

  private static Map<String, String> head(Command command) {
    StringBuilder options = new StringBuilder();
    for (CommandOption option : CommandOption.of(command)) {
      String letter = option.letter() == null ? "" : "`-" + option.letter() + "`, ";
      options.append("* ").append(letter).append('`').append(option).append('`');
      options.append(argument(option)).append(": ").append(option.fullHelp()).append('\n');
    }
    return Map.of(
        "<!-- synopsis -->",
        "    " + command.synopsis(),
        "<!-- description -->",
        command.description(),
        "<!-- options -->",
        options.toString(),
        "<!-- example -->",
        "    " + command.example());
  }

  private static Map<String, String> definable() {
    StringBuilder options = new StringBuilder();
    Set<String> words = new LinkedHashSet<>();
    for (CommandOption option : CommandOption.values()) {
      if (option.isDefinable() && words.add(option.word())) {
        options.append("* `").append(option.word()).append('`');
        options.append(argument(option)).append(": ").append(option.fullHelp()).append('\n');
      }
    }
    return Map.of("<!-- options -->", options.toString());
  }

  private static String argument(CommandOption option) {
    return option.argument() == null ? "" : " _" + option.argument() + "_";
  }

  /**
   * A table of the reference as a list.
   *
   * @param head the first cell of its first line
   * @param chosen the first cells of the lines that are wanted, separated by commas; null for all
   */
  private static String table(String head, @Nullable String chosen) throws IOException {
    List<String[]> rows = rows(head);
    List<String> wanted = chosen == null ? null : Arrays.asList(chosen.split(", ", -1));
    List<String> found = new ArrayList<>();
    StringBuilder list = new StringBuilder();
    for (String[] row : rows.subList(2, rows.size())) {
      String label = row[0].replace("`", "");
      if (wanted != null && !wanted.contains(label)) {
        continue;
      }
      found.add(label);
      list.append("* ").append(row[0].replace(": ", ", ")).append(": ");
      for (int i = 1; i < row.length; i++) {
        list.append(i == 1 ? "" : "; ").append(row.length == 2 ? "" : rows.get(0)[i] + ": ");
        list.append(row[i]);
      }
      list.append('\n');
    }
    if (wanted != null && !found.equals(wanted)) {
      throw new IllegalStateException("docs/command.md has " + found + ", not " + wanted);
    }
    return list.toString();
  }

  private static List<String[]> rows(String head) throws IOException {
    List<String[]> rows = new ArrayList<>();
    for (String line : Files.readAllLines(ROOT.resolve("docs/command.md"))) {
      if (line.startsWith("| " + head + " |") || (!rows.isEmpty() && line.startsWith("|"))) {
        String[] cells = line.substring(2, line.length() - 2).split(" \\| ", -1);
        rows.add(Arrays.stream(cells).map(cell -> cell.replace("\\|", "|")).toArray(String[]::new));
      } else if (!rows.isEmpty()) {
        return rows;
      }
    }
    throw new IllegalStateException("docs/command.md has no table that begins with " + head);
  }
}
