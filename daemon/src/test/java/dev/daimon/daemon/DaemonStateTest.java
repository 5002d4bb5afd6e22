package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.forking.Child;
import dev.daimon.forking.Program;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The state of a daemon process, and the place of its output. */
class DaemonStateTest {
  @RegisterExtension final Facade facade = new Facade();

  /** Leaks a thousand descriptors and a mask, ignores signals, blocks others. */
  private static final String UNTIDY =
      """
      umask 077
      for i in {1..1000}; do exec {leak}<>/dev/null; done
      exec nohup env --block-signal=USR1,USR2,TERM,WINCH,RTMIN --ignore-signal=QUIT,TSTP,RTMAX "$@"
      """;

  @Test
  void itHasTheStateOfADaemonWhateverItsCallerHad() throws Exception {
    List<String> command = new ArrayList<>(List.of("bash", "-c", UNTIDY, "bash"));
    command.addAll(facade.java(List.of(), Words.Stays.class, "lockFile=lock"));

    assertThat(facade.run(command, Map.of()).exitCode()).isZero();

    long pid = facade.running().pid();
    String process = Long.toString(pid);
    assertThat(Facade.stat(pid, 4)).isEqualTo(1);
    assertThat(Facade.stat(pid, 6)).isNotEqualTo(pid);
    assertThat(Facade.stat(pid, 7)).isZero();
    assertThat(Path.of("/proc", process, "cwd").toRealPath()).isEqualTo(Path.of("/"));
    assertThat(Proc.status(process, "Umask")).isEqualTo("0022");
    assertThat(Proc.status(process, "SigIgn")).isEqualTo("0000000000000000");
    assertThat(Proc.status(process, "SigBlk")).isEqualTo("0000000000000000");
    assertThat(mode(facade.pidFile())).isEqualTo("rw-r--r--");
    Facade.awaitTakeOver(process);
    assertThat(Proc.descriptors(process))
        .containsEntry(0, "/dev/null")
        .containsEntry(1, "/dev/null")
        .containsEntry(2, "/dev/null")
        .containsValue(facade.pidFile().toString())
        .containsValue(facade.file("lock").toString());
    assertThat(Proc.descriptors(process).tailMap(3).values())
        .filteredOn(leadsTo -> !isOfTheJvm(Path.of(leadsTo)))
        .containsExactlyInAnyOrder(facade.pidFile().toString(), facade.file("lock").toString());
  }

  /** The JDK, and the class path. */
  private static boolean isOfTheJvm(Path file) {
    return file.startsWith(System.getProperty("java.home")) || file.toString().endsWith(".jar");
  }

  @Test
  void itKeepsWhatItsCallerLeaksIfItIsToldTo() throws Exception {
    List<String> command = new ArrayList<>(List.of("bash", "-c", "exec \"$@\" 9< .", "bash"));
    command.addAll(facade.java(List.of(), Words.Stays.class, "leak"));

    assertThat(facade.run(command, Map.of())).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    assertThat(Proc.descriptors(Long.toString(facade.running().pid())))
        .containsEntry(9, facade.directory().toString());
  }

