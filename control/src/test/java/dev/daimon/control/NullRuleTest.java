package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.forking.Child;
import dev.daimon.forking.Environment;
import dev.daimon.forking.OutputFile;
import dev.daimon.forking.Program;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Signal;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.DaemonName;
import dev.daimon.testing.NullRule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @Test
  void nullIsRefusedByName(@TempDir Path directory) throws Exception {
    Path file = Files.createFile(directory.resolve("guard"));
    OverlapSpec beside = _ -> 1;
    StopListener stops = (_, _, _, _) -> {};
    ReadyCondition alive = new ReadyCondition.Alive(Duration.ZERO);
    ReadyListener waits = (_, _, _) -> {};
    DaemonDirectories directories =
        new DaemonDirectories(directory, directory, directory, directory);
    DaemonRegistry registry = DaemonRegistry.of(directories);
    Program program = Program.at(Path.of("/bin/true"));
    Child child = program.spawn();
    child.waitFor();
    try (PidFd self = PidFd.open(ProcessHandle.current().pid());
        Guard guard = Guard.acquire(file, Duration.ZERO);
        ReadyWait wait = ReadyWait.open(alive, List.of());
        OutputFile output = OutputFile.open(directory.resolve("output"));
        OutputTail tail = OutputTail.of(output.descriptor())) {
      NullRule rule =
          new NullRule(
              beside,
              alive,
              waits,
              wait,
              program,
              child,
              self,
              Environment.current(),
              output.descriptor(),
              tail,
              DaemonControl.of(directory.resolve("x.pid")),
              guard,
              stops,
              new ActionListener() {},
              StopPolicy.DEFAULT,
              DaemonStatus.State.DEAD,
              DaemonStatus.unknown(file, "reason"),
              directories,
              registry,
              registry.find(new DaemonName("web")),
              new DaemonName("web"),
              Outcome.OK,
              Signal.HUP);

      assertThat(rule.violations(DaemonControl.class)).isEmpty();
    }
  }
}
