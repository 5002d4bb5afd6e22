package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One part of the report: tables, plots, goals and whether they are reached, and notes. */
final class Section {
  private final String name;
  private final String title;
  private final List<String> lines = new ArrayList<>();
  private final List<Goal> goals = new ArrayList<>();
  private final List<Plot> plots = new ArrayList<>();

  Section(String name, String title, String introduction) {
    this.name = name;
    this.title = title;
    lines.add(introduction);
  }

  String title() {
    return title;
  }

  List<Goal> goals() {
    return goals;
  }

  List<Plot> plots() {
    return plots;
  }

  /** Adds a goal: the largest value that a figure may have, with its unit. */
  Goal goal(String words, double most, String unit) {
    Goal goal = new Goal(words, most, unit);
    goals.add(goal);
    return goal;
  }

  void say(String paragraph) {
    lines.add("");
    lines.add(paragraph);
  }

  /** Begins a table. */
  void table(String... columns) {
    lines.add("");
    row(columns);
    lines.add("|---" + "|---:".repeat(columns.length - 1) + "|");
  }

  void row(String... cells) {
    lines.add("| " + String.join(" | ", cells) + " |");
  }

  /** Begins a table for {@link #compare}: the first subject is Daimon, the last one the limit. */
  void comparison(String place, List<String> subjects) {
    List<String> columns = new ArrayList<>(subjects);
    columns.addFirst(place);
    columns.set(columns.size() - 1, subjects.getLast() + " (limit)");
    columns.add(subjects.getFirst() + " / limit");
    table(columns.toArray(String[]::new));
  }

  /**
   * A row with the time of each subject, and the ratio of the first to the last, which it returns.
   */
  double compare(String place, Samples time, List<String> subjects) {
    List<String> cells = new ArrayList<>(List.of(place));
    for (String subject : subjects) {
      cells.add(time.has(subject) ? Text.time(time.median(subject)) : "not installed");
    }
    double ratio = time.ratio(subjects.getFirst(), subjects.getLast());
    cells.add(Text.number(ratio));
    row(cells.toArray(String[]::new));
    return ratio;
  }

  Plot plot(String title, String x, String y) {
    Plot plot = new Plot(name + (plots.isEmpty() ? "" : "-" + (plots.size() + 1)), title, x, y);
    plots.add(plot);
    return plot;
  }

  /** Writes the plots that have data, and returns the text of the part. */
  String write(Path notes, Path images, String linkPrefix, boolean judged) throws IOException {
    StringBuilder text = new StringBuilder("## " + title + "\n\n");
    lines.forEach(line -> text.append(line).append('\n'));
    for (Plot plot : plots) {
      if (plot.isEmpty()) {
        continue;
      }
      plot.write(images);
      text.append("\n![").append(plot.title()).append("](");
      text.append(linkPrefix).append(plot.file()).append(")\n");
    }
    if (!judged) {
      return text.append('\n').toString();
    }
    if (!goals.isEmpty()) {
      text.append('\n');
    }
    for (Goal goal : goals) {
      text.append("* ").append(goal.words()).append(": ").append(goal.verdict()).append('\n');
    }
    Path note = notes.resolve(name + ".md");
    if (Files.exists(note)) {
      text.append('\n').append(Files.readString(note).strip()).append('\n');
    }
    return text.append('\n').toString();
  }
}
