package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.daemon.handover.Handover;
import dev.daimon.forking.Detached;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Signal;
import dev.daimon.readiness.LauncherEnd;
import dev.daimon.readiness.Message;
import dev.daimon.startup.PendingChown;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The daemon checks what its launcher hands over. */
@Tag("root")
@Tag("attack")
class HandoverTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @RegisterExtension final Facade facade = new Facade();

  /** Gives its files to its user. */
  static final class Gives {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.chownFiles();
        daemon.dropPrivileges();
        daemon.ready();
        Words.stay();
      }
    }
  }

  /** A launcher that hands over something wrong, and prints the daemon's report. */
  static final class HandsOver {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      Path other = directory.resolve("other");
      DaemonConfig config = Words.config(args[0], "user=#7001").build();
      try (SingletonLock pidFile = SingletonLock.acquire(directory.resolve("pid"));
          SingletonLock otherFile = SingletonLock.acquire(other)) {
        Descriptor lock = pidFile.descriptor();
        Descriptor prize = otherFile.descriptor();
        Handover handover =
            switch (args[1]) {
              case "the pidfile" ->
                  handover(config, lock, null, new PendingChown(pidFile.path(), lock));
              case "no pidfile" -> handover(config, null, null);
              case "another lock" -> handover(config, lock, prize);
              case "another file" -> handover(config, lock, null, new PendingChown(other, prize));
              case "another file under its name" ->
                  handover(config, lock, null, new PendingChown(pidFile.path(), prize));
              case "the file under another name" ->
                  handover(config, lock, null, new PendingChown(other, lock));
              case "a standard stream" -> handover(config, Descriptor.adopt(0), null);
              default -> throw new IllegalArgumentException(args[1]);
            };
        System.out.println(start(handover, List.of(lock, prize), args[0]));
      }
    }

    private static Handover handover(
        DaemonConfig config,
        Descriptor pidFile,
        Descriptor lockFile,
        PendingChown... pendingChowns) {
      return new Handover(
          Path.of("/"),
          config.settings.lines(),
          pidFile,
          lockFile,
          null,
          null,
          Map.of(),
          List.of(pendingChowns));
    }

    private static Message start(Handover handover, List<Descriptor> open, String directory)
        throws Exception {
      try (LauncherEnd connection = LauncherEnd.open(handover.encode())) {
        Program program =
            Program.at(Path.of(System.getProperty("java.home"), "bin", "java"))
                .arguments(
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Gives.class.getName(),
                    directory,
                    "user=#7001")
                .standardInput(Redirect.nullDevice());
        open.forEach(program::keep);
        connection.daemonDescriptors().forEach(program::keep);
        try (Detached process = program.detach(022)) {
          connection.started(process.pid());
          connection.release();
          Message verdict = connection.receive(LONG).orElseThrow();
          process.signalGroup(Signal.KILL);
          while (process.isAlive()) {
            Thread.onSpinWait();
          }
          boolean _ = process.reap();
          return verdict;
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          the pidfile                 | Ready[]
          no pidfile                  | Failed[exitCode=70, text=the launcher handed over other locks than the configuration has]
          another lock                | Failed[exitCode=70, text=the launcher handed over other locks than the configuration has]
          another file                | Failed[exitCode=70, text=what the launcher handed over to be given away is no file of the configuration, or no longer there: D/other]
          another file under its name | Failed[exitCode=70, text=what the launcher handed over to be given away is no file of the configuration, or no longer there: D/pid]
          the file under another name | Failed[exitCode=70, text=what the launcher handed over to be given away is no file of the configuration, or no longer there: D/other]
          a standard stream           | Ended[]
          """)
  void onlyTheConfigurationsOwnFilesAreGivenAway(String what, String verdict) throws Exception {
    facade.forEveryone();

    String out = facade.launch(HandsOver.class, what).out();

    assertThat(out.strip()).isEqualTo(verdict.replace("D/", facade.directory() + "/"));
    assertThat(Files.getAttribute(facade.file("other"), "unix:uid")).isEqualTo(0);
    assertThat(Files.getAttribute(facade.pidFile(), "unix:uid"))
        .isEqualTo(verdict.equals("Ready[]") ? 7001 : 0);
  }
}
