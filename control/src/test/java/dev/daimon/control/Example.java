package dev.daimon.control;

import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** The examples of the package's documentation. */
final class Example {
  private Example() {}

  static Outcome start(Path pidFile) throws IOException, InterruptedException {
    // @start region="start"
    DaemonControl control = DaemonControl.of(pidFile);
    StartSpec spec =
        StartSpec.program(
            () ->
                Program.at(Path.of("/bin/sleep"))
                    .arguments("1000")
                    .directory(Path.of("/"))
                    .standardInput(Redirect.nullDevice())
                    .standardOutput(Redirect.nullDevice())
                    .standardError(Redirect.nullDevice()),
            022);
    Outcome outcome = control.start(spec); // ALREADY_DONE if the daemon runs
    // @end
    return outcome;
  }

  static String status(DaemonControl control) throws IOException {
    // @start region="status"
    DaemonStatus status = control.status();
    if (status.state() == DaemonStatus.State.RUNNING) {
      return "process " + status.pid().getAsLong() + " of " + status.user().orElse("a user");
    }
    return status.reason(); // not running: there is no /run/indexer.pid
    // @end
  }

  static StopResult stop(DaemonControl control) throws IOException, InterruptedException {
    // @start region="stop"
    StopPolicy policy =
        StopPolicy.of(Signal.TERM, Duration.ofSeconds(10))
            .then(Signal.KILL, StopPolicy.Step.AFTER_KILL);
    StopResult result = control.stop(policy); // throws ControlException if it did not end
    // @end
    return result;
  }
}
