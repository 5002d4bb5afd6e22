package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A Java program that daemonizes itself, from the shell to ready. */
final class Facade implements Experiment {
  private static final String WORLD = "a hello world";
  private static final String PLAIN = "Daimon";
  private static final String ARCHIVE = "Daimon, archive";
  private static final String QUICK = "Daimon, archive, launcher.options";

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "facade",
            "Facade: from the shell to ready",
            "A hello daemon that is ready at once; times in hello worlds. The limit is"
                + " two hello worlds: the launcher and the daemon. The archive and the options"
                + " are those of [which.md](which.md); each daemon is started without those"
                + " options (`jvmArguments`). akuma's launcher does not wait for the daemon, so there the"
                + " daemon reports the time.");
    Goal near = section.goal("At most 2 hello worlds more than two", 4, " hello worlds");
    Goal quick =
        section.goal("With archive and options, 1 hello world more than two", 3, " hello worlds");
    Goal spring =
        section.goal(
            "Spring Boot: at most 2 hello worlds more than in the foreground and a launcher",
            3,
            " hello worlds");
    Daemons daemons = new Daemons(lab);
    Stopwatch watch = new Stopwatch(lab);
    daemons.world(watch, WORLD);
    daemons.hello(watch, PLAIN);
    daemons.hello(watch, ARCHIVE, daemons.archive());
    String options = "@" + lab.root.resolve("docs/launcher.options");
    daemons.hello(watch, QUICK, options, daemons.archive(options));
    boolean akuma = daemons.akuma(watch, "world 17", "akuma 1.10, JDK 17");
    watch.run(lab.mode.processRounds);
    section.table("daemon", "time", "a hello world", "hello worlds", "more than two");
    for (String one : List.of(PLAIN, ARCHIVE, QUICK)) {
      row(section, watch, one);
      near.check(one, watch.wall.ratio(one, WORLD));
    }
    quick.check(QUICK, watch.wall.ratio(QUICK, WORLD));
    akuma(section, watch, akuma);
    Stopwatch slow = new Stopwatch(lab);
    daemons.world(slow, WORLD);
    boolean jsvc = daemons.jsvc(slow, "jsvc -wait");
    spring(lab, slow);
    slow.run(lab.mode.slowRounds);
    if (jsvc) {
      row(section, slow, "jsvc -wait");
    } else {
      section.row("jsvc -wait", "not installed", "", "", "");
    }
    double hello = slow.wall.median(WORLD);
    double foreground = slow.wall.median("foreground");
    double daemon = slow.wall.median("spring");
    section.table("Spring Boot example", "time", "hello worlds more than in the foreground");
    section.row("in the foreground", Text.time(foreground), "");
    double more = (daemon - foreground) / hello;
    section.row("daemonized by Daimon", Text.time(daemon), Text.number(more));
    spring.check("Spring Boot", more);
    return section;
  }

  private static void row(Section section, Stopwatch watch, String name) {
    double ratio = watch.wall.ratio(name, WORLD);
    section.row(
        name,
        Text.time(watch.wall.median(name)),
        Text.time(watch.wall.median(WORLD)),
        Text.number(ratio),
        Text.number(ratio - 2));
  }

  /** Some of its rounds may fail, so this is the ratio of the medians. */
  private static void akuma(Section section, Stopwatch watch, boolean installed) {
    String name = "akuma 1.10, JDK 17";
    if (!installed) {
      section.row(name, "not installed (JDK 17)", "", "", "");
      return;
    }
    int failed = watch.failed(name);
    String failures = failed == 0 ? "" : "; no daemon after 3 s in " + failed + " rounds";
    if (!watch.wall.has(name)) {
      section.row(name + failures, "", "", "", "");
      return;
    }
    double time = watch.wall.median(name);
    double hello = watch.wall.median("world 17");
    section.row(
        name + failures,
        Text.time(time),
        Text.time(hello),
        Text.number(time / hello),
        Text.number(time / hello - 2));
  }

  /** The example, and the same application without a daemon; both from the extracted jar. */
  private static void spring(Lab lab, Stopwatch watch) throws IOException, InterruptedException {
    Path built = lab.root.resolve("examples/spring/target/spring.jar");
    Path home = lab.work.resolve("spring");
    lab.call(
        lab.java(), "-Djarmode=tools", "-jar", "" + built, "extract", "--destination", "" + home);
    StringBuilder jars = new StringBuilder(home + "/spring.jar");
    try (var found = Files.newDirectoryStream(home.resolve("lib"), "*.jar")) {
      for (Path jar : found) {
        jars.append(':').append(jar);
      }
    }
    String world = lab.jar("SpringWorld", jars.toString());
    // The server of the application leaves directories there.
    String temporary = "-Djava.io.tmpdir=" + home;
    watch
        .time(
            "foreground",
            lab.java(),
            temporary,
            "-cp",
            world + ":" + jars,
            "SpringWorld",
            "dev.daimon.examples.spring.Spring",
            "--server.port=0")
        .time(
            "spring",
            "sh",
            "-c",
            "cd " + home + " && exec \"$@\"",
            "sh",
            lab.java(),
            temporary,
            "-jar",
            home + "/spring.jar",
            "--server.port=0")
        .then(lab.daimon(), "stop", "-p", home + "/spring.pid");
  }
}