  /** Writes down its state, creates a file, and stays. */
  static final class Made {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        Files.createFile(directory.resolve("made"));
        Words.tell(
            directory,
            "facts",
            daemon.pid()
                + " "
                + System.getenv("DAIMON_VARIABLE")
                + " "
                + Runtime.getRuntime().maxMemory()
                + " "
                + System.getProperty("user.dir"));
        daemon.ready();
        daemon.ready();
        daemon.status("too late to be told");
        Words.stay();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"workingDirectory=sub, sub", "preserveWorkingDirectory, ''"})
  void itIsWhatTheConfigurationSays(String where, String directory) throws Exception {
    Files.createDirectory(facade.file("sub"));
    Path expected = facade.directory().resolve(directory);

    long pid =
        facade.daemon(
            Made.class, where, "umask=027", "variable=välue", "programName=web", "jvm=-Xmx40m");

    String[] facts = facade.awaitText("facts").split(" ", -1);
    assertThat(facts[0]).isEqualTo(Long.toString(pid));
    assertThat(facts[1]).isEqualTo("välue");
    assertThat(Long.parseLong(facts[2])).isLessThanOrEqualTo(40 << 20);
    assertThat(facts[3]).isEqualTo(expected.toString());
    assertThat(Path.of("/proc", Long.toString(pid), "cwd").toRealPath()).isEqualTo(expected);
    assertThat(Facade.strings(Path.of("/proc", Long.toString(pid), "cmdline")))
        .startsWith("web")
        .contains("-Xmx40m");
    assertThat(mode(facade.file("made"))).isEqualTo("rw-r-----");
  }

  private static String mode(Path file) throws Exception {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  /** Ends by an exception after it is ready; before that, an exception ends another thread. */
  static final class DiesReady {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.ready();
        Thread worker =
            new Thread(() -> {
              throw new IllegalStateException("worker");
            });
        worker.start();
        worker.join();
        System.out.println("out");
        throw new IllegalArgumentException("main", new IOException("cause"));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "log,      log,      umask=022",
    "x.out,    x.err,    umask=022",
    "x.stdout, x.stderr, umask=022",
    "log,      log,      inherit",
    "log,      log,      foreground",
    "x.out,    x.err,    foreground",
  })
  void whatAReadyDaemonDiesOfStandsBesideItsOutput(String out, String err, String word)
      throws Exception {
    Files.writeString(facade.file(out), "why the last one crashed\n");

    ProcessSandbox.Result result = facade.launch(DiesReady.class, "out=" + out, word);

    assertThat(result)
        .isEqualTo(new ProcessSandbox.Result(word.equals("foreground") ? 1 : 0, "", ""));
    facade.awaitEnd();
    assertThat(Files.readString(facade.file(out)))
        .startsWith("why the last one crashed\n")
        .contains("\nout\n");
    assertThat(Files.readString(facade.file(err)))
        .contains("Exception in thread \"Thread-", "IllegalStateException: worker")
        .contains("Exception in thread \"main\" java.lang.IllegalArgumentException: main\n\tat ")
        .contains("Caused by: java.io.IOException: cause\n");
  }

  @Test
  void standardErrorLeadsToTheNullDeviceIfItIsNamed() throws Exception {
    assertThat(facade.launch(DiesReady.class, "out=log", "err=/dev/null").exitCode()).isZero();
    facade.awaitEnd();
    assertThat(facade.file("log")).hasContent("out\n");
  }

  /** Prints at once to both streams, by two threads and by other programs, and then is ready. */
  static final class Prints {
    static final int LINES = 2000;

    public static void main(String[] args) throws Exception {
      if (Daemonizer.stage() == Stage.DAEMON) {
        System.err.println("early");
      }
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        Thread errors = new Thread(() -> print(System.err, "err"));
        errors.start();
        Child shell =
            Program.at(Path.of("/bin/sh")).arguments("-c", "echo native; echo native >&2").spawn();
        print(System.out, "out");
        errors.join();
        shell.waitFor();
        daemon.ready();
        System.err.println("late");
        Words.stay();
      }
    }

    private static void print(PrintStream stream, String text) {
      for (int i = 0; i < LINES; i++) {
        stream.println(text + i);
      }
    }
  }

  @Test
  void oneFileForBothStreamsLosesNoLine() throws Exception {
    Files.writeString(facade.file("log"), "before\n");

    long pid = facade.daemon(Prints.class, "out=log");

    awaitLine("log", "late");
    List<String> lines = Files.readAllLines(facade.file("log"));
    assertThat(lines).hasSize(2 * Prints.LINES + 5).startsWith("before", "early").contains("late");
    assertThat(lines.stream().filter(line -> line.equals("native"))).hasSize(2);
    assertThat(new TreeSet<>(lines)).hasSize(2 * Prints.LINES + 4);
    assertThat(Proc.descriptors(Long.toString(pid)))
        .containsEntry(1, facade.file("log").toString())
        .containsEntry(2, facade.file("log").toString());
  }

  @Test
  void aFileIsEmptiedIfTheConfigurationSaysSo() throws Exception {
    Files.writeString(facade.file("out"), "before\n");

    facade.daemon(Prints.class, "out=out", "err=err", "truncate");

    awaitLine("err", "late");
    awaitLine("out", "native");
    assertThat(Files.readAllLines(facade.file("out")))
        .hasSize(Prints.LINES + 1)
        .contains("out0", "native")
        .doesNotContain("before");
    assertThat(Files.readAllLines(facade.file("err")))
        .hasSize(Prints.LINES + 3)
        .startsWith("early")
        .contains("native", "late");
  }

  private void awaitLine(String file, String line) throws Exception {
    ProcessSandbox.await(line, () -> Files.readAllLines(facade.file(file)).contains(line));
  }

  @Test
  void whatWasPrintedEarlyGoesIntoTheFifoThatStandardErrorLeadsToAtLast() throws Exception {
    Process reader = startReader();

    facade.daemon(Prints.class, "err=fifo", "jvm=-Xmx40m");

    awaitLine("read", "late");
    assertThat(Files.readAllLines(facade.file("read")))
        .hasSize(Prints.LINES + 3)
        .startsWith("early")
        .endsWith("late");
    facade.running().destroy();
    assertThat(reader.waitFor()).isZero();
  }

  /** Copies everything that is printed to "fifo" to "read". */
  private Process startReader() throws Exception {
    Command.run("mkfifo", facade.file("fifo").toString());
    Process reader = facade.prepare(List.of("sh", "-c", "exec cat fifo > read"), Map.of()).start();
    facade.awaitProgram("cat");
    return reader;
  }

  /** Prints a lot, also while standard error is released. */
  static final class PrintsOn {
    static final int EARLY = 20_000;
    static final int MEANWHILE = 5_000;

    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        print(EARLY);
        CountDownLatch begun = new CountDownLatch(1);
        Thread printing =
            new Thread(() -> {
              begun.countDown();
              print(MEANWHILE);
            });
        printing.start();
        begun.await();
        daemon.releaseStandardError();
        printing.join();
        daemon.ready();
        System.err.println("late");
        Words.stay();
      }
    }

    private static void print(int lines) {
      for (int i = 0; i < lines; i++) {
        System.err.println("line");
      }
    }
  }

  @Test
  void noLineIsLostThatAnotherThreadPrintsWhileStandardErrorIsReleased() throws Exception {
    Process _ = startReader();

    facade.daemon(PrintsOn.class, "err=fifo");

    awaitLine("read", "late");
    assertThat(Files.readAllLines(facade.file("read")))
        .hasSize(PrintsOn.EARLY + PrintsOn.MEANWHILE + 1);
  }

  @ParameterizedTest
  @CsvSource({"err=err", "umask=022"})
  void standardErrorLeadsToTheCallerUntilTheDaemonIsReady(String last) throws Exception {
    ProcessSandbox.Result result = facade.launch(Prints.class, "inherit", last);

    assertThat(result.exitCode()).isZero();
    assertThat(result.err().lines())
        .hasSize(Prints.LINES + 2)
        .startsWith("early")
        .contains("native")
        .doesNotContain("late");
    String leadsTo = last.equals("err=err") ? facade.file("err").toString() : "/dev/null";
    assertThat(Proc.descriptors(Long.toString(facade.running().pid()))).containsEntry(2, leadsTo);
    if (last.equals("err=err")) {
      awaitLine("err", "late");
      assertThat(facade.file("err")).hasContent("late\n");
    }
  }

  /** Releases its launcher's standard error before it is ready. */
  static final class Releases {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        System.err.println("seen");
        daemon.releaseStandardError();
        daemon.releaseStandardError();
        System.err.println("not seen");
        daemon.ready();
        Words.stay();
      }
    }
  }

  @Test
  void standardErrorIsReleasedWhenTheDaemonLikesTo() throws Exception {
    assertThat(facade.launch(Releases.class, "inherit", "err=err"))
        .isEqualTo(new ProcessSandbox.Result(0, "", "seen\n"));
    assertThat(facade.file("err")).hasContent("not seen\n");
  }

  @Test
  void aCallerThatWaitsForTheEndOfItsStreamsReturnsAtOnce() throws Exception {
    List<String> command = facade.java(List.of(), Words.Stays.class, "inherit");
    Process launcher = facade.prepare(command, Map.of()).start();
    CompletableFuture<String> out = end(launcher.getInputStream());

    assertThat(end(launcher.getErrorStream()).get()).isEmpty();
    assertThat(out.get()).isEmpty();

    assertThat(launcher.waitFor()).isZero();
    assertThat(facade.running().isAlive()).isTrue();
  }

  private static CompletableFuture<String> end(InputStream stream) {
    return CompletableFuture.supplyAsync(
            () -> {
              try {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
              } catch (IOException failure) {
                throw new UncheckedIOException(failure);
              }
            })
        .orTimeout(60, TimeUnit.SECONDS);
  }

  @Test
  @Tag("root")
  void anOrdinaryUserMayNameTheNullDevice() throws Exception {
    List<String> command = new ArrayList<>(facade.asNobody());
    command.addAll(
        facade.java(
            List.of(), Words.Stays.class, "out=/dev/null", "err=/dev/null", "pidFile=users/pid"));
    Path users = Files.createDirectory(facade.file("users"));
    Files.setAttribute(users, "unix:uid", 65534);

    assertThat(facade.run(command, Map.of())).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    long pid = Facade.pid(users.resolve("pid"));
    assertThat(Facade.status(pid, "Uid")).isEqualTo("65534\t65534\t65534\t65534");
    assertThat(Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "fd/2")))
        .isEqualTo(Path.of("/dev/null"));
  }
}
