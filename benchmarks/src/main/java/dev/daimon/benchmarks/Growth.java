package dev.daimon.benchmarks;

import java.util.ArrayList;
import java.util.List;

/** Times at growing sizes, which are powers of ten: a table with a column a size, and a plot. */
final class Growth {
  private final List<Integer> sizes = new ArrayList<>();

  Growth(int smallest, int largest) {
    for (int size = smallest; size <= largest; size *= 10) {
      sizes.add(size);
    }
  }

  List<Integer> sizes() {
    return sizes;
  }

  /** The name of a subject's samples at a size. */
  static String at(String subject, int size) {
    return subject + " at " + size;
  }

  /** The time at the largest size as a multiple of the time at the smallest one. */
  double ratio(Samples time, String subject) {
    return time.ratio(at(subject, sizes.getLast()), at(subject, sizes.getFirst()));
  }

  void write(Section section, String what, Samples time, List<String> subjects) {
    List<String> columns = new ArrayList<>(List.of(what));
    sizes.forEach(size -> columns.add(Text.whole(size)));
    columns.add("last / first");
    section.table(columns.toArray(String[]::new));
    Plot plot = section.plot("By the number of " + what, what, Plot.TIME);
    for (String subject : subjects) {
      List<String> cells = new ArrayList<>(List.of(subject));
      for (int size : sizes) {
        if (!time.has(at(subject, size))) {
          cells.add("not installed");
          continue;
        }
        double median = time.median(at(subject, size));
        cells.add(Text.time(median));
        plot.point(subject.replace("`", ""), size, median);
      }
      cells.add(time.has(at(subject, sizes.getLast())) ? Text.number(ratio(time, subject)) : "");
      section.row(cells.toArray(String[]::new));
    }
  }
}
