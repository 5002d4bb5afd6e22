package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A pidfile written and read. */
final class PidFiles implements Experiment {
  private static final List<String> SUBJECTS = List.of("Daimon", "Files", "C, the same calls");

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "pidfile",
            "Pidfile: write and read",
            "A write makes a temporary file and renames it. `Files` stands for"
                + " `writeString` and an atomic `move`, which reserve no space, and for"
                + " `readString`, which reads once; Daimon and the limit read until two reads"
                + " agree.");
    Goal near = section.goal("Daimon at most 1.3 × the same calls in C", 1.3, " ×");
    section.comparison("", SUBJECTS);
    for (String way : List.of("write", "read")) {
      for (Path directory : List.of(lab.memory, lab.work)) {
        String path = directory.resolve("pid").toString();
        List<Subject> subjects =
            List.of(
                subject("Daimon", "daimon", way, path),
                Subject.run(SUBJECTS.getLast(), lab.c("pidfile"), way, path + ".c", Subject.TIME),
                subject("Files", "files", way, path));
        Samples time = lab.measure(List.of("-Xms256m", "-Xmx256m"), subjects).get("time");
        String place = way + ", " + Files.getFileStore(directory).type();
        near.check(place, section.compare(place, time, SUBJECTS));
      }
    }
    return section;
  }

  private static Subject subject(String name, String prefix, String way, String path) {
    String method = prefix + (way.equals("write") ? "Write" : "Read");
    return Subject.jmh(name, "PidFileBenchmark." + method, "path=" + path);
  }
}
