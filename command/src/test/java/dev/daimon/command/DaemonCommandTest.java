package dev.daimon.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.control.Outcome;
import dev.daimon.control.StopResult;
import dev.daimon.daemon.DaemonConfig;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.EndsBeforeExit;
import dev.daimon.testing.FaultInjector;
import dev.daimon.testing.FaultInjector.Fault;
import dev.daimon.testing.ProcessSandbox;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A program whose main is {@link DaemonCommand#main}, run as a user would. */
class DaemonCommandTest extends ProcessSandbox {
  private static final boolean ROOT = "root".equals(System.getProperty("user.name"));
  private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");

  /** Its directory is the working directory at its start; its words say how it goes on. */
  static final class App {
    public static void main(String[] arguments) throws Exception {
      Path here = dev.daimon.daemon.Daemonizer.launchDirectory();
      DaemonConfig.Builder config = DaemonConfig.builder();
      if (Files.exists(here.resolve("named"))) {
        config.name("app");
      } else {
        config.pidFile(here.resolve("app.pid")).standardOutput(here.resolve("app.log"));
      }
      config.simulate(Files.exists(here.resolve("simulated")));
      if (!List.of(arguments).contains("run")) {
        // A JVM that runs cannot change its name.
        config.programName("app");
      }
      if (Files.exists(here.resolve("wrong"))) {
        config.umask(-1);
      }
      DaemonCommand.main(
          arguments,
          config.build(),
          (daemon, words) -> {
            System.out.println("begins with " + words);
            if (words.contains("fail") || Files.exists(here.resolve("fail"))) {
              throw new IllegalStateException("no luck");
            }
            if (words.contains("replace")) {
              Thread replacing = new Thread(() -> replace(here.resolve("app.pid")));
              Runtime.getRuntime().addShutdownHook(replacing);
            }
            daemon.onReload(signal -> {
              Files.writeString(here.resolve("reloaded"), "yes.");
            });
            if (words.contains("wait")) {
              Files.createFile(here.resolve("waits"));
              new CountDownLatch(1).await();
            }
            daemon.ready();
            if (!words.contains("end")) {
              new CountDownLatch(1).await();
            }
          });
    }

    /** Puts a directory in the place of a file, with another one in it, so that it stays. */
    private static void replace(Path file) {
      try {
        Files.deleteIfExists(file);
        Files.createDirectories(file.resolve("x"));
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
  }

  /** Has nothing by which it can be found. */
  static final class Nameless {
    public static void main(String[] arguments) throws Exception {
      DaemonCommand.main(
          arguments, DaemonConfig.builder().programName("app").build(), (daemon, words) -> {});
    }
  }

  /** Its last word is its directory, so it asks for nothing before it daemonizes. */
  static final class Knowing {
    public static void main(String[] arguments) throws Exception {
      // inject.c knows by that path that the JVM's start is over.
      boolean _ = new File("/marker/main").exists();
      Path directory = Path.of(arguments[1]);
      DaemonCommand.main(
          arguments,
          DaemonConfig.builder().programName("app").pidFile(directory.resolve("app.pid")).build(),
          (daemon, words) -> {
            daemon.ready();
            new CountDownLatch(1).await();
          });
    }
  }

  @BeforeEach
  void makeDirectory() throws Exception {
    begin();
  }

  @AfterEach
  void endAll() throws Exception {
    end();
  }

  private List<String> java(Class<?> main, String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of(JAVA.toString()));
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
    command.addAll(List.of(ChildJvm.of(main).classPath(), main.getName()));
    command.addAll(List.of(words));
    return command;
  }

  private Result app(String... words) throws Exception {
    return run(java(App.class, words), Map.of());
  }

  private Path pidFile() {
    return file("app.pid");
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "help"})
  void whatAFullDiskHasLostIsAFailure(String verb) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("/bin/sh", "-c", "exec \"$@\" >/dev/full", "sh"));
    command.addAll(java(App.class, verb));

    assertThat(run(command, Map.of()))
        .isEqualTo(new Result(71, "", "app: standard output cannot be written\n"));
  }

  @Test
  void itIsStartedToldOfReloadedRestartedAndStopped() throws Exception {
    assertThat(app("start", "one", "two")).isEqualTo(new Result(0, "", ""));
    long first = pid(pidFile());
    assertThat(file("app.log")).hasContent("begins with [one, two]");

    Result status = app("status");
    assertThat(status.exitCode()).isZero();
    assertThat(status.out())
        .hasLineCount(1)
        .contains(Long.toString(first), ", user ", ", up 0:00:", "start one two");
    assertThat(app("start").exitCode()).isEqualTo(69);

    assertThat(app("reload")).isEqualTo(new Result(0, "", ""));
    await("the reload", () -> Files.exists(file("reloaded")));

    assertThat(app("restart", "three")).isEqualTo(new Result(0, "", ""));
    assertThat(pid(pidFile())).isNotEqualTo(first);
    assertThat(file("app.log")).content().endsWith("begins with [three]\n");
    assertThat(isLocked(pidFile())).isTrue();

    assertThat(app("stop")).isEqualTo(new Result(0, "", ""));
    assertThat(pidFile()).doesNotExist();
    awaitEnd();
    assertThat(app("status").exitCode()).isEqualTo(3);
    assertThat(app("stop")).isEqualTo(new Result(0, "", "app: it was not running\n"));
    assertThat(app("reload"))
        .isEqualTo(new Result(3, "", "app: not running, so nobody got SIGHUP\n"));
  }

  @Test
  void aStartThatFailsSaysWhy() throws Exception {
    Result result = app("start", "fail");

    assertThat(result.exitCode()).isEqualTo(70);
    assertThat(result.err()).contains("app: java.lang.IllegalStateException: no luck");
    assertThat(pidFile()).doesNotExist();
  }

  @Test
  void aRestartThatCannotStartSaysWhetherSomethingRuns() throws Exception {
    assertThat(app("start").exitCode()).isZero();
    long first = pid(pidFile());

    Files.createFile(file("wrong"));
    Result wrong = app("restart");
    assertThat(wrong)
        .isEqualTo(
            new Result(
                64,
                "",
                "app: umask is outside of 0 to 0777: 0"
                    + Integer.toOctalString(-1)
                    + "; nothing was stopped\n"));
    assertThat(pid(pidFile())).isEqualTo(first);
    assertThat(isLocked(pidFile())).isTrue();

    Files.delete(file("wrong"));
    Files.createFile(file("fail"));
    Result failed = app("restart");
    assertThat(failed.exitCode()).isEqualTo(70);
    assertThat(failed.err()).contains("no luck").endsWith("; the old daemon is stopped\n");
    awaitEnd();
  }

  @Test
  void aRestartThatIsRefusedAfterTheStopSaysSo() throws Exception {
    assertThat(app("start", "replace")).isEqualTo(new Result(0, "", ""));

    Result refused = app("restart");

    assertThat(refused.exitCode()).isEqualTo(73);
    assertThat(refused.err())
        .contains(pidFile().toString())
        .endsWith("; the old daemon is stopped\n")
        .hasLineCount(1);
    awaitEnd();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aRestartThatIsInterruptedSaysWhatBecameOfBothDaemons(boolean runs) throws Exception {
    if (runs) {
      assertThat(app("start")).isEqualTo(new Result(0, "", ""));
    }
    Process restart =
        prepare(java(App.class, "restart", "wait"), Map.of())
            .redirectError(file("err").toFile())
            .start();
    await("the new daemon", () -> Files.exists(file("waits")));

    restart.destroy();

    assertThat(restart.waitFor()).isEqualTo(128 + 15);
    assertThat(Files.readString(file("err")))
        .isEqualTo(
            (runs ? "" : "app: it was not running\n")
                + "app: interrupted, and the daemon was stopped"
                + (runs ? "; the old daemon is stopped\n" : "\n"));
    awaitEnd();
    assertThat(pidFile()).doesNotExist();
  }

  @Test
  void aSignalAfterARestartDoesNotMakeItAFailure() throws Exception {
    assertThat(app("start")).isEqualTo(new Result(0, "", ""));
    long first = pid(pidFile());

    List<String> command = EndsBeforeExit.of(java(App.class, "restart"), "TERM", file("logging"));

    assertThat(run(command, Map.of())).isEqualTo(new Result(0, "", ""));
    assertThat(pid(pidFile())).isNotEqualTo(first);
    assertThat(isLocked(pidFile())).isTrue();
  }

  /** By the default policy that takes half a minute, so the words are asked for alone. */
  @Test
  void ofAChildThatHadToBeKilledAStopDoesNotSayThatItWasTheDaemon() {
    List<String> said = new ArrayList<>();
    StopWords words = new StopWords(said::add);

    words.waiting(7, Duration.ZERO, Optional.of(Signal.KILL), Duration.ZERO);
    words.waiting(8, Duration.ZERO, Optional.empty(), Duration.ZERO);
    words.stopped(
        new StopResult(Outcome.OK, OptionalLong.of(7), List.of(Signal.TERM, Signal.KILL)));

    assertThat(said).containsExactly("process 8 did not end by SIGTERM, and was killed");
  }

  @Test
  void aSimulationRestartsNothing() throws Exception {
    assertThat(app("start").exitCode()).isZero();

    Files.createFile(file("simulated"));
    assertThat(app("restart"))
        .isEqualTo(new Result(64, "", "app: a restart cannot be simulated; nothing was stopped\n"));
    assertThat(isLocked(pidFile())).isTrue();
    Files.delete(file("simulated"));
    assertThat(app("stop").exitCode()).isZero();
  }

  /** Root has a /run and a /var/log of its own. */
  @Test
  void oneWithANameIsFoundByIt() throws Exception {
    Files.createFile(file("named"));
    Path runtime = Files.createDirectory(file("runtime"));
    Files.setPosixFilePermissions(runtime, PosixFilePermissions.fromString("rwx------"));
    String script =
        (ROOT ? "mount -t tmpfs x /run; mount -t tmpfs x /var/log;" : "")
            + " \"$@\" start; \"$@\" status; \"$@\" restart x; \"$@\" stop; \"$@\" status || echo $?";
    List<String> command = new ArrayList<>();
    if (ROOT) {
      command.addAll(List.of("unshare", "--mount", "--propagation", "private"));
    }
    command.addAll(List.of("sh", "-ec", script, "sh"));
    command.addAll(java(App.class));

    Map<String, String> places =
        Map.of("XDG_STATE_HOME", file("state").toString(), "XDG_RUNTIME_DIR", runtime.toString());
    Result result = run(command, places);

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out()).contains(", up 0:00:").endsWith("\n3\n");
  }

  @Test
  void aJvmWithoutNativeAccessIsRefusedInOneLine() throws Exception {
    Files.createFile(file("named"));
    for (String verb : List.of("start", "stop", "restart")) {
      List<String> command = java(App.class, verb);
      command.remove("--enable-native-access=ALL-UNNAMED");
      command.add(1, "--illegal-native-access=deny");

      Result result = run(command, Map.of());

      assertThat(result.exitCode()).as(result.toString()).isEqualTo(71);
      assertThat(result.err()).startsWith("app: ").hasLineCount(1);
    }
  }

  /** A process that cannot read its descriptors does not know whether it is the daemon. */
  @ParameterizedTest
  @ValueSource(strings = {"start", "restart"})
  @Tag("cc")
  void aProcessThatCannotFindOutWhichItIsSaysSoInOneLine(String verb) throws Exception {
    List<String> command = java(Knowing.class, verb, directory().toString());

    Result result =
        runWithFault(
            command,
            each ->
                each.error().equals("ENOMEM")
                    && each.call().name().startsWith("readlink")
                    && each.call().path().startsWith("/proc/self/fd/"));

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(71);
    assertThat(result.err()).matches("app: /proc/self/fd/\\d+: Cannot allocate memory\\n");
  }

  /** It asks whether the daemon has inherited the connection. */
  @Test
  @Tag("cc")
  void aLauncherThatCannotExamineItsDaemonGoesOn() throws Exception {
    Result result =
        runWithFault(
            java(Knowing.class, "start", directory().toString()),
            each ->
                each.error().equals("ENOMEM")
                    && each.call().name().startsWith("readlink")
                    && each.call().path().matches("/proc/[0-9]+/fd/[0-9]+"));

    assertThat(result).isEqualTo(new Result(0, "", ""));
  }

  /** The first thing that the daemon writes is the report to its launcher. */
  @Test
  @Tag("cc")
  void aReportThatCannotBeWrittenIsAFailureOfTheStart() throws Exception {
    Result result =
        runWithFault(
            java(Knowing.class, "start", directory().toString()),
            each ->
                each.error().equals("ENOSPC")
                    && each.call().label().equals("java2")
                    && each.call().name().equals("write"));

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(71);
    assertThat(result.err()).startsWith("app: ").contains("No space left on device");
    awaitEnd();
    assertThat(pidFile()).doesNotExist();
  }

  /**
   * A daemon without a session of its own would be in the process group of whoever started it, and
   * end that group with itself. So this is run in a session of its own.
   */
  @Test
  @Tag("cc")
  void whereNoSessionCanBeMadeNothingIsStarted() throws Exception {
    FaultInjector injector = FaultInjector.compiled(Files.createDirectory(file("inject")));
    List<String> command = new ArrayList<>(List.of("setsid", "--wait"));
    command.addAll(
        injector.forbidding(
            "setsid", "EPERM", java(Knowing.class, "start", directory().toString())));

    Result result = run(command, Map.of());

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(71);
    assertThat(result.err())
        .matches("app: posix_spawn .*: Operation not permitted \\(EPERM, 1\\)\n");
    assertThat(processes()).isEmpty();
    assertThat(pidFile()).doesNotExist();
  }

  /** Runs a command that starts a daemon; then again, with the first fault that is as wanted. */
  private Result runWithFault(List<String> command, Predicate<Fault> wanted) throws Exception {
    FaultInjector injector = FaultInjector.compiled(Files.createDirectory(file("inject")));
    Path log = file("calls");
    assertThat(run(injector.command(log, command), Map.of()).exitCode()).isZero();
    Fault fault =
        injector.faults(FaultInjector.calls(log), /* runtimes= */ false).stream()
            .filter(wanted)
            .findFirst()
            .orElseThrow();
    assertThat(app("stop").exitCode()).isZero();
    Result result = run(injector.command(log, fault, command), Map.of());
    assertThat(FaultInjector.hasHappened(log)).isTrue();
    return result;
  }

  @Test
  void inTheForegroundItIsTheProcessItself() throws Exception {
    Process process = prepare(java(App.class, "run", "x"), Map.of()).start();
    await("the pidfile", () -> Files.exists(pidFile()) && !Files.readString(pidFile()).isEmpty());
    assertThat(pid(pidFile())).isEqualTo(process.pid());
    await("the lock and readiness", () -> Files.readString(file("app.log")).contains("[x]"));

    assertThat(app("stop").exitCode()).isZero();
    // It has no onStop: SIGTERM ends it.
    assertThat(process.waitFor()).isEqualTo(128 + 15);
    assertThat(app("run", "end")).isEqualTo(new Result(0, "", ""));
  }

  @Test
  void helpIsPrintedAndAWordThatIsNoVerbIsRefused() throws Exception {
    assertThat(app("--help").out()).startsWith("Usage: app start|stop|");
    String usage = "; usage: app start|stop|status|restart|reload|run\n";
    assertThat(app()).isEqualTo(new Result(64, "", "app: no word says what to do" + usage));
    assertThat(app("go")).isEqualTo(new Result(64, "", "app: unknown word: \"go\"" + usage));
    assertThat(app("stop", "now"))
        .isEqualTo(new Result(64, "", "app: stop takes no further words" + usage));
    Result nameless = run(java(Nameless.class, "stop"), Map.of());
    assertThat(nameless.exitCode()).isEqualTo(64);
    assertThat(nameless.err()).contains("has no name or pidFile");
  }
}
