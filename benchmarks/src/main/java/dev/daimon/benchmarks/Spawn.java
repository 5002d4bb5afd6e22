package dev.daimon.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Starts a program and waits for it, from JVMs of several sizes. */
final class Spawn implements Experiment {
  private static final List<String> SUBJECTS =
      List.of("Daimon", "ProcessBuilder", "jnr-posix", "NuProcess", "JNA", "C posix_spawn");
  private static final int SMALLEST = 64;

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "spawn",
            "Spawn, exec and wait of `/bin/true`",
            "The JVM touches its whole heap before the first spawn (`-Xms`,"
                + " `-XX:+AlwaysPreTouch`). Daimon and the limit reset signals and close"
                + " descriptors; jnr-posix and JNA call `posix_spawn` and do neither.");
    Goal near = section.goal("Daimon at most 1.10 × C `posix_spawn`", 1.1, " ×");
    Goal faster = section.goal("Daimon takes at most half the time of `ProcessBuilder`", 0.5, " ×");
    Goal flat = section.goal("Daimon flat in the heap, beside 64 MiB", 1.1, " ×");
    Plot plot = section.plot("Spawn, exec and wait by size of the heap", "heap, MiB", Plot.TIME);
    section.comparison("heap, threads", SUBJECTS);
    List<String> allocated = new ArrayList<>();
    double smallest = 0;
    for (int heap :
        lab.mode == Mode.SMOKE ? List.of(SMALLEST) : List.of(SMALLEST, 1024, 4096, 8192)) {
      for (int threads : List.of(1, 200)) {
        if (threads > 1 && heap != SMALLEST && heap != 1024 && lab.mode != Mode.FULL) {
          continue;
        }
        String place = heap + " MiB, " + threads;
        if (!Lab.hasMemory(heap)) {
          section.row(place, "not measured: too little free memory");
          continue;
        }
        Map<String, Samples> samples = measure(lab, heap, threads);
        Samples time = samples.get("time");
        near.check(place, section.compare(place, time, SUBJECTS));
        faster.check(place, time.ratio("Daimon", "ProcessBuilder"));
        if (threads == 1) {
          SUBJECTS.forEach(subject -> plot.point(subject, heap, time.median(subject)));
          double ratio = time.ratio("Daimon", "C posix_spawn");
          smallest = smallest == 0 ? ratio : smallest;
          if (heap > SMALLEST) {
            // Compared with the limit as measured in the same minute.
            flat.check(heap + " MiB", ratio / smallest);
          }
          if (heap == SMALLEST) {
            for (String subject : SUBJECTS.subList(0, SUBJECTS.size() - 1)) {
              double bytes = samples.get("bytes").median(subject);
              allocated.add(subject + " " + Text.number(bytes));
            }
          }
        }
      }
    }
    section.say("Bytes allocated in the heap by a spawn: " + String.join(", ", allocated) + ".");
    return section;
  }

  private static Map<String, Samples> measure(Lab lab, int heap, int threads)
      throws IOException, InterruptedException {
    String size = "threads=" + threads;
    List<Subject> subjects =
        List.of(
            Subject.jmh("Daimon", "SpawnBenchmark.daimon", size),
            Subject.run("C posix_spawn", lab.c("spawn"), Subject.TIME),
            Subject.jmh("ProcessBuilder", "SpawnBenchmark.processBuilder", size),
            Subject.jmh("jnr-posix", "SpawnBenchmark.jnrPosix", size),
            Subject.jmh("NuProcess", "SpawnBenchmark.nuProcess", size),
            Subject.jmh("JNA", "SpawnBenchmark.jna", size));
    return lab.measure(
        List.of("-Xms" + heap + "m", "-Xmx" + heap + "m", "-XX:+AlwaysPreTouch"), subjects);
  }
}
