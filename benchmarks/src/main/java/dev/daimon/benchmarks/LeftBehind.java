package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The processes that a start leaves beside the daemon, and their memory. */
final class LeftBehind implements Experiment {
  private static final String VARIABLE = "DAIMON_BENCHMARK=";

  /** The time that processes get to end after the start. */
  private static final int MILLISECONDS = 1000;

  /** A process that carries the mark of a start. */
  private record Found(long pid, String command, long kibibytes) {}

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "memory",
            "Memory left behind",
            "The processes with the environment of the start, one second after it has"
                + " returned, without the daemon itself; and their resident memory.");
    Goal none = section.goal("No process of Daimon's stays", 0, " processes");
    section.table("starter", "processes left", "resident");
    Daemons daemons = new Daemons(lab);
    String pidFile = lab.work.resolve("left.pid").toString();
    String name = "daimon-benchmark-left";
    String work = lab.work.toString();
    none.check(
        "daimon start",
        row(
            lab,
            section,
            "`daimon start -- sleep`",
            pidFile,
            List.of(lab.daimon(), "start", "-p", pidFile, "--", "sleep", "10000"),
            List.of(lab.daimon(), "stop", "-p", pidFile)));
    none.check(
        "facade",
        row(
            lab,
            section,
            "Daimon's facade, hello",
            pidFile,
            daemons.hello(pidFile, List.of()),
            List.of(lab.daimon(), "stop", "-p", pidFile)));
    String daemonize = lab.peer("daemonize", "daemonize");
    List<String> kill = List.of("sh", "-c", "kill $(cat " + pidFile + ") && rm " + pidFile);
    row(
        lab,
        section,
        "daemonize",
        pidFile,
        daemonize == null ? null : List.of(daemonize, "-p", pidFile, "/bin/sleep", "10000"),
        kill);
    row(
        lab,
        section,
        "start-stop-daemon",
        pidFile,
        daemons.startStopDaemon(pidFile, "/bin/sleep", "10000"),
        kill);
    String slack = lab.peer("daemon", "daemon");
    row(
        lab,
        section,
        "libslack daemon",
        work + "/" + name + ".clientpid",
        slack == null ? null : List.of(slack, "-i", "-P", work, "-n", name, "--", "sleep", "10000"),
        List.of("" + slack, "-P", work, "-n", name, "--stop"));
    row(
        lab,
        section,
        "jsvc -wait, hello",
        pidFile,
        daemons.jsvc(pidFile, "-wait", "10"),
        daemons.jsvc(pidFile, "-stop"));
    return section;
  }

  /** Starts a daemon, counts, and stops it; returns how many processes were left. */
  private static int row(
      Lab lab,
      Section section,
      String name,
      String pidFile,
      @Nullable List<String> start,
      @Nullable List<String> stop)
      throws IOException, InterruptedException {
    if (start == null || stop == null) {
      section.row(name, "not installed", "");
      return 0;
    }
    String mark = UUID.randomUUID().toString();
    ProcessBuilder builder = lab.builder(start.toArray(String[]::new));
    builder.environment().put(VARIABLE.replace("=", ""), mark);
    // The daemon may keep these open, so this must not read them to their end.
    builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    Process process = builder.start();
    if (process.waitFor() != 0) {
      throw new IOException(start + " has failed");
    }
    Thread.sleep(MILLISECONDS);
    List<Found> left = new ArrayList<>();
    long daemon = Long.parseLong(Files.readString(Path.of(pidFile)).strip());
    try {
      left.addAll(find(VARIABLE + mark));
    } finally {
      lab.call(stop.toArray(String[]::new));
    }
    if (!left.removeIf(found -> found.pid() == daemon)) {
      throw new IOException(name + ": the daemon " + daemon + " does not carry the mark");
    }
    long kibibytes = left.stream().mapToLong(Found::kibibytes).sum();
    List<String> commands = left.stream().map(Found::command).toList();
    section.row(
        name,
        left.isEmpty() ? "0" : left.size() + " (" + String.join(", ", commands) + ")",
        Text.mebibytes(kibibytes));
    return left.size();
  }

  private static List<Found> find(String mark) throws IOException {
    List<Found> found = new ArrayList<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
      for (Path process : processes) {
        try {
          String environment = read(process.resolve("environ"));
          if (environment.contains(mark)) {
            String status = read(process.resolve("status"));
            long pid = Long.parseLong(process.getFileName().toString());
            String command = read(process.resolve("comm")).strip();
            found.add(new Found(pid, command, resident(status)));
          }
        } catch (IOException ended) {
          // It has ended since it was listed.
        }
      }
    }
    return found;
  }

  private static long resident(String status) {
    for (String line : status.split("\n")) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    return 0;
  }

  private static String read(Path path) throws IOException {
    return new String(Files.readAllBytes(path), StandardCharsets.ISO_8859_1);
  }
}
