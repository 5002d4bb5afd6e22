package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How the cost of the command grows with the machine's other processes and locks. */
final class Scale implements Experiment {
  private static final int LOCKS_OF_A_PROCESS = 10;
  private static final int FEWEST = 10;

  private static final String START = "`daimon start`";
  private static final String STATUS = "`daimon status`";
  private static final String STOP = "`daimon stop`";
  private static final String DEAD = "`daimon status` of a dead daemon";
  private static final String SLACK = "libslack `daemon --running`";
  private static final String DPKG = "`start-stop-daemon --status`, by pidfile";
  private static final String SEARCH = "`start-stop-daemon --status`, by program";

  private static final String SLACK_NAME = "daimon-benchmark-scale";

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "scale",
            "A machine with many processes and locks",
            "Whole commands beside more and more other processes, each of which has "
                + LOCKS_OF_A_PROCESS
                + " record locks.");
    Goal twice = section.goal("With the most at most twice the time with the fewest", 2, " ×");
    Path directory = Files.createTempDirectory(lab.work, "scale");
    String crowd = lab.c("crowd");
    String pidFile = directory.resolve("running.pid").toString();
    String slack = lab.peer("daemon", "daemon");
    Growth growth = new Growth(FEWEST, lab.mode.children);
    Stopwatch watch = new Stopwatch(lab);
    for (int size : growth.sizes()) {
      String locks = Integer.toString(size * LOCKS_OF_A_PROCESS);
      watch.then(crowd, "begin", directory.toString(), Integer.toString(size), locks);
      ours(lab, watch, directory, size);
      peers(lab, watch, slack, pidFile, size);
      watch.then(crowd, "end", directory.toString());
    }
    lab.call(lab.daimon(), "start", "-p", pidFile, "--", "sleep", "10000");
    if (slack != null) {
      lab.call(slack, "-P", lab.work.toString(), "-n", SLACK_NAME, "--", "sleep", "10000");
    }
    try {
      watch.run(lab.mode.slowRounds);
    } finally {
      lab.call(crowd, "end", directory.toString());
      lab.call(lab.daimon(), "stop", "-p", pidFile);
      if (slack != null) {
        lab.call(slack, "-P", lab.work.toString(), "-n", SLACK_NAME, "--stop");
      }
    }
    growth.write(
        section,
        "other processes",
        watch.wall,
        List.of(START, STATUS, STOP, DEAD, SLACK, DPKG, SEARCH));
    for (String one : List.of(START, STATUS, STOP, DEAD)) {
      twice.check(one, growth.ratio(watch.wall, one));
    }
    return section;
  }

  private static void ours(Lab lab, Stopwatch watch, Path directory, int size) throws IOException {
    String daimon = lab.daimon();
    String pidFile = directory + "/scale.pid";
    // The highest id of all, which no process has.
    String dead = Files.writeString(directory.resolve("dead.pid"), "4194304\n").toString();
    watch
        .time(Growth.at(START, size), daimon, "start", "-p", pidFile, "--", "sleep", "10000")
        .time(Growth.at(STATUS, size), daimon, "status", "-p", pidFile)
        .time(Growth.at(STOP, size), daimon, "stop", "-p", pidFile)
        .time(
            Growth.at(DEAD, size), "sh", "-c", "\"$0\" status -p \"$1\"; [ $? = 1 ]", daimon, dead);
  }

  private static void peers(
      Lab lab, Stopwatch watch, @Nullable String slack, String pidFile, int size) {
    if (slack != null) {
      String work = lab.work.toString();
      watch.time(Growth.at(SLACK, size), slack, "-P", work, "-n", SLACK_NAME, "--running");
    }
    String dpkg = lab.peer("start-stop-daemon", "dpkg");
    if (dpkg != null) {
      watch
          .time(Growth.at(DPKG, size), dpkg, "--status", "--pidfile", pidFile)
          .time(Growth.at(SEARCH, size), dpkg, "--status", "--exec", "/bin/sleep");
    }
  }
}
