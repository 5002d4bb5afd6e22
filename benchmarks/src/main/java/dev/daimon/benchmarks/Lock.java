package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;

/** A lock taken, checked and released. */
final class Lock implements Experiment {
  private static final List<String> SUBJECTS =
      List.of("Daimon", "FileChannel", "JNA", "C, the same calls");

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "lock",
            "`flock`: acquire, inode check, release",
            "On a tmpfs. Contended: a C process takes and releases the same lock"
                + " without a pause. A try that finds the file locked is repeated at once; the"
                + " time is the mean per success.");
    Goal near = section.goal("Daimon at most 1.3 × the same calls in C", 1.3, " ×");
    section.comparison("processes", SUBJECTS);
    String path = Files.createFile(lab.memory.resolve("lock")).toString();
    for (boolean contended : List.of(false, true)) {
      String program = lab.c("lock");
      String[] parameters = {"path=" + path, "contender=" + (contended ? program : "")};
      Subject limit =
          contended
              ? Subject.run(SUBJECTS.getLast(), program, path, Subject.TIME, "contended")
              : Subject.run(SUBJECTS.getLast(), program, path, Subject.TIME);
      List<Subject> subjects =
          List.of(
              subject("Daimon", "daimon", contended, parameters),
              limit,
              subject("FileChannel", "fileChannel", contended, parameters),
              subject("JNA", "jna", contended, parameters));
      Samples time = lab.measure(List.of("-Xms256m", "-Xmx256m"), subjects).get("time");
      String place = contended ? "2, contending" : "1";
      near.check(place, section.compare(place, time, SUBJECTS));
    }
    return section;
  }

  private static Subject subject(
      String name, String method, boolean contended, String[] parameters) {
    String whole = "LockBenchmark." + method;
    return contended ? Subject.mean(name, whole, parameters) : Subject.jmh(name, whole, parameters);
  }
}
