package dev.daimon.pidfd;

import dev.daimon.posix.Signal;
import java.io.IOException;
import java.time.Duration;

/** The examples of the package's documentation. */
final class Example {
  private Example() {}

  static void stop(ProcessHandle handle) throws IOException, InterruptedException {
    // @start region="stop"
    try (PidFd process = PidFd.of(handle)) {
      process.send(Signal.TERM);
      if (!process.awaitExit(Duration.ofSeconds(10))) {
        process.send(Signal.KILL);
        process.awaitExit();
      }
    }
    // @end
  }

  static int waitFor(long pid) throws IOException, InterruptedException {
    // @start region="wait"
    // The process id of a program that dev.daimon.forking has started.
    try (PidFd child = PidFd.open(pid)) {
      ExitInfo end = child.waitFor();
      return end.exitCode().orElse(-1);
    }
    // @end
  }

  static String describe(long pid) throws IOException {
    // @start region="info"
    try (PidFd process = PidFd.open(pid)) {
      ProcessInfo info = process.info();
      return info.name() + " of user " + info.user() + ", started at " + info.startTime();
    }
    // @end
  }
}
