package dev.daimon.benchmarks;

import java.io.IOException;
import java.util.List;

/** The double fork: the calls alone, and with the JVMs that others boot for it. */
final class Detach implements Experiment {
  private static final List<String> SUBJECTS = List.of("Daimon", "C double fork");

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "detach",
            "Detach: a double fork, until the pid is known",
            "The calls alone, in a JVM that runs, and in C:");
    section.comparison("`/bin/true` as a daemon", SUBJECTS);
    List<Subject> subjects =
        List.of(
            Subject.jmh("Daimon", "DetachBenchmark.daimon"),
            Subject.run("C double fork", lab.c("detach"), Subject.TIME));
    Samples time = lab.measure(List.of("-Xms256m", "-Xmx256m"), subjects).get("time");
    section.compare("calls", time, SUBJECTS);
    if (lab.mode == Mode.SMOKE) {
      // The facade's part runs the same daemons.
      return section;
    }
    section.say(
        "From the shell to a daemon whose pid is known, with the JVMs that boot on the"
            + " way. The last column is the time without these JVMs, each counted as a hello"
            + " world of the same JDK: the system calls, the classes that they need, and"
            + " waits:");
    boots(lab, section);
    return section;
  }

  private static void boots(Lab lab, Section section) throws IOException, InterruptedException {
    Daemons daemons = new Daemons(lab);
    section.table("daemon", "total", "JVMs booted", "a hello world", "what is left");
    Stopwatch watch = new Stopwatch(lab);
    daemons.world(watch, "world");
    daemons.start(watch, "start", lab.daimon());
    daemons.hello(watch, "facade");
    boolean akuma = daemons.akuma(watch, "world 17", "akuma");
    // The facade's part has more of them.
    watch.run(2 * lab.mode.slowRounds);
    row(section, "`daimon start -- /bin/true`", watch, "start", "world", 1);
    row(section, "Daimon's facade, hello", watch, "facade", "world", 2);
    if (akuma) {
      row(section, "akuma, hello", watch, "akuma", "world 17", 2);
    } else {
      section.row("akuma, hello", "not installed (JDK 17)");
    }
    Stopwatch slow = new Stopwatch(lab);
    daemons.world(slow, "world");
    if (daemons.jsvc(slow, "jsvc")) {
      slow.run(lab.mode.slowRounds);
      row(section, "jsvc -wait, hello", slow, "jsvc", "world", 1);
    } else {
      section.row("jsvc -wait, hello", "not installed");
    }
  }

  private static void row(
      Section section, String name, Stopwatch watch, String subject, String world, int boots) {
    if (!watch.wall.has(subject)) {
      section.row(name, "never started");
      return;
    }
    double total = watch.wall.median(subject);
    double hello = watch.wall.median(world);
    section.row(
        name,
        Text.time(total),
        "" + boots,
        Text.time(hello),
        Text.time(Math.max(0, total - boots * hello)));
  }
}
