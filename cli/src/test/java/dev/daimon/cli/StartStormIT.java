package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Meddling;
import dev.daimon.testing.ProcessSandbox.Result;
import dev.daimon.testing.StartStorm;
import dev.daimon.testing.Torture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** However many start one daemon at once, whoever is killed: there is one daemon, or none. */
@Tag("torture")
@Tag("python3")
class StartStormIT {
  private static final int STARTS = Torture.size(64, 8);
  private static final int ALREADY_RUNNING = 69;
  private static final int CANNOT_TELL = 4;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private final NamedFiles named = new NamedFiles(sandbox);

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "REMOVES")
  void startsOfOnePidfile(Meddling meddling) throws Exception {
    String pidFile = sandbox.file("pid").toString();
    List<String> daimon = List.of(Sandbox.DAIMON.toString());

    storm(daimon, Map.of(), sandbox.file("pid"), meddling, List.of("-p", pidFile));
  }

  @ParameterizedTest
  @EnumSource
  void startsByOneName(Meddling meddling) throws Exception {
    named.make();
    Path pidFile = named.pidFile("web");
    Files.createDirectory(pidFile.getParent());
    List<String> daimon = named.command(Sandbox.DAIMON.toString());

    storm(daimon, named.variables(), pidFile, meddling, List.of("web"));

    // The temporary file of a start that was killed goes with the next one that writes.
    Result next = sandbox.run(command(daimon, List.of("web"), "1000"), named.variables());
    assertThat(next.exitCode()).as(next.toString()).isZero();
    for (Path directory : List.of(pidFile.getParent(), named.log("web").getParent())) {
      try (Stream<Path> files = Files.list(directory)) {
        assertThat(files.map(file -> file.getFileName().toString()))
            .noneMatch(name -> name.startsWith(".daimon"));
      }
    }
  }

  private void storm(
      List<String> daimon,
      Map<String, String> variables,
      Path pidFile,
      Meddling meddling,
      List<String> which)
      throws Exception {
    StartStorm.Subject subject =
        new StartStorm.Subject() {
          @Override
          public ProcessBuilder start(String word) {
            return sandbox.prepare(command(daimon, which, word), variables);
          }

          // The launcher script, and its JVM.
          @Override
          public List<ProcessHandle> launchers(ProcessHandle start) {
            return Stream.concat(Stream.of(start), start.children()).toList();
          }

          @Override
          public boolean isDaemon(ProcessHandle process, String word) throws IOException {
            return Sandbox.status(process.pid(), "Name").equals("sleep");
          }
        };
    boolean obeyed = meddling == Meddling.OBEYS;
    boolean byName = !which.contains("-p");
    StartStorm storm = new StartStorm(sandbox, pidFile, subject, meddling, byName);
    for (int round = 0; round < Torture.size(obeyed ? 100 : 20, 2); round++) {
      boolean kills = round % 2 == 1;
      List<ProcessHandle> daemons = storm.round(STARTS, kills);

      List<String> asked = new ArrayList<>(daimon);
      asked.add("status");
      asked.addAll(which);
      Result status = sandbox.run(asked, variables);
      assertTrue(status, daemons, storm);
      if (byName && !kills && !daemons.isEmpty()) {
        assertThat(status.exitCode()).as(storm.summary() + status).isIn(0, CANNOT_TELL);
      }
      Result start = sandbox.run(command(daimon, which, "1000"), variables);
      if (obeyed) {
        assertThat(start.exitCode())
            .as(storm.summary() + start)
            .isEqualTo(daemons.isEmpty() ? 0 : ALREADY_RUNNING);
      }
      sandbox.running("sleep").forEach(ProcessHandle::destroyForcibly);
      storm.endDaemons();
    }
    System.out.println((byName ? "by name, " : "by pidfile, ") + storm.figures());
  }

  private static List<String> command(List<String> daimon, List<String> which, String word) {
    List<String> command = new ArrayList<>(daimon);
    command.add("start");
    command.addAll(which);
    command.addAll(List.of("--", "sleep", word));
    return command;
  }

  /** Says 0 and names a daemon, or 4 and names whoever holds the lock, or that there is none. */
  private static void assertTrue(Result status, List<ProcessHandle> daemons, StartStorm storm) {
    String pids = "";
    for (ProcessHandle daemon : daemons) {
      pids += (pids.isEmpty() ? "" : "|") + daemon.pid();
    }
    String said = storm.summary() + status;
    if (status.exitCode() == 0 || (status.exitCode() == CANNOT_TELL && !daemons.isEmpty())) {
      assertThat(status.out() + status.err()).as(said).containsPattern("\\b(" + pids + ")\\b");
    } else {
      assertThat(status.exitCode()).as(said).isIn(1, 3);
    }
  }
}
