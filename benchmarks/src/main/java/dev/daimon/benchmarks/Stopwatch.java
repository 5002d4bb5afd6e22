package dev.daimon.benchmarks;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A small C program times whole processes in turn; other commands between are not timed. */
final class Stopwatch {
  private final Lab lab;
  private final List<String> lines = new ArrayList<>();
  private final List<String> names = new ArrayList<>();
  private final List<String> mayFail = new ArrayList<>();

  /** Wall time in nanoseconds. */
  final Samples wall = new Samples();

  /** CPU time in nanoseconds, of the process and of the children that it has waited for. */
  final Samples cpu = new Samples();

  /** The number of failures that {@link #tryToTime} allows. */
  final Samples failures = new Samples();

  Stopwatch(Lab lab) {
    this.lab = lab;
  }

  Stopwatch time(String name, List<String> command) {
    names.add(name);
    lines.add(String.join("\t", command));
    return this;
  }

  Stopwatch time(String name, String... command) {
    return time(name, Arrays.asList(command));
  }

  /** As {@link #time}; failures are counted, and left out of the times. */
  Stopwatch tryToTime(String name, String... command) {
    mayFail.add(name);
    return time(name, command);
  }

  /** Adds words to the last command. */
  Stopwatch words(List<String> more) {
    lines.add(lines.removeLast() + "\t" + String.join("\t", more));
    return this;
  }

  /** Runs a command after the last one, in every round. */
  Stopwatch then(String... command) {
    names.add("");
    lines.add("-\t" + String.join("\t", command));
    return this;
  }

  /** Runs all commands; if there are several rounds, the first one is for warming up. */
  Stopwatch run(int rounds) throws IOException, InterruptedException {
    Process process =
        lab.builder(lab.c("stopwatch"), "" + rounds)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (Writer commands = process.outputWriter(StandardCharsets.UTF_8)) {
      commands.write(String.join("\n", lines) + "\n");
    }
    List<String> results = process.inputReader().lines().toList();
    if (process.waitFor() != 0) {
      throw new IOException("the stopwatch has failed");
    }
    for (String result : results) {
      String[] fields = result.split(" ");
      int line = Integer.parseInt(fields[1]);
      String name = names.get(line);
      boolean warmUp = rounds > 1 && fields[0].equals("0");
      boolean failed = !fields[5].equals("0");
      if (failed && !mayFail.contains(name)) {
        throw new IOException(lines.get(line) + " has failed with " + fields[5]);
      }
      if (warmUp) {
        continue;
      }
      failures.add(name, failed ? 1 : 0);
      if (!failed) {
        wall.add(name, Double.parseDouble(fields[2]));
        cpu.add(name, Double.parseDouble(fields[3]));
      }
    }
    return this;
  }

  int failed(String name) {
    return (int) failures.of(name).stream().mapToDouble(Double::doubleValue).sum();
  }
}
