package dev.daimon.benchmarks;

import java.io.IOException;
import java.util.List;

/** What a fork costs, which Daimon never makes. */
final class ForkCost implements Experiment {
  private static final List<String> WAYS = List.of("fork", "vfork", "posix_spawn");

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "fork",
            "What a fork costs",
            "A C program with that much resident memory runs `/bin/true` and waits for it, in three"
                + " ways. `fork` copies the page tables; the others share them until the exec.");
    Plot plot = section.plot("A C program that runs /bin/true", "resident memory, MiB", Plot.TIME);
    section.table("resident", "fork", "vfork", "posix_spawn", "fork / posix_spawn");
    for (int size : lab.mode == Mode.SMOKE ? List.of(64) : List.of(64, 1024, 4096, 8192)) {
      if (!Lab.hasMemory(size)) {
        section.row(size + " MiB", "not measured: too little free memory");
        continue;
      }
      Samples time = new Samples();
      int rounds = Math.max(1, lab.mode.rounds / 2);
      String[] command = {lab.c("fork"), "" + size, "" + rounds, "" + lab.mode.milliseconds};
      for (String line : lab.call(command).split("\n")) {
        String[] words = line.split(" ");
        time.add(words[0], Double.parseDouble(words[1]));
      }
      WAYS.forEach(way -> plot.point(way, size, time.median(way)));
      section.row(
          size + " MiB",
          Text.time(time.median("fork")),
          Text.time(time.median("vfork")),
          Text.time(time.median("posix_spawn")),
          Text.number(time.ratio("fork", "posix_spawn")));
    }
    return section;
  }
}
