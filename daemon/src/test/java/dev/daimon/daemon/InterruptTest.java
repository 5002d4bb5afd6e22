package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.EndsBeforeExit;
import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A start that is disturbed is completed, or taken back. */
class InterruptTest {
  @RegisterExtension final Facade facade = new Facade();

  /**
   * A daemon that waits before the call, or between the call and being ready, until the test lets
   * it go on.
   */
  static final class Waits {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      String where = args[1];
      if (Daemonizer.stage() == Stage.LAUNCHER) {
        Thread.ofPlatform().daemon().start(() -> exitWhenTold(directory));
      } else if ("before".equals(where)) {
        pause(directory);
      }
      DaemonConfig config =
          DaemonConfig.builder()
              .pidFile(directory.resolve("pid"))
              .readyTimeout(Duration.ofMillis(Long.parseLong(args[2])))
              .build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        daemon.status("working hard");
        if (!"before".equals(where)) {
          Process _ = new ProcessBuilder("sleep", "1000").start();
          if ("hangs".equals(where)) {
            Runtime.getRuntime().addShutdownHook(new Thread(Waits::hang));
          }
          if ("chats".equals(where)) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> chat(daemon)));
          }
          if ("lets go".equals(where)) {
            daemon.lockDescriptor().close();
          }
          pause(directory);
        }
        if ("leaves".equals(where)) {
          Thread main = Thread.currentThread();
          Thread.ofPlatform().daemon().start(() -> exitWhenReported(main));
        }
        daemon.status("nearly done");
        daemon.ready();
        Files.writeString(directory.resolve("ready"), "yes.");
        new CountDownLatch(1).await();
      }
    }

    private static void pause(Path directory) throws Exception {
      Files.writeString(directory.resolve("waits"), ProcessHandle.current().pid() + ".");
      awaitFile(directory, "go");
    }

    private static void hang() {
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    /** Reports its status while the launcher waits for its end, and never ends by itself. */
    private static void chat(Daemon daemon) {
      for (int i = 0; i < 50; i++) {
        daemon.status("stopping " + i);
        LockSupport.parkNanos(20_000_000);
      }
      hang();
    }

    /** Exits when the daemon has reported that it is ready, and waits for the launcher's answer. */
    private static void exitWhenReported(Thread main) {
      while (Arrays.stream(main.getStackTrace())
          .noneMatch(frame -> frame.getMethodName().equals("awaitLauncher"))) {
        Thread.onSpinWait();
      }
      System.exit(0);
    }

    private static void exitWhenTold(Path directory) {
      try {
        awaitFile(directory, "exit");
      } catch (Exception failure) {
        throw new IllegalStateException(failure);
      }
      System.exit(5);
    }

    private static void awaitFile(Path directory, String name) throws Exception {
      while (!Files.exists(directory.resolve(name))) {
        TimeUnit.MILLISECONDS.sleep(5);
      }
    }
  }

  private static final String LONG = "60000";

  private Process launch(List<String> prefix, String where, String timeout) throws Exception {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(facade.java(List.of(), Waits.class, where, timeout));
    return facade.start(command);
  }

  private long awaitDaemon() throws Exception {
    return Long.parseLong(facade.awaitText("waits"));
  }

  private void assertUndone() throws Exception {
    assertThat(facade.processes()).isEmpty();
    assertThat(facade.pidFile()).doesNotExist();
    assertThat(facade.file("out")).isEmptyFile();
  }

  private void assertStartsAgain() throws Exception {
    Files.writeString(facade.file("go"), "");
    assertThat(facade.daemon(Waits.class, "between", LONG)).isPositive();
  }

  @ParameterizedTest
  @CsvSource({
    "INT,  130, setsid, before",
    "INT,  130, setsid, between",
    "TERM, 143, env,    before",
    "TERM, 143, env,    between",
    "HUP,  129, env,    between",
  })
  void aSignalToTheLauncherEndsTheDaemonAndWhatItHasStarted(
      String signal, int status, String prefix, String where) throws Exception {
    Process launcher = launch(List.of(prefix), where, LONG);
    assertThat(awaitDaemon()).isPositive();

    Facade.signal(signal, "setsid".equals(prefix) ? -launcher.pid() : launcher.pid());

    assertThat(launcher.waitFor()).isEqualTo(status);
    assertThat(Files.readString(facade.file("err")))
        .isEqualTo("InterruptTest$Waits: interrupted, and the daemon was stopped\n");
    assertUndone();
  }

  @Test
  void aDaemonThatTalksInsteadOfEndingIsKilled() throws Exception {
    Process launcher = launch(List.of(), "chats", LONG);
    assertThat(awaitDaemon()).isPositive();

    Facade.signal("TERM", launcher.pid());

    assertThat(launcher.waitFor(50, TimeUnit.SECONDS)).isTrue();
    assertUndone();
  }

  @Test
  void aDaemonThatCannotCleanUpEndsWithItsLauncherAllTheSame() throws Exception {
    Process launcher = launch(List.of(), "lets go", LONG);
    assertThat(awaitDaemon()).isPositive();

    launcher.destroyForcibly();

    facade.awaitEnd();
  }

  @Test
  void anExitInAnotherThreadOfTheLauncherIsAnInterruption() throws Exception {
    Process launcher = launch(List.of(), "between", LONG);
    assertThat(awaitDaemon()).isPositive();

    Files.writeString(facade.file("exit"), "");

    assertThat(launcher.waitFor()).isEqualTo(5);
    Files.delete(facade.file("exit"));
    assertUndone();
  }

  /** Starts a daemon from a launcher that has a shutdown hook of its own. */
  static final class Hooked {
    public static void main(String[] args) throws Exception {
      if (Daemonizer.stage() == Stage.LAUNCHER) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
      }
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.ready();
        new CountDownLatch(1).await();
      }
    }
  }

  /** It has confirmed the daemon by then. */
  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT", "5"})
  void whatEndsTheLauncherJustBeforeItsOwnExitDoesNotMakeTheStartAFailure(String how)
      throws Exception {
    List<String> command =
        EndsBeforeExit.of(facade.java(List.of(), Hooked.class), how, facade.file("logging"));

    assertThat(facade.run(command, Map.of())).isEqualTo(new ProcessSandbox.Result(0, "hook\n", ""));

    assertThat(facade.running().isAlive()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"before", "between"})
  void aDaemonWhoseLauncherIsKilledEnds(String where) throws Exception {
    Process launcher = launch(List.of(), where, LONG);
    assertThat(awaitDaemon()).isPositive();

    launcher.destroyForcibly();

    assertThat(launcher.waitFor()).isEqualTo(137);
    if ("before".equals(where)) {
      // The call throws it.
      Files.writeString(facade.file("go"), "");
    }
    facade.awaitEnd();
    assertThat(facade.file("ready")).doesNotExist();
    assertUndone();
    assertStartsAgain();
  }

  @Test
  @Tag("root")
  @Tag("strace")
  void aDaemonWhoseLauncherIsKilledEndsAlsoIfNoThreadIsLeftToKillIt() throws Exception {
    Process launcher = launch(List.of(), "hangs", LONG);
    facade.refuseThreads(awaitDaemon(), "daimon-launcher", "1+");

    launcher.destroyForcibly();

    facade.awaitEnd();
  }

  /** On the signals of a shutdown a JVM exits by itself. */
  @ParameterizedTest
  @CsvSource({
    "KILL, before,  70,  was killed by SIGKILL",
    "KILL, between, 70,  was killed by SIGKILL",
    "HUP,  between, 129, exited with 129",
    "INT,  between, 130, exited with 130",
    "TERM, before,  143, exited with 143",
    "TERM, between, 143, exited with 143",
  })
  void aLauncherWhoseDaemonASignalEndsSaysSo(String signal, String where, int exitCode, String end)
      throws Exception {
    Process launcher = launch(List.of(), where, LONG);
    long daemon = awaitDaemon();

    Facade.signal(signal, daemon);

    assertThat(launcher.waitFor()).isEqualTo(exitCode);
    assertThat(facade.file("err"))
        .hasContent("InterruptTest$Waits: the daemon " + end + " before it was ready\n");
    assertUndone();
    assertStartsAgain();
  }

  @Test
  void aDaemonThatIsStoppedIsKilledAfterTheTime() throws Exception {
    Process launcher = launch(List.of(), "before", "6000");
    long daemon = awaitDaemon();

    Facade.signal("STOP", daemon);

    assertThat(launcher.waitFor()).isEqualTo(75);
    assertThat(facade.file("err"))
        .hasContent("InterruptTest$Waits: not ready after 6 s, and stopped\n");
    assertUndone();
    assertStartsAgain();
  }

  @Test
  void aDaemonThatDoesNotEndIsKilledAfterTheTime() throws Exception {
    Process launcher = launch(List.of(), "hangs", "6500");

    assertThat(launcher.waitFor()).isEqualTo(75);
    assertThat(facade.file("err"))
        .hasContent("InterruptTest$Waits: not ready after 6500 ms, and stopped: working hard\n");
    assertUndone();
  }

  @Test
  void aLauncherThatWasStoppedMeanwhileStillHearsThatTheDaemonIsReady() throws Exception {
    Process launcher = launch(List.of(), "between", "6000");
    long daemon = awaitDaemon();
    Facade.signal("STOP", launcher.pid());
    Files.writeString(facade.file("go"), "");

    // Until the time is up: it is the time itself that is tried here.
    TimeUnit.MILLISECONDS.sleep(6200);
    assertThat(facade.file("ready")).doesNotExist();
    Facade.signal("CONT", launcher.pid());

    assertThat(launcher.waitFor()).as(Files.readString(facade.file("err"))).isZero();
    assertThat(facade.awaitText("ready")).isEqualTo("yes");
    assertThat(Facade.pid(facade.pidFile())).isEqualTo(daemon);
    assertThat(facade.file("err")).isEmptyFile();
  }

  /** It has removed its pidfile itself, and no stranger has. */
  @Test
  void aDaemonThatHasEndedWhenTheLauncherHearsThatItIsReadyIsTold() throws Exception {
    Process launcher = launch(List.of(), "leaves", LONG);
    long daemon = awaitDaemon();
    Facade.signal("STOP", launcher.pid());
    Files.writeString(facade.file("go"), "");
    ProcessSandbox.await(
        "the daemon's end",
        () -> facade.processes().stream().noneMatch(process -> process.pid() == daemon));
    Facade.signal("CONT", launcher.pid());

    assertThat(launcher.waitFor()).isEqualTo(70);
    assertThat(facade.file("err"))
        .hasContent("InterruptTest$Waits: the daemon exited with 0 before it was ready\n");
    assertUndone();
    assertStartsAgain();
  }

  @Test
  void aLauncherThatIsKilledBeforeItConfirmsLeavesNoDaemon() throws Exception {
    Process launcher = launch(List.of(), "between", LONG);
    assertThat(awaitDaemon()).isPositive();
    Facade.signal("STOP", launcher.pid());
    Files.writeString(facade.file("go"), "");

    Facade.signal("KILL", launcher.pid());

    assertThat(launcher.waitFor()).isEqualTo(137);
    facade.awaitEnd();
    assertThat(facade.file("ready")).doesNotExist();
    assertUndone();
  }
}
