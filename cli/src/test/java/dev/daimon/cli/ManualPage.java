package dev.daimon.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A manual page in the macro language of {@code man(7)}, made of a text in the few marks of
 * Markdown that it needs: sections ({@code ##}), paragraphs, lists ({@code * TERM: TEXT}, {@code -
 * TEXT}), code in backquotes, placeholders in underscores, examples with four blanks in front.
 */
final class ManualPage {
  /** The pages change with the commands and options: when that was last. */
  private static final String DATE = "2026-11-29";

  private static final int WIDTH = 100;

  private static final Pattern LINK = Pattern.compile("\\[([^]]+)]\\([^)]+\\)");
  private static final Pattern PAGE = Pattern.compile("\\b([a-z][a-z_.-]*)\\(([1-8])\\)");
  private static final Pattern PLACEHOLDER = Pattern.compile("_([^_ ]+)_");
  private static final Pattern TERM = Pattern.compile("\\* (.+?): (.+)");

  private final StringBuilder text = new StringBuilder();

  /** Whether the last line was a macro behind which a paragraph begins by itself. */
  private boolean isAtStart;

  private ManualPage() {}

  /**
   * A page.
   *
   * @param name its name, such as {@code daimon-start}
   * @param section the manual's section
   * @param source from what it is made, for a reader of the page's source
   * @param markdown its text
   */
  static String of(String name, int section, String source, String markdown) {
    ManualPage page = new ManualPage();
    page.text.append(".\\\" Made from ").append(source).append(": see CONTRIBUTING.md.\n");
    page.macro(".TH " + name.toUpperCase(Locale.ROOT) + " " + section + " " + DATE + " Daimon");
    List<String> block = new ArrayList<>();
    for (String line : markdown.lines().toList()) {
      boolean endsBlock =
          line.isBlank()
              || line.startsWith("## ")
              || line.startsWith("* ")
              || line.startsWith("- ");
      if (endsBlock && !block.isEmpty()) {
        page.block(block);
        block.clear();
      }
      if (line.startsWith("## ")) {
        page.macro(".SH " + line.substring(3));
      } else if (!line.isBlank()) {
        block.add(line);
      }
    }
    if (!block.isEmpty()) {
      page.block(block);
    }
    return page.text.toString();
  }

  private static boolean isCode(List<String> block) {
    return !block.isEmpty() && block.getFirst().startsWith("    ");
  }

  private void block(List<String> lines) {
    if (isCode(lines)) {
      if (!isAtStart) {
        macro(".sp");
      }
      macro(".RS 4");
      macro(".EX");
      for (String line : lines) {
        text.append(guarded(escaped(line.substring(4), true))).append('\n');
      }
      macro(".EE");
      macro(".RE");
      isAtStart = false;
      return;
    }
    String joined = String.join(" ", lines.stream().map(String::strip).toList());
    Matcher term = TERM.matcher(joined);
    if (term.matches()) {
      macro(".TP");
      text.append(guarded(styled(term.group(1)))).append('\n');
      prose(term.group(2));
    } else if (joined.startsWith("- ")) {
      macro(".IP \\(bu 2");
      prose(joined.substring(2));
    } else {
      if (!isAtStart) {
        macro(".PP");
      }
      prose(joined);
    }
    isAtStart = false;
  }

  private void macro(String line) {
    text.append(line).append('\n');
    isAtStart = line.startsWith(".SH");
  }

  /** Appends a paragraph in lines that are not too long. */
  private void prose(String words) {
    StringBuilder line = new StringBuilder();
    for (String word : styled(LINK.matcher(words).replaceAll("$1")).split(" ", -1)) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > WIDTH) {
        text.append(guarded(line.toString())).append('\n');
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    text.append(guarded(line.toString())).append('\n');
  }

  /** Code and the names of pages in bold type, placeholders in italics. */
  private static String styled(String words) {
    StringBuilder styled = new StringBuilder();
    String[] parts = words.replace("**", "").split("`", -1);
    if (parts.length % 2 == 0) {
      throw new IllegalArgumentException("a backquote without another: " + words);
    }
    for (int i = 0; i < parts.length; i++) {
      boolean isCode = i % 2 == 1;
      String part = escaped(parts[i], isCode);
      styled.append(isCode ? "\\fB" + part + "\\fR" : references(part));
    }
    return styled.toString();
  }

  private static String references(String words) {
    String placed = PLACEHOLDER.matcher(words).replaceAll("\\\\fI$1\\\\fR").replace(" - ", " \\- ");
    return PAGE.matcher(placed)
        .replaceAll(page ->
            Matcher.quoteReplacement(
                "\\fB" + page.group(1).replace("-", "\\-") + "\\fR(" + page.group(2) + ")"));
  }

  /** What is typed must not become a typographic dash or quote. */
  private static String escaped(String words, boolean isCode) {
    String escaped = words.replace("\\", "\\e").replace("…", "...");
    return isCode
        ? escaped
            .replace("-", "\\-")
            .replace("'", "\\(aq")
            .replace("~", "\\(ti")
            .replace("^", "\\(ha")
        : escaped;
  }

  /** A line of text must not look like a macro. */
  private static String guarded(String line) {
    return line.startsWith(".") || line.startsWith("'") ? "\\&" + line : line;
  }
}
