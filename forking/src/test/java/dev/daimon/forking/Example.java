package dev.daimon.forking;

import java.io.IOException;
import java.nio.file.Path;

/** The examples of the package's documentation; {@link ExampleTest} runs them. */
final class Example {
  private Example() {}

  static long startDaemon(Path log) throws IOException {
    // @start region=start-daemon
    Program program =
        Program.at(Path.of("/bin/sleep"))
            .arguments("60")
            .directory(Path.of("/"))
            .standardInput(Redirect.nullDevice())
            .standardOutput(Redirect.append(log))
            .standardError(Redirect.append(log));
    try (Detached daemon = program.detach(022)) {
      return daemon.pid();
    }
    // @end region=start-daemon
  }

  static int runChild() throws IOException {
    // @start region=run-child
    Child child = Program.at(Path.of("/bin/sh")).arguments("-c", "exit 3").spawn();
    return child.waitFor().shellStatus();
    // @end region=run-child
  }
}
