package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** A list of daemons, and how its cost grows with their number. */
final class Listing implements Experiment {
  private static final String LIST = "`daimon list`";
  private static final String STATUS = "`daimon status` of one";
  private static final String SLACK = "libslack `daemon --list`";
  private static final String DPKG = "a shell loop of `start-stop-daemon --status`";
  private static final double NANOS_OF_A_DAEMON = 50_000;

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "list",
            "Control: `daimon list`",
            "An ordinary user's named daemons, all of which are defined and run `sleep`. What"
                + " the peers say is not proved by a lock.");
    Goal goal =
        section.goal("At most twice the time of a status, and 50 µs a daemon", 1, " of that");
    Growth growth = new Growth(1, lab.mode.daemons);
    Samples time = new Samples();
    // The mark of the laboratory is in the environment of all of them, by which it ends them.
    Path directory = Files.createTempDirectory(lab.work, "list");
    List<String> user = user(lab, directory);
    int running = 0;
    for (int size : growth.sizes()) {
      start(lab, directory, user, running + 1, size);
      running = size;
      Stopwatch watch = new Stopwatch(lab);
      measure(lab, directory, user, watch, size);
      time.addAll(watch.run(lab.mode.slowRounds).wall);
    }
    growth.write(section, "daemons", time, List.of(LIST, STATUS, SLACK, DPKG));
    int most = growth.sizes().getLast();
    double allowed = 2 * time.median(Growth.at(STATUS, most)) + most * NANOS_OF_A_DAEMON;
    goal.check(Text.whole(most), time.median(Growth.at(LIST, most)) / allowed);
    return section;
  }

  /**
   * Makes a user namespace and this user's directories, and returns the words before each of the
   * user's commands. Root has no other place for its daemons than the machine's own.
   */
  private static List<String> user(Lab lab, Path directory) throws IOException {
    List<String> words = new ArrayList<>(List.of("env"));
    for (String name : List.of("runtime_dir", "state_home", "config_home")) {
      Path made = Files.createDirectory(directory.resolve(name));
      Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwx------"));
      words.add("XDG_" + name.toUpperCase(Locale.ROOT) + "=" + made);
    }
    Process holder =
        lab.builder(
                "unshare",
                "--user",
                "--map-user=1000",
                "--map-group=1000",
                "sh",
                "-c",
                "echo && exec sleep 10000")
            .start();
    if (holder.getInputStream().read() != '\n') {
      throw new IOException("unshare --user has failed");
    }
    words.addAll(
        0, List.of("nsenter", "-t", "" + holder.pid(), "--user", "--preserve-credentials"));
    return words;
  }

  private static void start(Lab lab, Path directory, List<String> user, int first, int last)
      throws IOException, InterruptedException {
    Path definitions = Files.createDirectories(directory.resolve("config_home/daimon"));
    for (int i = first; i <= last; i++) {
      Files.writeString(definitions.resolve("d" + i + ".conf"), "program sleep 10000\n");
    }
    lab.call(words(user, lab.daimon(), "start", "--all", "--oknodo"));
    String slack = lab.peer("daemon", "daemon");
    if (slack != null) {
      lab.call(
          "sh",
          "-c",
          "for i in $(seq $1 $2); do $0 -P $3 -n d$i -- sleep 10000 || exit; done",
          slack,
          "" + first,
          "" + last,
          directory.toString());
    }
  }

  private static void measure(
      Lab lab, Path directory, List<String> user, Stopwatch watch, int size) {
    watch.time(Growth.at(LIST, size), words(user, lab.daimon(), "list"));
    watch.time(Growth.at(STATUS, size), words(user, lab.daimon(), "status", "d1"));
    String slack = lab.peer("daemon", "daemon");
    if (slack != null) {
      watch.time(Growth.at(SLACK, size), slack, "-P", directory.toString(), "--list");
    }
    String dpkg = lab.peer("start-stop-daemon", "dpkg");
    if (dpkg != null) {
      watch.time(
          Growth.at(DPKG, size),
          "sh",
          "-c",
          "for f in $1/runtime_dir/daimon/*.pid; do $0 --status --pidfile $f || exit; done",
          dpkg,
          directory.toString());
    }
  }

  private static String[] words(List<String> user, String... command) {
    List<String> words = new ArrayList<>(user);
    words.addAll(Arrays.asList(command));
    return words.toArray(String[]::new);
  }
}
