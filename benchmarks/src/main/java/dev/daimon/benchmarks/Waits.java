package dev.daimon.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Waits for many children at once. */
final class Waits implements Experiment {
  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "pidfd",
            "Pidfd futures",
            "Futures wait for children that sleep: `PidFd.exited()` in one JVM, and"
                + " `Process.onExit()` in another; the C program uses epoll. The latency is"
                + " the time from just before a child is killed until its future is completed.");
    Goal half = section.goal("Median latency at most the JDK's", 1, " ×");
    Goal tail = section.goal("99th percentile at most the JDK's", 1, " ×");
    Goal thread = section.goal("One thread, however many children", 1, " threads");
    Plot latency = section.plot("From a child's end to the completion", "children", Plot.TIME);
    Plot memory = section.plot("Memory of a wait, in the JVM", "children", "bytes");
    section.table(
        "children",
        "p50: Daimon",
        "JDK",
        "C epoll (limit)",
        "p99: Daimon",
        "JDK",
        "C epoll (limit)",
        "threads: Daimon",
        "JDK",
        "bytes a wait: Daimon",
        "JDK",
        "all others' ends: Daimon",
        "JDK",
        "C epoll (limit)");
    boolean smoke = lab.mode == Mode.SMOKE;
    for (int children : smoke ? List.of(1, 10) : List.of(1, 100, lab.mode.children)) {
      String place = Text.whole(children);
      Samples samples = measure(lab, children);
      List<String> cells = new ArrayList<>(List.of(place));
      for (String figure : List.of("p50", "p99")) {
        for (String who : List.of("daimon", "jdk", "c")) {
          cells.add(Text.time(samples.median(who + " " + figure)));
        }
      }
      for (String figure : List.of("threads", "bytes")) {
        for (String who : List.of("daimon", "jdk")) {
          boolean meaningful = children >= 100 || figure.equals("threads");
          long value = Math.round(samples.median(who + " " + figure));
          cells.add(meaningful ? Text.whole(value) : "");
        }
      }
      for (String who : List.of("daimon", "jdk", "c")) {
        cells.add(children == 1 ? "" : Text.time(samples.median(who + " all")));
      }
      section.row(cells.toArray(String[]::new));
      half.check(place, samples.ratio("daimon p50", "jdk p50"));
      tail.check(place, samples.ratio("daimon p99", "jdk p99"));
      thread.check(place, samples.median("daimon threads"));
      latency.point("Daimon p50", children, samples.median("daimon p50"));
      latency.point("Daimon p99", children, samples.median("daimon p99"));
      latency.point("JDK p50", children, samples.median("jdk p50"));
      latency.point("JDK p99", children, samples.median("jdk p99"));
      latency.point("C p50", children, samples.median("c p50"));
      latency.point("C p99", children, samples.median("c p99"));
      if (children >= 100) {
        memory.point("Daimon", children, Math.max(1, samples.median("daimon bytes")));
        memory.point("JDK", children, Math.max(1, samples.median("jdk bytes")));
      }
    }
    return section;
  }

  private static Samples measure(Lab lab, int children) throws IOException, InterruptedException {
    Samples samples = new Samples();
    // Thousands of children take so long that there are few rounds.
    int rounds = children > 100 && lab.mode != Mode.FULL ? 1 : lab.mode.slowRounds;
    for (int round = 0; round < rounds; round++) {
      for (String who :
          round % 2 == 0 ? List.of("daimon", "c", "jdk") : List.of("jdk", "c", "daimon")) {
        String ends = String.valueOf(lab.mode.ends);
        String[] command =
            who.equals("c")
                ? new String[] {lab.c("waits"), "" + children, ends}
                : new String[] {
                  lab.java(),
                  "-XX:+UseSerialGC",
                  "-Xms256m",
                  "-Xmx256m",
                  "-XX:+AlwaysPreTouch",
                  "--enable-native-access=ALL-UNNAMED",
                  "-cp",
                  lab.classPath,
                  "dev.daimon.benchmarks.WaitsProgram",
                  who,
                  "" + children,
                  ends
                };
        add(samples, who, lab.call(command));
      }
    }
    return samples;
  }

  private static void add(Samples samples, String who, String output) {
    List<Double> latencies = new ArrayList<>();
    for (String line : output.split("\n")) {
      String[] words = line.split(" ");
      double figure = Double.parseDouble(words[1]);
      if (words[0].equals("latency")) {
        latencies.add(figure);
      } else {
        samples.add(who + " " + words[0], figure);
      }
    }
    samples.add(who + " p50", Samples.quantile(latencies, 0.5));
    samples.add(who + " p99", Samples.quantile(latencies, 0.99));
  }
}
