package dev.daimon.benchmarks;

import java.io.IOException;
import java.util.List;

/** Closes ranges of descriptors. */
final class Sweep implements Experiment {
  private static final List<String> SUBJECTS =
      List.of("Daimon", "JNA loop", "C close loop", "C /proc/self/fd", "C close_range");
  private static final int THOUSAND = 1024;

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "sweep",
            "Descriptor sweep",
            "Each subject closes a range of descriptor numbers, of which the first are"
                + " open: Daimon and JNA in a JVM, the others in a C program. Opening the"
                + " descriptors is not measured. (A close loop takes as long for numbers"
                + " beyond the process's limit, where each call fails.)");
    Goal near = section.goal("Daimon at most 1.3 × `close_range` at every size", 1.3, " ×");
    Goal flat = section.goal("Daimon flat in `nofile` (1 Mi beside 1 Ki, 3 open)", 1.3, " ×");
    Plot byNumbers =
        section.plot("Sweep of 3 open descriptors", "numbers in the range (nofile)", Plot.TIME);
    Plot byOpen = section.plot("Sweep of 20 Ki numbers", "open descriptors", Plot.TIME);
    section.comparison("numbers, open", SUBJECTS);
    boolean smoke = lab.mode == Mode.SMOKE;
    double smallest = 0;
    for (int numbers : smoke ? List.of(THOUSAND) : List.of(THOUSAND, 20 * THOUSAND, 1 << 20)) {
      for (int open : smoke ? List.of(3) : List.of(3, 1000, 10_000)) {
        if (open > numbers) {
          continue;
        }
        Samples time = measure(lab, numbers, open);
        String place = Text.binary(numbers) + ", " + Text.whole(open);
        near.check(place, section.compare(place, time, SUBJECTS));
        double daimon = time.median("Daimon");
        if (open == 3) {
          SUBJECTS.forEach(subject -> byNumbers.point(subject, numbers, time.median(subject)));
          smallest = smallest == 0 ? daimon : smallest;
          if (numbers > THOUSAND) {
            flat.check(Text.binary(numbers), daimon / smallest);
          }
        }
        if (numbers == 20 * THOUSAND || smoke) {
          SUBJECTS.forEach(subject -> byOpen.point(subject, open, time.median(subject)));
        }
      }
    }
    return section;
  }

  private static Samples measure(Lab lab, int numbers, int open)
      throws IOException, InterruptedException {
    String[] size = {"numbers=" + numbers, "open=" + open};
    List<Subject> subjects =
        List.of(
            Subject.jmh("Daimon", "SweepBenchmark.daimon", size),
            limit(lab, "C close_range", "range", numbers, open),
            Subject.jmh("JNA loop", "SweepBenchmark.jna", size),
            limit(lab, "C close loop", "loop", numbers, open),
            limit(lab, "C /proc/self/fd", "proc", numbers, open));
    return lab.measure(List.of("-Xms256m", "-Xmx256m"), subjects).get("time");
  }

  private static Subject limit(Lab lab, String name, String way, int numbers, int open)
      throws IOException, InterruptedException {
    return Subject.run(name, lab.c("sweep"), way, "" + numbers, "" + open, Subject.TIME);
  }
}
