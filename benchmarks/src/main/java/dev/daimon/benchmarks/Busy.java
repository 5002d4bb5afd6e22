package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The command on a machine with very many processes and locks, and on the same machine idle. */
final class Busy implements Experiment {
  private static final int LOCKS_OF_A_PROCESS = 10;
  private static final String[] ACTIONS = {
    "`daimon start`", "`daimon status`", "`daimon stop`", "`daimon status` of a dead daemon",
  };

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    String processes = Integer.toString(lab.mode.children);
    String locks = Integer.toString(lab.mode.children * LOCKS_OF_A_PROCESS);
    Section section =
        new Section(
            "busy",
            "A busy machine",
            "The command on a machine with "
                + processes
                + " other processes and "
                + locks
                + " record locks, and without them.");
    Goal twice = section.goal("At most twice the time of an idle machine", 2, " ×");
    Path directory = Files.createTempDirectory(lab.work, "busy");
    String crowd = lab.c("crowd").toString();
    Stopwatch watch = new Stopwatch(lab);
    actions(watch, lab.daimon(), directory, "");
    watch.then(crowd, "begin", directory.toString(), processes, locks);
    actions(watch, lab.daimon(), directory, " there");
    watch.then(crowd, "end", directory.toString());
    try {
      watch.run(lab.mode.slowRounds);
    } finally {
      lab.call(crowd, "end", directory.toString());
    }
    section.table("command", "idle", "busy", "busy / idle", "of CPU");
    for (String action : ACTIONS) {
      double ratio = watch.wall.ratio(action + " there", action);
      section.row(
          action,
          Text.time(watch.wall.median(action)),
          Text.time(watch.wall.median(action + " there")),
          Text.number(ratio),
          Text.number(watch.cpu.ratio(action + " there", action)));
      twice.check(action, ratio);
    }
    return section;
  }

  private static void actions(Stopwatch watch, String daimon, Path directory, String where)
      throws IOException {
    String pidFile = directory + "/busy.pid";
    // The highest id of all, which no process has.
    String dead = Files.writeString(directory.resolve("dead.pid"), "4194304\n").toString();
    watch
        .time(ACTIONS[0] + where, daimon, "start", "-p", pidFile, "--", "sleep", "10000")
        .time(ACTIONS[1] + where, daimon, "status", "-p", pidFile)
        .time(ACTIONS[2] + where, daimon, "stop", "-p", pidFile)
        .time(ACTIONS[3] + where, "sh", "-c", "\"$0\" status -p \"$1\"; [ $? = 1 ]", daimon, dead);
  }
}
