package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.daemon.runtime.LockCleanUp;
import dev.daimon.posix.Descriptor;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.testing.Command;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher reports the end of each start, and a failed start leaves nothing behind. */
class VerdictTest {
  @RegisterExtension final Facade facade = new Facade();

  /** A daemon that ends in the way that its second argument names. */
  static final class Ends {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      String how = args[1];
      if (how.startsWith("wrapped")) {
        // As loaders of nested jars call it.
        Method begin = Ends.class.getDeclaredMethod("begin", Path.class, String.class);
        begin.invoke(null, directory, how.substring("wrapped ".length()));
      } else if (how.startsWith("handled ")) {
        // As frameworks do, which log the exception that ends a thread.
        Thread.currentThread().setUncaughtExceptionHandler((_, _) -> {});
        begin(directory, how.substring("handled ".length()));
      } else {
        begin(directory, how);
      }
    }

    static void begin(Path directory, String how) throws Exception {
      if (Daemonizer.stage() == Stage.DAEMON) {
        switch (how) {
          case "never calls" -> {
            return;
          }
          case "cannot configure" -> cannotConfigure(50);
          case "dies early" -> die();
          default -> Thread.onSpinWait();
        }
      }
      DaemonConfig config =
          DaemonConfig.builder()
              .pidFile(directory.resolve("pid"))
              .standardOutput(directory.resolve("log"))
              .standardError(directory.resolve("log"))
              .jvmArguments("-Xmx24m")
              .build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        end(daemon, how);
      }
    }

    private static void cannotConfigure(int depth) throws IOException {
      if (depth > 0) {
        cannotConfigure(depth - 1);
      } else {
        throw new IOException("no configuration");
      }
    }

    private static void end(Daemon daemon, String how) throws Exception {
      switch (how) {
        case "ready" -> {
          daemon.ready();
          new CountDownLatch(1).await();
        }
        case "fails" -> throw daemon.fail(new IOException("no port"));
        case "fails and returns" -> {
          StartException _ = daemon.fail(new IOException("no port"));
        }
        case "fails with 42" -> throw daemon.fail(42, "no port");
        case "fails twice" -> {
          StartException _ = daemon.fail(42, "first");
          throw daemon.fail(43, "second");
        }
        case "throws" -> throw new IOException("no port");
        case "throws with causes" -> throw new IllegalStateException("no server", refused());
        case "fails with causes" -> throw daemon.fail(new UncheckedIOException(refused()));
        case "throws 43" -> throw new StartException(Reason.FILE, 43, "no file");
        case "throws in ready" -> {
          StartException _ = daemon.fail(44, "no port");
          daemon.ready();
        }
        case "exits" -> System.exit(7);
        case "exits with 0" -> System.exit(0);
        case "halts with 255" -> Runtime.getRuntime().halt(255);
        case "halts" -> {
          System.err.println("these are");
          System.err.println("the last words");
          Runtime.getRuntime().halt(0);
        }
        case "dies" -> die();
        case "recurses" -> recurse(0);
        case "fills the heap" -> fillTheHeap();
        case "closes" -> daemon.close();
        case "daemonizes twice" -> {
          Daemon _ = Daemonizer.daemonize(DaemonConfig.builder().build());
        }
        default -> Thread.onSpinWait();
      }
    }

    private static IOException refused() {
      return new IOException("no port", new SocketException("in use"));
    }

    private static void die() {
      try {
        Command.kill("KILL", ProcessHandle.current().pid());
      } catch (IOException | InterruptedException failure) {
        throw new IllegalStateException(failure);
      }
    }

    @SuppressWarnings("InfiniteRecursion")
    private static long recurse(long depth) {
      return 1 + recurse(depth + 1);
    }

    private static void fillTheHeap() {
      Object[] kept = new Object[0];
      while (true) {
        kept = new Object[] {kept, new byte[100_000]};
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "fails             | 70 | java.io.IOException: no port | log",
        "fails and returns | 70 | java.io.IOException: no port | ''",
        "fails with 42     | 42 | no port | log",
        "fails twice       | 42 | first | log",
        "throws            | 70 | java.io.IOException: no port | log",
        "throws 43         | 43 | no file | log",
        "throws in ready   | 44 | no port | log",
        "wrapped throws    | 70 | java.io.IOException: no port | log",
        "wrapped throws 43 | 43 | no file | log",
        "handled throws    | 70 | java.io.IOException: no port | ''",
        "recurses          | 70 | java.lang.StackOverflowError | log",
        "fills the heap    | 70 | java.lang.OutOfMemoryError: Java heap space | log",
        "daemonizes twice  | 70 | java.lang.IllegalStateException: this process is a daemon already"
            + " | log",
        "throws with causes | 70 | java.lang.IllegalStateException: no server: java.io.IOException:"
            + " no port: java.net.SocketException: in use | log",
        "fails with causes | 70 | java.io.UncheckedIOException: java.io.IOException: no port:"
            + " java.net.SocketException: in use | log",
      })
  void theReasonIsToldAndWhereThereIsMore(String how, int exitCode, String reason, String log)
      throws Exception {
    ProcessSandbox.Result result = facade.launch(Ends.class, how);

    String more = log.isEmpty() ? "" : "; see " + facade.file(log);
    assertThat(result)
        .isEqualTo(
            new ProcessSandbox.Result(exitCode, "", "VerdictTest$Ends: " + reason + more + "\n"));
    if (!log.isEmpty()) {
      assertThat(Files.readString(facade.file(log))).contains("\tat dev.daimon.daemon.VerdictTest");
    }
    assertNothingLeft();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "exits          | 7   | exited with 7",
        "halts with 255 | 255 | exited with 255",
        "exits with 0   | 70  | exited with 0",
        "returns        | 70  | exited with 0",
        "closes         | 70  | exited with 0",
        "never calls    | 70  | exited with 0",
        "dies           | 70  | was killed by SIGKILL",
        "dies early     | 70  | was killed by SIGKILL",
      })
  void anEndWithoutAWordIsAFailureWithItsExitCode(String how, int exitCode, String end)
      throws Exception {
    ProcessSandbox.Result result = facade.launch(Ends.class, how);

    assertThat(result)
        .isEqualTo(
            new ProcessSandbox.Result(
                exitCode, "", "VerdictTest$Ends: the daemon " + end + " before it was ready\n"));
    assertNothingLeft();
  }

  @Test
  void itIsKnownAlsoIfTheCallerIgnoresTheEndOfChildren() throws Exception {
    List<String> command = new ArrayList<>(List.of("env", "--ignore-signal=CHLD"));
    command.addAll(facade.java(List.of(), Ends.class, "exits"));

    assertThat(facade.run(command, Map.of()))
        .isEqualTo(
            new ProcessSandbox.Result(
                7, "", "VerdictTest$Ends: the daemon exited with 7 before it was ready\n"));
  }

  /** A daemon whose output goes nowhere. */
  static final class FailsUnseen {
    public static void main(String[] args) {
      DaemonConfig config =
          Words.config(args[0], args[1].equals("is late") ? "timeout=5000" : "umask=022").build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        switch (args[1]) {
          case "throws" -> serve(0);
          case "fails" -> throw daemon.fail(42, "no port");
          case "is late" -> {
            System.err.println("a worker has died");
            daemon.status("waiting");
            LockSupport.park();
          }
          default -> throw new IllegalArgumentException(args[1]);
        }
      }
    }

    private static void serve(int depth) {
      if (depth < 10) {
        serve(depth + 1);
      }
      throw new IllegalStateException("no server", new IOException("no port"));
    }
  }

  @Test
  void theStackTraceIsToldWhereItIsNowhereElse() throws Exception {
    ProcessSandbox.Result result = facade.launch(FailsUnseen.class, "throws");

    assertThat(result.exitCode()).isEqualTo(70);
    assertThat(result.err().lines())
        .startsWith(
            "VerdictTest$FailsUnseen: java.lang.IllegalStateException: no server:"
                + " java.io.IOException: no port")
        .contains("  caused by java.io.IOException: no port")
        .anyMatch(line -> line.matches("    at .*VerdictTest\\$FailsUnseen.serve\\(.*java:\\d+\\)"))
        .hasSize(1 + 5 + 1 + 1 + 5 + 1);
  }

  @Test
  void whatWasPrintedByOneThatIsLateIsTold() throws Exception {
    assertThat(facade.launch(FailsUnseen.class, "is late"))
        .isEqualTo(
            new ProcessSandbox.Result(
                75,
                "",
                """
                VerdictTest$FailsUnseen: not ready after 5 s, and stopped: waiting. Its last words:
                  a worker has died
                """));
  }

  @Test
  void wordsThatWereChosenForTheLauncherAreAllItTells() throws Exception {
    assertThat(facade.launch(FailsUnseen.class, "fails"))
        .isEqualTo(new ProcessSandbox.Result(42, "", "VerdictTest$FailsUnseen: no port\n"));
  }

  /** The daemon runs by then, and has the same files open. */
  @Test
  @Tag("strace")
  void aFileThatCannotBeClosedWhenTheDaemonIsReadyIsAWarning() throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "strace",
                "-D",
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-P",
                facade.pidFile().toString(),
                "-e",
                "inject=close:error=EIO"));
    command.addAll(facade.java(List.of(), Ends.class, "ready"));

    ProcessSandbox.Result result = facade.run(command, Map.of());

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.err()).contains("warning: close ").contains("EIO").hasLineCount(1);
    assertThat(facade.running().isAlive()).isTrue();
  }

  @Test
  void theLastWordsAreTold() throws Exception {
    ProcessSandbox.Result result = facade.launch(Ends.class, "halts");

    assertThat(result.exitCode()).isEqualTo(70);
    assertThat(result.err())
        .contains("the daemon exited with 0 before it was ready")
        .contains("the last words");
    assertNothingLeft();
  }

  /** A daemon without a log that has taken over what it has inherited when it prints its reason. */
  static final class PrintsLate {
    public static void main(String[] args) throws Exception {
      String setting =
          switch (args[1]) {
            case "changes itself" -> "niceness=5";
            case "has errors elsewhere" -> "err=/dev/null";
            default -> "umask=022";
          };
      DaemonConfig config = Words.config(args[0], setting).build();
      Daemon daemon = Daemonizer.daemonize(config);
      switch (args[1]) {
        case "asks for its lock" -> {
          Descriptor _ = daemon.lockDescriptor();
        }
        case "closes" -> daemon.close();
        case "ends" -> {
          Thread cleanUp = cleanUp(daemon);
          Runtime.getRuntime().addShutdownHook(new Thread(() -> printAfter(cleanUp)));
          System.exit(3);
        }
        default -> Thread.onSpinWait();
      }
      System.out.println("no port");
      Runtime.getRuntime().halt(3);
    }

    /** The hook that takes over the lock at the end of the JVM. */
    private static Thread cleanUp(Daemon daemon) throws ReflectiveOperationException {
      Field hook = LockCleanUp.class.getDeclaredField("hook");
      hook.setAccessible(true);
      return (Thread) hook.get(daemon.cleanUp);
    }

    private static void printAfter(Thread cleanUp) {
      while (cleanUp.getState() != Thread.State.TERMINATED) {
        Thread.onSpinWait();
      }
      System.out.println("no port");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"changes itself", "has errors elsewhere", "asks for its lock", "closes", "ends"})
  void whatIsPrintedOnStandardOutputIsKeptUntilTheDaemonIsReady(String how) throws Exception {
    assertThat(facade.launch(PrintsLate.class, how))
        .isEqualTo(
            new ProcessSandbox.Result(
                3,
                "",
                """
                VerdictTest$PrintsLate: the daemon exited with 3 before it was ready. Its last words:
                  no port
                """));
  }

  /** A daemon with two logs that prints to standard output alone, and ends. */
  static final class PrintsAndEnds {
    public static void main(String[] args) {
      DaemonConfig config =
          args[1].equals("without a log")
              ? Words.config(args[0]).build()
              : Words.config(args[0], "out=x.out", "err=x.err").build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        System.out.println("no port");
        if (args[1].equals("fails")) {
          StartException _ = daemon.fail(42, "no service");
        }
        Runtime.getRuntime().halt(3);
      }
    }
  }

  /**
   * Each JVM names them on standard error; of the daemon's words the launcher indents each line.
   */
  @ParameterizedTest
  @CsvSource({
    "ends,          3, 'the daemon exited with 3 before it was ready. Its last words, in $log:|  no port'",
    "without a log, 3, 'the daemon exited with 3 before it was ready. Its last words:|  no port'",
    "fails,        42, no service; see $log",
  })
  void whatTheJvmSaysOfItsOptionsIsNoReason(String how, int exitCode, String text)
      throws Exception {
    ProcessSandbox.Result result =
        facade.run(
            facade.java(List.of(), PrintsAndEnds.class, how),
            Map.of(
                "JAVA_TOOL_OPTIONS",
                "-Dx=1",
                "_JAVA_OPTIONS",
                "-Dy=1",
                "JDK_JAVA_OPTIONS",
                "-Dz=1"));

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(exitCode);
    assertThat(result.err().lines().filter(line -> !line.matches("(NOTE: )?Picked up .*")))
        .containsExactly(
            ("VerdictTest$PrintsAndEnds: " + text)
                .replace("$log", facade.file("x.out").toString())
                .split("\\|"));
  }

  @Test
  void anExceptionBeforeTheCallIsAmongTheLastWords() throws Exception {
    ProcessSandbox.Result result = facade.launch(Ends.class, "cannot configure");

    assertThat(result)
        .isEqualTo(
            new ProcessSandbox.Result(
                1,
                "",
                """
                VerdictTest$Ends: the daemon exited with 1 before it was ready. Its last words, in %s:
                  Exception in thread "main" java.io.IOException: no configuration
                """
                    .formatted(facade.file("log"))));
    assertNothingLeft();
  }

  @ParameterizedTest
  @ValueSource(strings = {"fails", "exits", "dies", "dies early"})
  void afterAFailureWhatWasThereIsEmptyAndTheNextStartWorks(String how) throws Exception {
    Files.writeString(facade.pidFile(), "99999\n");

    ProcessSandbox.Result result = facade.launch(Ends.class, how);

    assertThat(result.exitCode()).isPositive();
    assertThat(Files.exists(facade.pidFile()) ? Files.readString(facade.pidFile()) : "").isEmpty();
    assertThat(Facade.isLocked(facade.pidFile())).isFalse();
    assertThat(facade.daemon(Ends.class, "ready")).isPositive();
  }

  /** But for a log in which something stands. */
  private void assertNothingLeft() throws IOException {
    assertThat(facade.processes()).isEmpty();
    try (Stream<Path> files = Files.list(facade.directory())) {
      assertThat(files.filter(file -> !file.endsWith("log"))).isEmpty();
    }
    Path log = facade.file("log");
    assertThat(Files.exists(log) && Files.size(log) == 0).isFalse();
  }

  /** A daemon whose JVM, directory or program is as its arguments say. */
  static final class Starts {
    public static void main(String[] args) throws Exception {
      DaemonConfig.Builder config = DaemonConfig.builder().pidFile(Path.of(args[0]).resolve("pid"));
      switch (args[1]) {
        case "jvm" -> config.jvmArguments(args[2]);
        case "directory" -> config.workingDirectory(Path.of("/missing/directory"));
        case "for ever" -> config.readyTimeout(ChronoUnit.FOREVER.getDuration());
        case "removed" -> {
          config.preserveWorkingDirectory();
          if (Daemonizer.stage() == Stage.LAUNCHER) {
            Files.delete(Daemonizer.launchDirectory());
          }
        }
        case "gone" -> Files.deleteIfExists(Path.of(args[2]));
        case "differs" ->
            config.umask(Daemonizer.stage() == Stage.DAEMON ? 027 : DaemonConfig.DEFAULT_UMASK);
        default -> throw new IllegalArgumentException(args[1]);
      }
      try (Daemon daemon = Daemonizer.daemonize(config.build())) {
        daemon.ready();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "-XX:NoSuchOption, Unrecognized VM option",
    "-Xmx1k, Too small maximum heap",
    "-javaagent:/missing.jar, Error opening zip file",
    "-XX:Flags=/missing, Could not open",
  })
  void aJvmThatCannotStartSaysWhy(String option, String words) throws Exception {
    ProcessSandbox.Result result = facade.launch(Starts.class, "jvm", option);

    assertThat(result.exitCode()).as(result.err()).isEqualTo(1);
    assertThat(result.err())
        .startsWith("VerdictTest$Starts: the daemon exited with 1 before it was ready")
        .contains(words);
    assertNothingLeft();
  }

  @Test
  void aMissingDirectoryIsFoundAtOnce() throws Exception {
    ProcessSandbox.Result result = facade.launch(Starts.class, "directory");

    assertThat(result.exitCode()).isEqualTo(71);
    assertThat(result.err()).contains("workingDirectory").contains("/missing/directory");
    assertNothingLeft();
  }

  @Test
  void aDirectoryThatIsToBeKeptAndIsGoneIsFoundAtOnce() throws Exception {
    Path here = Files.createDirectory(facade.file("here"));
    List<String> command =
        new ArrayList<>(List.of("sh", "-c", "cd \"$0\" && exec \"$@\"", here.toString()));
    command.addAll(facade.java(List.of(), Starts.class, "removed"));

    ProcessSandbox.Result result = facade.run(command, Map.of());

    assertThat(result.exitCode()).as(result.err()).isEqualTo(71);
    assertThat(result.err()).contains("working directory").hasLineCount(1);
    assertNothingLeft();
  }

  @Test
  void aLauncherMayWaitForEver() throws Exception {
    assertThat(facade.launch(Starts.class, "for ever"))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));
  }

  /** The logger of a program that lacks some of its libraries. */
  public static final class BrokenLogging extends System.LoggerFinder {
    @Override
    public System.Logger getLogger(String name, Module module) {
      throw new NoClassDefFoundError("logging/Implementation");
    }
  }

  @Test
  void aLoggerThatCannotBeLoadedFailsNoStart() throws Exception {
    Path services = Files.createDirectories(facade.file("logging/META-INF/services"));
    Files.writeString(
        services.resolve("java.lang.System$LoggerFinder"), BrokenLogging.class.getName());
    List<String> command = facade.java(List.of(), Starts.class, "for ever");
    int classPath = command.indexOf("-cp") + 1;
    command.set(classPath, command.get(classPath) + ":" + facade.file("logging"));

    assertThat(facade.run(command, Map.of()).exitCode()).isZero();
  }

  @Test
  void aJavaThatIsGoneIsFoundAtOnce() throws Exception {
    // A copy that may be deleted; it uses the libraries of the real one.
    Path home = Path.of(System.getProperty("java.home"));
    Path java = Files.createDirectories(facade.file("jdk/bin")).resolve("java");
    Files.copy(home.resolve("bin/java"), java);
    Files.createSymbolicLink(facade.file("jdk/lib"), home.resolve("lib"));
    Files.createSymbolicLink(facade.file("jdk/conf"), home.resolve("conf"));
    List<String> command = facade.java(List.of(), Starts.class, "gone", java.toString());
    command.set(0, java.toString());

    ProcessSandbox.Result result = facade.run(command, Map.of());

    assertThat(result.exitCode()).as(result.err()).isEqualTo(66);
    assertThat(result.err()).contains(java.toString()).hasLineCount(1);
    assertThat(facade.processes()).isEmpty();
    assertThat(facade.pidFile()).doesNotExist();
  }

  @Test
  void aDaemonWithAnotherConfigurationIsRefused() throws Exception {
    ProcessSandbox.Result result = facade.launch(Starts.class, "differs");

    assertThat(result)
        .isEqualTo(
            new ProcessSandbox.Result(
                70,
                "",
                "VerdictTest$Starts: the daemon has another configuration than its launcher:"
                    + " umask=022 in the launcher, umask=027 in the daemon\n"));
    assertNothingLeft();
  }
}
