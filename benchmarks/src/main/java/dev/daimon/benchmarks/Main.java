package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures everything, or the named parts, and writes the report: {@code [--smoke|--short|--full]
 * [--complete] [NAME...]}.
 */
final class Main {
  private static final int USAGE = 64;
  private static final int MISSING = 69;

  private static final Map<String, Experiment> EXPERIMENTS = new LinkedHashMap<>();

  static {
    EXPERIMENTS.put("sweep", new Sweep());
    EXPERIMENTS.put("spawn", new Spawn());
    EXPERIMENTS.put("fork", new ForkCost());
    EXPERIMENTS.put("detach", new Detach());
    EXPERIMENTS.put("lock", new Lock());
    EXPERIMENTS.put("pidfile", new PidFiles());
    EXPERIMENTS.put("status", new Status());
    EXPERIMENTS.put("command", new Command());
    EXPERIMENTS.put("ready", new Ready());
    EXPERIMENTS.put("list", new Listing());
    EXPERIMENTS.put("scale", new Scale());
    EXPERIMENTS.put("facade", new Facade());
    EXPERIMENTS.put("memory", new LeftBehind());
    EXPERIMENTS.put("pidfd", new Waits());
  }

  private Main() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Mode mode = Mode.SHORT;
    boolean complete = false;
    List<String> names = new ArrayList<>();
    for (String argument : arguments) {
      switch (argument) {
        case "--smoke" -> mode = Mode.SMOKE;
        case "--short" -> mode = Mode.SHORT;
        case "--full" -> mode = Mode.FULL;
        case "--complete" -> complete = true;
        default -> names.add(argument);
      }
    }
    if (!EXPERIMENTS.keySet().containsAll(names)) {
      System.err.println("usage: benchmarks/run [--smoke|--short|--full] [--complete] [NAME...]");
      System.err.println("names: " + String.join(" ", EXPERIMENTS.keySet()));
      System.exit(USAGE);
    }
    // A report on some parts, or of too short a time, does not replace the report in docs.
    boolean report = names.isEmpty() && mode != Mode.SMOKE;
    Lab lab = new Lab(mode);
    // Not a block: an interrupted run must leave nothing either.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> close(lab)));
    Path file = run(lab, names, report);
    System.err.println("benchmarks/run: written to " + lab.root.relativize(file));
    for (String peer : lab.missing) {
      System.err.println("benchmarks/run: not installed: " + peer);
    }
    if (complete && !lab.missing.isEmpty()) {
      System.exit(MISSING);
    }
  }

  private static void close(Lab lab) {
    try {
      lab.close();
    } catch (IOException failure) {
      System.err.println("benchmarks/run: " + failure);
    }
  }

  private static Path run(Lab lab, List<String> names, boolean report)
      throws IOException, InterruptedException {
    Path notes = lab.root.resolve("benchmarks/notes");
    Path target = lab.root.resolve("benchmarks/target/report");
    Path file = report ? lab.root.resolve("docs/benchmarks.md") : target.resolve("benchmarks.md");
    Path images = report ? lab.root.resolve("docs/benchmarks") : target;
    boolean judged = lab.mode != Mode.SMOKE;
    Machine machine = Machine.now();
    String head = Files.readString(notes.resolve("head.md")).strip() + "\n\n";
    Files.createDirectories(file.getParent());
    StringBuilder parts = new StringBuilder();
    StringBuilder summary = new StringBuilder("| goal | |\n|---|---|\n");
    for (var entry : EXPERIMENTS.entrySet()) {
      if (!names.isEmpty() && !names.contains(entry.getKey())) {
        continue;
      }
      long start = System.nanoTime();
      Section section = entry.getValue().run(lab);
      long seconds = (System.nanoTime() - start) / 1_000_000_000;
      System.err.println("benchmarks/run: " + entry.getKey() + ", " + seconds + " s");
      parts.append(section.write(notes, images, report ? "benchmarks/" : "", judged));
      for (Goal goal : judged ? section.goals() : List.<Goal>of()) {
        summary.append("| ").append(section.title()).append(": ").append(goal.words());
        summary.append(" | ").append(goal.verdict()).append(" |\n");
      }
      // After each part, so that an interrupted run is not lost.
      String text = head + machine.text(lab) + "\n" + (judged ? summary + "\n" : "") + parts;
      Files.writeString(file, text.stripTrailing() + "\n");
    }
    return file;
  }
}
