package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A Java program that daemonizes itself, from the shell to ready. */
final class Facade implements Experiment {
  private static final String QUICK = " (C1, serial GC)";

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "facade",
            "Facade: from the shell to ready",
            "A hello daemon that is ready at once, as hello worlds of the same JDK and options. Two of"
                + " them are the limit: the launcher and the daemon. The archive is the one of"
                + " [which.md](which.md). akuma's launcher does not wait, so there the daemon tells.");
    Goal near = section.goal("At most 2 hello worlds more than two", 4, " hello worlds");
    Goal archived =
        section.goal("With an archive, 1 hello world more than two", 3, " hello worlds");
    Goal spring =
        section.goal(
            "Spring Boot: at most 2 hello worlds more than in the foreground and a launcher",
            3,
            " hello worlds");
    Daemons daemons = new Daemons(lab);
    List<String> variants = lab.mode == Mode.SMOKE ? List.of("") : List.of("", QUICK);
    Stopwatch watch = new Stopwatch(lab);
    for (String variant : variants) {
      List<String> options = new ArrayList<>(variant.isEmpty() ? List.of() : Daemons.QUICK);
      daemons.world(watch, "world" + variant, words(options));
      daemons.hello(watch, "Daimon" + variant, words(options));
      options.add(daemons.archive("archive" + options.size(), words(options)));
      daemons.hello(watch, "Daimon, archive" + variant, words(options));
    }
    boolean akuma = daemons.akuma(watch, "world 17", "akuma 1.10, JDK 17");
    watch.run(lab.mode.processRounds);
    section.table("daemon", "time", "a hello world", "hello worlds", "more than two");
    for (String variant : variants) {
      String world = "world" + variant;
      row(section, watch, "Daimon" + variant, world);
      row(section, watch, "Daimon, archive" + variant, world);
      near.check("plain" + variant, watch.wall.ratio("Daimon" + variant, world));
      double ratio = watch.wall.ratio("Daimon, archive" + variant, world);
      near.check("archive" + variant, ratio);
      archived.check("archive" + variant, ratio);
    }
    akuma(section, watch, akuma);
    Stopwatch slow = new Stopwatch(lab);
    daemons.world(slow, "world");
    daemons.world(slow, "world" + QUICK, words(Daemons.QUICK));
    boolean jsvc = daemons.jsvc(slow, "jsvc -wait");
    spring(lab, slow);
    slow.run(lab.mode.slowRounds);
    if (jsvc) {
      row(section, slow, "jsvc -wait", "world");
    } else {
      section.row("jsvc -wait", "not installed", "", "", "");
    }
    double hello = slow.wall.median("world" + QUICK);
    double foreground = slow.wall.median("foreground");
    double daemon = slow.wall.median("spring");
    section.table("Spring Boot example", "time", "hello worlds more than in the foreground");
    section.row("in the foreground", Text.time(foreground), "");
    double more = (daemon - foreground) / hello;
    section.row("daemonized by Daimon", Text.time(daemon), Text.number(more));
    spring.check("Spring Boot", more);
    return section;
  }

  private static String[] words(List<String> words) {
    return words.toArray(String[]::new);
  }

  private static void row(Section section, Stopwatch watch, String name, String world) {
    double ratio = watch.wall.ratio(name, world);
    section.row(
        name,
        Text.time(watch.wall.median(name)),
        Text.time(watch.wall.median(world)),
        Text.number(ratio),
        Text.number(ratio - 2));
  }

  /** Its rounds may fail, so the ratio is one of medians. */
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
    watch
        .time(
            "foreground",
            lab.java(),
            Daemons.QUICK.get(0),
            Daemons.QUICK.get(1),
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
            Daemons.QUICK.get(0),
            Daemons.QUICK.get(1),
            "-jar",
            home + "/spring.jar",
            "--server.port=0")
        .then(lab.daimon(), "stop", "-p", home + "/spring.pid");
  }
}
