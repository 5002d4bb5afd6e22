package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The command, from the shell to its verdict. */
final class Command implements Experiment {
  private static final String WORLD = "hello-world `java`";
  private static final String START = "`daimon start -- /bin/true`";
  private static final String STATUS = "`daimon status`";
  private static final String PLAIN = ", no cache";

  /** The options that suit a JVM with a short life; the command's own JVM has similar ones. */
  private static final List<String> QUICK = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "command",
            "`daimon start -- /bin/true` and `daimon status`",
            "Whole processes, as installed. The hello world has the JVM options that suit it"
                + " (`"
                + String.join(" ", QUICK)
                + "`).");
    Goal near = section.goal("At most 1.6 hello worlds with the cache", 1.6, " ×");
    Goal ahead = section.goal("At most a tenth of jsvc's time", 0.1, " ×");
    Daemons daemons = new Daemons(lab);
    String plain = withoutCache(lab);
    String pidFile = lab.work.resolve("command.pid").toString();
    lab.call(lab.daimon(), "start", "-p", pidFile, "--", "sleep", "10000");
    Stopwatch watch = new Stopwatch(lab);
    Stopwatch slow = new Stopwatch(lab);
    boolean jsvc;
    try {
      daemons.world(watch, WORLD, QUICK.toArray(String[]::new));
      daemons.start(watch, START, lab.daimon());
      watch.time(STATUS, lab.daimon(), "status", "-p", pidFile);
      daemons.start(watch, START + PLAIN, plain);
      watch.time(STATUS + PLAIN, plain, "status", "-p", pidFile);
      peers(lab, daemons, watch);
      watch.run(lab.mode.processRounds);
      daemons.start(slow, START, lab.daimon());
      jsvc = daemons.jsvc(slow, "jsvc -wait");
      if (jsvc) {
        slow.run(lab.mode.slowRounds);
      }
    } finally {
      lab.call(lab.daimon(), "stop", "-p", pidFile);
    }
    section.table("command", "time", "CPU", "as hello worlds", "of CPU");
    for (String one : new String[] {WORLD, START, STATUS, START + PLAIN, STATUS + PLAIN}) {
      row(section, watch, one);
    }
    for (String one : new String[] {"daemonize", "start-stop-daemon", "libslack daemon"}) {
      row(section, watch, one);
    }
    near.check(START, watch.wall.ratio(START, WORLD));
    near.check(STATUS, watch.wall.ratio(STATUS, WORLD));
    if (jsvc) {
      double time = slow.wall.median("jsvc -wait");
      double ratio = time / watch.wall.median(WORLD);
      String cpu = Text.time(slow.cpu.median("jsvc -wait"));
      section.row("jsvc -wait, a Java hello", Text.time(time), cpu, Text.number(ratio), "");
      ahead.check(START, slow.wall.ratio(START, "jsvc -wait"));
    } else {
      section.row("jsvc -wait, a Java hello", "not installed", "", "", "");
    }
    return section;
  }

  private static void row(Section section, Stopwatch watch, String name) {
    if (watch.wall.has(name)) {
      section.row(
          name,
          Text.time(watch.wall.median(name)),
          Text.time(watch.cpu.median(name)),
          Text.number(watch.wall.ratio(name, WORLD)),
          Text.number(watch.cpu.ratio(name, WORLD)));
    } else {
      section.row(name, "not installed", "", "", "");
    }
  }

  /** The same distribution without its AOT caches. */
  private static String withoutCache(Lab lab) throws IOException, InterruptedException {
    Path copy = lab.work.resolve("without-cache");
    lab.call("cp", "-r", lab.distribution().toString(), copy.toString());
    try (Stream<Path> files = Files.list(copy.resolve("lib"))) {
      for (Path cache : files.filter(file -> file.toString().endsWith(".aot")).toList()) {
        Files.delete(cache);
      }
    }
    return copy + "/bin/daimon";
  }

  private static void peers(Lab lab, Daemons daemons, Stopwatch watch) {
    String work = lab.work.toString();
    @Nullable String daemonize = lab.peer("daemonize", "daemonize");
    if (daemonize != null) {
      watch.time(
          "daemonize", daemonize, "-p", work + "/d.pid", "-l", work + "/d.lock", "/bin/true");
    }
    @Nullable List<String> startStop = daemons.startStopDaemon(work + "/ssd.pid", "/bin/true");
    if (startStop != null) {
      watch.time("start-stop-daemon", startStop);
    }
    @Nullable String slack = lab.peer("daemon", "daemon");
    if (slack != null) {
      String name = "daimon-benchmark-start";
      watch
          .time("libslack daemon", slack, "-P", work, "-n", name, "--", "/bin/true")
          // Its own process runs on for a moment, and keeps the name.
          .then(
              "sh",
              "-c",
              "while " + slack + " -P " + work + " -n " + name + " --running; do :; done");
    }
  }
}
