package dev.daimon.startup;

import dev.daimon.forking.Child;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.posix.Descriptor;
import java.io.IOException;
import java.nio.file.Path;

/** The example in the documentation of the package. */
final class Example {
  private Example() {}

  static Child start(Path pidFile, Path log) throws IOException {
    // @start region="start"
    FileSet set = new FileSet(pidFile, true, null, log, log, false);
    DaemonFiles files = new DaemonFiles(set, null, Progress.IGNORED);
    try {
      files.open();
      files.prepare();
      Redirect output = Redirect.to(files.standardOutput());
      Program program =
          Program.at(Path.of("/bin/sleep"))
              .arguments("60")
              .newSession()
              .standardInput(Redirect.nullDevice())
              .standardOutput(output)
              .standardError(output);
      for (Descriptor lock : files.lockDescriptors()) {
        program.keep(lock);
      }
      Child child = program.spawn();
      files.writePid(child.pid());
      files.requireInPlace();
      files.release();
      return child;
    } catch (IOException | RuntimeException failure) {
      // If the program runs already, it is also killed here.
      files.undo(failure);
      throw failure;
    }
    // @end
  }
}
