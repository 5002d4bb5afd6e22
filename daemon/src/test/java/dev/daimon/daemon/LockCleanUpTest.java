package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Command;
import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The files that a daemon leaves, in each way to end. */
class LockCleanUpTest {
  @RegisterExtension final Facade facade = new Facade();

  /** Ends in the way that its second argument says. */
  static final class Ends {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      DaemonConfig config = Words.config(args[0], "lockFile=lock").build();
      // Not closed, because that is one of the ways to end.
      Daemon daemon = Daemonizer.daemonize(config);
      daemon.ready();
      // By now the test has seen the pidfile.
      ProcessSandbox.await("the test", () -> Files.exists(directory.resolve("go")));
      switch (args[1]) {
        case "end of main" -> {}
        case "exit" -> System.exit(3);
        case "exit with the daemon in use" -> {
          synchronized (daemon) {
            System.exit(3);
          }
        }
        case "exception" -> throw new IllegalStateException("on purpose");
        case "close" -> {
          daemon.close();
          daemon.close();
          live(directory);
        }
        case "cleanup" -> {
          daemon.removePidFileOnClose(false);
          daemon.cleanup();
          daemon.close();
          live(directory);
        }
        default -> throw new IllegalArgumentException(args[1]);
      }
    }

    private static void live(Path directory) throws Exception {
      Words.tell(directory, "lives", "");
      Words.stay();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"end of main", "exit", "exit with the daemon in use", "exception"})
  void thePidFileGoesWhenTheJvmEnds(String way) throws Exception {
    go(facade.daemon(Ends.class, way));

    facade.awaitEnd();
    assertGone();
  }

  @ParameterizedTest
  @ValueSource(strings = {"close", "cleanup"})
  void thePidFileGoesAtOnceAndTheProcessGoesOn(String way) throws Exception {
    long pid = facade.daemon(Ends.class, way);
    go(pid);

    assertThat(facade.awaitText("lives")).isEmpty();
    assertGone();
    assertThat(ProcessHandle.of(pid)).isPresent();
  }

  private void go(long pid) throws Exception {
    assertThat(facade.pidFile()).hasContent(pid + "\n");
    assertThat(Facade.isLocked(facade.pidFile())).isTrue();
    assertThat(Facade.isLocked(facade.file("lock"))).isTrue();
    Files.createFile(facade.file("go"));
  }

  private void assertGone() throws Exception {
    assertThat(facade.pidFile()).doesNotExist();
    assertThat(facade.file("lock")).isEmptyFile();
    awaitUnlocked("lock");
  }

  /** A process that has no environment any more may still have its files open, for a moment. */
  private void awaitUnlocked(String name) throws Exception {
    Facade.await(name + " to be unlocked", () -> !Facade.isLocked(facade.file(name)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT", "HUP"})
  void thePidFileGoesWithASignalThatEndsTheDaemon(String signal) throws Exception {
    long pid = facade.daemon(Words.Stays.class, "lockFile=lock");

    kill(signal, pid);

    facade.awaitEnd();
    assertGone();
  }

  /** Stops slowly: a shutdown hook runs until the test ends it. */
  static final class StopsSlowly {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      CountDownLatch ending = new CountDownLatch(1);
      CountDownLatch closed = new CountDownLatch(1);
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args[0], "lockFile=lock").build())) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(directory, ending, closed)));
        daemon.ready();
        ending.await();
        // The daemon's own hook has run by now.
        ProcessSandbox.await("the hook", () -> !isRunning("daimon-cleanup"));
      }
      closed.countDown();
    }

    private static boolean isRunning(String thread) {
      return Thread.getAllStackTraces().keySet().stream()
          .anyMatch(other -> other.getName().equals(thread));
    }

    private static void stop(Path directory, CountDownLatch ending, CountDownLatch closed) {
      try {
        ending.countDown();
        closed.await();
        Words.tell(directory, "stopping", "");
        ProcessSandbox.await("go", () -> Files.exists(directory.resolve("go")));
      } catch (Exception failure) {
        throw new IllegalStateException(failure);
      }
    }
  }

  @Test
  void noOtherDaemonStartsWhileThisOneIsStopping() throws Exception {
    long pid = facade.daemon(StopsSlowly.class);
    kill("TERM", pid);
    assertThat(facade.awaitText("stopping")).isEmpty();

    assertThat(facade.launch(Words.Stays.class).exitCode()).isEqualTo(69);

    go(pid);
    facade.awaitEnd();
    assertGone();
  }

  private static void kill(String signal, long pid) throws Exception {
    Command.kill(signal, pid);
  }

  @Test
  void afterAKillTheNextStartTakesOverAtOnce() throws Exception {
    long first = facade.daemon(Words.Stays.class);

    kill("KILL", first);

    facade.awaitEnd();
    assertThat(facade.pidFile()).hasContent(first + "\n");
    long second = facade.daemon(Words.Stays.class);
    assertThat(second).isNotEqualTo(first);
    assertThat(Facade.isLocked(facade.pidFile())).isTrue();
  }

  /** Decides while it runs that the pidfile stays. */
  static final class Leaves {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.removePidFileOnClose(false);
        daemon.ready();
        Words.stay();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"false, keepPidFile", "true, umask=022"})
  void thePidFileStaysIfItIsToStay(boolean saysSoAtRunTime, String word) throws Exception {
    long pid = facade.daemon(saysSoAtRunTime ? Leaves.class : Words.Stays.class, word);

    kill("TERM", pid);

    facade.awaitEnd();
    assertThat(facade.pidFile()).hasContent(pid + "\n");
    awaitUnlocked("pid");
  }

  @Test
  void somebodyElsesFileIsLeftAlone() throws Exception {
    long pid = facade.daemon(Words.Stays.class);
    Path others = Files.writeString(facade.file("others"), "1\n");
    Files.move(others, facade.pidFile(), StandardCopyOption.REPLACE_EXISTING);

    kill("TERM", pid);

    facade.awaitEnd();
    assertThat(facade.pidFile()).hasContent("1\n");
  }

  /** Gives its pidfile to the user, and becomes that user. */
  static final class Drops {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.chownFiles();
        daemon.dropPrivileges();
        daemon.ready();
        Words.stay();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"rwx--x--x", "rwx------"})
  @Tag("root")
  void aUserWhoMayNotRemoveThePidFileEmptiesIt(String directory) throws Exception {
    facade.forEveryone();
    Path run = Files.createDirectory(facade.file("run"));
    Facade.openToAll(run, directory);
    assertThat(facade.launch(Drops.class, "user=#7001", "pidFile=run/pid").err()).isEmpty();
    Path pidFile = run.resolve("pid");
    long pid = Facade.pid(pidFile);
    assertThat(Facade.status(pid, "Uid")).isEqualTo("7001\t7001\t7001\t7001");

    kill("TERM", pid);

    facade.awaitEnd();
    assertThat(pidFile).isEmptyFile();
    awaitUnlocked("run/pid");
  }
}
