package dev.daimon.benchmarks;

import java.io.IOException;
import java.util.List;

/** The status of a daemon that runs: in process, and as a command. */
final class Status implements Experiment {
  private static final List<String> SUBJECTS = List.of("Daimon", "C, the same calls");

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "status",
            "Control: `status()`",
            "The status of a daemon that runs, with the proof that its process holds"
                + " the lock. In process, beside the same system calls in C.");
    Goal quick = section.goal("At most 50 µs in process", 50, " µs");
    section.comparison("in process", SUBJECTS);
    String pidFile = lab.work.resolve("status.pid").toString();
    lab.call(lab.daimon(), "start", "-p", pidFile, "--", "sleep", "10000");
    try {
      List<Subject> subjects =
          List.of(
              Subject.jmh("Daimon", "StatusBenchmark.daimon", "path=" + pidFile),
              Subject.run(SUBJECTS.getLast(), lab.c("status"), pidFile, Subject.TIME));
      Samples time = lab.measure(List.of("-Xms256m", "-Xmx256m"), subjects).get("time");
      section.compare("`status()`", time, SUBJECTS);
      quick.check("`status()`", time.median("Daimon") / 1000);
      commands(lab, section, pidFile);
    } finally {
      lab.call(lab.daimon(), "stop", "-p", pidFile);
    }
    return section;
  }

  private static void commands(Lab lab, Section section, String pidFile)
      throws IOException, InterruptedException {
    section.say(
        "As whole processes. The peers ask whether any process has the pid (`kill(pid,"
            + " 0)` or `/proc`), so they take another process with a reused id for the daemon:");
    Stopwatch watch = new Stopwatch(lab);
    watch.time("`daimon status`", lab.daimon(), "status", "-p", pidFile);
    String slack = lab.peer("daemon", "daemon");
    String name = "daimon-benchmark";
    if (slack != null) {
      lab.call(slack, "-P", lab.work.toString(), "-n", name, "--", "sleep", "10000");
      watch.time(
          "libslack `daemon --running`", slack, "-P", lab.work.toString(), "-n", name, "--running");
    }
    String dpkg = lab.peer("start-stop-daemon", "dpkg");
    if (dpkg != null) {
      watch.time("`start-stop-daemon --status`", dpkg, "--status", "--pidfile", pidFile);
    }
    try {
      watch.run(lab.mode.processRounds);
    } finally {
      if (slack != null) {
        lab.call(slack, "-P", lab.work.toString(), "-n", name, "--stop");
      }
    }
    section.table("command", "time", "`daimon status` / it");
    for (String one :
        List.of("`daimon status`", "libslack `daemon --running`", "`start-stop-daemon --status`")) {
      if (watch.wall.has(one)) {
        double ratio = watch.wall.ratio("`daimon status`", one);
        section.row(one, Text.time(watch.wall.median(one)), Text.number(ratio));
      } else {
        section.row(one, "not installed", "");
      }
    }
  }
}
