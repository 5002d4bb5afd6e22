package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A simulation stays in the process and leaves nothing behind. */
class SimulateTest {
  @RegisterExtension final Facade facade = new Facade();

  /** Calls every method, and prints the files before, meanwhile and afterwards. */
  static final class Tries {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      print("before", directory);
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.status("nobody waits");
        daemon.chownFiles();
        daemon.dropPrivileges();
        daemon.releaseStandardError();
        daemon.ready();
        print("meanwhile, " + ProcessSandbox.isLocked(directory.resolve("pid")), directory);
      }
      print("after", directory);
      System.err.println("untouched");
    }

    private static void print(String when, Path directory) throws Exception {
      System.out.println(
          when
              + ": "
              + new TreeSet<>(List.of(Objects.requireNonNull(directory.toFile().list())))
              + " "
              + Proc.status("self", "Umask")
              + " "
              + Proc.status("self", "Uid").split("\t", -1)[0]
              + " "
              + Proc.descriptors("self").values().stream()
                  .filter(leadsTo -> leadsTo.startsWith(directory + File.separator))
                  .filter(leadsTo -> !leadsTo.contains("/classes/"))
                  .count());
    }
  }

  private static final String[] ALL = {
    "simulate", "lockFile=lock", "out=out", "err=err", "umask=027"
  };

  @Test
  void nothingIsLeftOfIt() throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", "-c", "umask 077; exec \"$@\"", "sh"));
    command.addAll(facade.java(List.of(), Tries.class, ALL));

    ProcessSandbox.Result result = facade.run(command, Map.of());

    String uid = Proc.status("self", "Uid").split("\t", -1)[0];
    assertThat(result.out().lines())
        .containsExactly(
            "before: [] 0077 " + uid + " 0",
            "meanwhile, true: [err, lock, out, pid] 0027 " + uid + " 4",
            "after: [] 0077 " + uid + " 0");
    assertThat(result.err()).isEqualTo("untouched\n");
    assertThat(result.exitCode()).isZero();
    assertThat(facade.directory()).isEmptyDirectory();
  }

  @Test
  void whatOnlyAnotherProcessCanBeIsNotDone() throws Exception {
    ProcessSandbox.Result result =
        facade.launch(
            TellsAboutItself.class,
            "simulate",
            "workingDirectory=/",
            "variable=value",
            "programName=web",
            "jvm=-Dadded=true");

    assertThat(result)
        .isEqualTo(new ProcessSandbox.Result(0, facade.directory() + " null null\n", ""));
  }

  /** Prints in the simulation what a daemon of that configuration would find changed. */
  static final class TellsAboutItself {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon =
          Daemonizer.daemonize(Words.config(args).closeDescriptors(true).build())) {
        daemon.ready();
        System.out.println(
            Path.of("/proc/self/cwd").toRealPath()
                + " "
                + System.getenv("DAIMON_VARIABLE")
                + " "
                + System.getProperty("added"));
      }
    }
  }

  @Test
  @Tag("root")
  void theIdentityIsOnlyTried() throws Exception {
    facade.forEveryone();
    for (String file : List.of("pid", "out", "err", "lock")) {
      Files.writeString(facade.file(file), old(file));
    }
    String[] words = Arrays.copyOf(ALL, ALL.length + 1);
    words[ALL.length] = "user=#7001";

    ProcessSandbox.Result result = facade.launch(Tries.class, words);

    assertThat(result.err()).isEqualTo("untouched\n");
    assertThat(result.out().lines())
        .containsExactly(
            "before: [classes, err, lock, out, pid] 0022 0 0",
            "meanwhile, true: [classes, err, lock, out, pid] 0027 0 4",
            "after: [classes, err, lock, out, pid] 0022 0 0");
    for (String file : List.of("pid", "out", "err", "lock")) {
      assertThat(facade.file(file)).hasContent(old(file));
      assertThat(Files.getAttribute(facade.file(file), "unix:uid")).isEqualTo(0);
    }
  }

  private static String old(String file) {
    return file.equals("pid") ? "4194304\n" : "old " + file;
  }

  /** Simulates twice, and then starts. */
  static final class Rehearses {
    public static void main(String[] args) {
      for (int i = 0; i < 2; i++) {
        Daemonizer.daemonize(Words.config(args).simulate(true).build()).close();
      }
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).foreground(true).build())) {
        daemon.ready();
        System.out.println("ready");
      }
    }
  }

  @Test
  void aSimulationIsNoStart() throws Exception {
    assertThat(facade.launch(Rehearses.class))
        .isEqualTo(new ProcessSandbox.Result(0, "ready\n", ""));
  }

  /** Ends without closing the simulation. */
  static final class Exits {
    public static void main(String[] args) throws Exception {
      Daemon daemon = Daemonizer.daemonize(Words.config(args).build());
      System.out.println(daemon.pid() == ProcessHandle.current().pid());
    }
  }

  @Test
  void theEndOfTheJvmTakesBackWhatWasNotClosed() throws Exception {
    assertThat(facade.launch(Exits.class, ALL))
        .isEqualTo(new ProcessSandbox.Result(0, "true\n", ""));
    assertThat(facade.directory()).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource({
    "64, umask=1000, umask is outside of 0 to 0777: 01000",
    "67, user=no-such-user, unknown user: no-such-user",
    "64, jvm=-jar, jvmArguments has -jar",
    "71, workingDirectory=missing, No such file or directory",
    "73, out=fifo, nobody reads this FIFO",
    "73, err=missing/err, No such file or directory",
  })
  void problemsAreReportedAsByARealStart(int exitCode, String word, String problem)
      throws Exception {
    Command.run("mkfifo", facade.file("fifo").toString());

    ProcessSandbox.Result simulated = facade.launch(Words.Stays.class, "simulate", word);

    assertThat(simulated).isEqualTo(facade.launch(Words.Stays.class, word));
    assertThat(simulated.exitCode()).isEqualTo(exitCode);
    assertThat(simulated.err()).startsWith("Words$Stays: ").contains(problem).hasLineCount(1);
    assertThat(facade.directory()).isDirectoryContaining(path -> path.endsWith("fifo"));
    assertThat(facade.pidFile()).doesNotExist();
  }

  @Test
  void aDaemonThatRunsIsFound() throws Exception {
    long pid = facade.daemon(Words.Stays.class);

    ProcessSandbox.Result result = facade.launch(Tries.class, "simulate");

    assertThat(result.exitCode()).isEqualTo(69);
    assertThat(result.err())
        .isEqualTo(
            "SimulateTest$Tries: already running: %s is locked by process %d\n"
                .formatted(facade.pidFile(), pid));
    assertThat(facade.pidFile()).hasContent(pid + "\n");
  }
}
