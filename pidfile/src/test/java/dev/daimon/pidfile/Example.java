package dev.daimon.pidfile;

import java.io.IOException;
import java.nio.file.Path;

/** The examples of the package's documentation. */
final class Example {
  private Example() {}

  static long write(Path path) throws IOException {
    // @start region="write"
    PidFile pidFile = PidFile.at(path);
    pidFile.write(ProcessHandle.current().pid());
    long pid = pidFile.read();
    // @end
    return pid;
  }

  static Process prepare(Path path, ProcessBuilder program) throws IOException {
    // @start region="prepare"
    Process process;
    try (PidFile.Pending pending = PidFile.at(path).prepare()) {
      process = program.start();
      pending.commit(process.pid());
    }
    // @end
    return process;
  }
}
