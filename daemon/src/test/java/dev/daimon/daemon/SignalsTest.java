package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.daimon.posix.Signal;
import dev.daimon.testing.Command;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A daemon that reloads, reopens its logs and stops by signals. */
class SignalsTest {
  @RegisterExtension final Facade facade = new Facade();

  /** Logs what it does. */
  static final class Handles {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.on(Signal.HUP, signal -> System.out.println("read again"));
        daemon.on(
            Signal.USR1,
            signal -> {
              System.out.println("closing");
              daemon.reopenLogs();
              System.out.println("opened");
              System.err.println("opened too");
            });
        if (List.of(args).contains("inherit")) {
          waitForTest(args[0]);
        }
        daemon.ready();
        Words.stay();
      }
    }
  }

  @Test
  void hangupDoesNotEndItAndUsr1OpensItsLogsAgain() throws Exception {
    long pid = facade.daemon(Handles.class, "out=out", "err=err");
    Facade.signal("HUP", pid);
    awaitContent("out", "read again\n");
    Files.move(facade.file("out"), facade.file("out.1"));
    Files.move(facade.file("err"), facade.file("err.1"));

    Facade.signal("USR1", pid);

    awaitContent("out", "opened\n");
    awaitContent("err", "opened too\n");
    assertThat(facade.file("out.1")).hasContent("read again\nclosing");
    assertThat(facade.file("err.1")).isEmptyFile();
    facade.stop(pid);
  }

  /** The directory belonged to root at the start, and belongs to another user now. */
  @Test
  @Tag("root")
  @Tag("attack")
  void rootOpensNoLogAgainThatAUserCouldHaveLedElsewhere() throws Exception {
    Path theirs = Files.createDirectory(facade.file("theirs"));
    Path precious = Files.createDirectory(facade.file("precious"));
    Files.createDirectory(theirs.resolve("logs"));
    long pid = facade.daemon(Handles.class, "out=theirs/logs/out", "err=err");
    Files.move(theirs.resolve("logs"), theirs.resolve("old"));
    Files.createSymbolicLink(theirs.resolve("logs"), precious);
    Files.setAttribute(theirs, "unix:uid", 7001);

    Facade.signal("USR1", pid);

    ProcessSandbox.await(
        "the report",
        () -> Files.readString(facade.file("err")).contains("is not opened as root: " + theirs));
    assertThat(precious).isEmptyDirectory();
    facade.stop(pid);
  }

  @Test
  void oneFileForBothStreamsIsOpenedOnce() throws Exception {
    long pid = facade.daemon(Handles.class, "out=log", "err=log");
    Files.move(facade.file("log"), facade.file("log.1"));

    Facade.signal("USR1", pid);

    awaitContent("log", "opened\nopened too\n");
    assertThat(facade.file("log.1")).hasContent("closing");
    facade.stop(pid);
  }

  @Test
  void whereOneCannotBeOpenedTheOldOneStaysAndTheOtherIsNew() throws Exception {
    Files.createDirectory(facade.file("logs"));
    long pid = facade.daemon(Handles.class, "out=logs/out", "err=err");
    Files.move(facade.file("logs"), facade.file("gone"));
    Files.move(facade.file("err"), facade.file("err.1"));

    Facade.signal("USR1", pid);

    String reason = "open " + facade.file("logs/out") + ": No such file or directory (ENOENT, 2)";
    ProcessSandbox.await(
        "the report",
        () ->
            Files.exists(facade.file("err"))
                && Files.readString(facade.file("err")).contains(reason));
    assertThat(facade.file("gone/out")).hasContent("closing");
    assertThat(facade.file("err.1")).isEmptyFile();
    Facade.signal("HUP", pid);
    awaitContent("gone/out", "closing\nread again\n");
    facade.stop(pid);
  }

  /** Shares the launcher's standard error until it is ready. */
  @Test
  void standardErrorThatIsElsewhereFindsTheNewFileLater() throws Exception {
    Process launcher =
        facade.start(facade.java(List.of(), Handles.class, "out=o", "err=e", "inherit"));
    assertThat(facade.awaitText("here")).isEmpty();
    long pid = facade.running().pid();
    Files.move(facade.file("e"), facade.file("e.1"));
    Facade.signal("USR1", pid);
    awaitContent("o", "closing\nopened\n");
    awaitContent("err", "opened too\n");

    Files.createFile(facade.file("go"));
    assertThat(launcher.waitFor()).isZero();

    ProcessSandbox.await(
        "the new file", () -> Facade.descriptors(pid).get(2).equals(facade.file("e").toString()));
    assertThat(facade.file("e")).isEmptyFile();
    assertThat(facade.file("e.1")).isEmptyFile();
    facade.stop(pid);
  }

  /** Reports to the test, and waits for it. */
  private static void waitForTest(String directory) throws Exception {
    Words.tell(Path.of(directory), "here", "");
    ProcessSandbox.await("the test", () -> Files.exists(Path.of(directory, "go")));
  }

  /** Is started by root, and becomes a user when the test says so. */
  static final class Drops {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.on(
            Signal.USR1,
            signal -> {
              daemon.reopenLogs();
              System.out.println("opened");
            });
        waitForTest(args[0]);
        daemon.chownFiles();
        daemon.dropPrivileges();
        daemon.ready();
        Words.stay();
      }
    }
  }

  @Test
  @Tag("root")
  void inADirectoryOfRootsALogIsOpenedAgainIfItWasMadeForTheUser() throws Exception {
    facade.forEveryone();
    Path log = Files.createDirectory(facade.file("logs")).resolve("log");
    Facade.openToAll(log.getParent(), "rwxr-xr-x");
    Process launcher =
        facade.start(
            facade.java(List.of(), Drops.class, "out=logs/log", "err=logs/log", "user=#7001"));
    assertThat(facade.awaitText("here")).isEmpty();
    long pid = facade.running().pid();
    // As root it would open what a user may have put there.
    Facade.signal("USR1", pid);
    awaitWords(log, "IllegalStateException: reopenLogs before dropPrivileges()");
    Files.createFile(facade.file("go"));
    assertThat(launcher.waitFor()).isZero();
    Path old = Files.move(log, Path.of(log + ".1"));

    Facade.signal("USR1", pid);
    awaitWords(old, "open " + log + ": Permission denied (EACCES, 13)");
    assertThat(log).doesNotExist();

    Files.createFile(facade.file("new"));
    Command.run("chown", "7001", facade.file("new").toString());
    Files.move(facade.file("new"), log);
    Facade.signal("USR1", pid);
    awaitContent("logs/log", "opened\n");
    facade.stop(pid);
  }

  private static void awaitWords(Path file, String words) throws Exception {
    ProcessSandbox.await(
        words + " in " + file, () -> Files.exists(file) && Files.readString(file).contains(words));
  }

  /** Stops in the way that its last argument says. */
  static final class Stops {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      String way = args[args.length - 1];
      DaemonConfig config =
          Words.config(List.of(args).subList(0, 2).toArray(new String[0])).build();
      Daemon daemon = Daemonizer.daemonize(config);
      Thread hook =
          new Thread(() -> {
            try {
              Words.tell(directory, "hook", "");
              if (way.equals("its hook hangs")) {
                Words.stay();
              }
            } catch (Exception failure) {
              throw new IllegalStateException(failure);
            }
          });
      Runtime.getRuntime().addShutdownHook(hook);
      boolean inTime = way.equals("in time") || way.equals("fails");
      daemon.onStop(
          inTime ? Duration.ofSeconds(Long.MAX_VALUE) : Duration.ofMillis(1),
          signal -> {
            Words.tell(directory, "draining", signal.name());
            if (way.equals("fails")) {
              throw new IOException("cannot drain");
            }
            if (way.equals("in time")) {
              ProcessSandbox.await("the test", () -> Files.exists(directory.resolve("go")));
            } else {
              Words.stay();
            }
          });
      daemon.on(Signal.USR1, signal -> Words.tell(directory, "still here", ""));
      if (way.equals("closed before")) {
        daemon.close();
      }
      daemon.ready();
      Words.tell(directory, "ready", "");
      Words.stay();
    }
  }

  private Process stopping(String way) throws Exception {
    Process daemon = facade.start(facade.java(List.of(), Stops.class, "foreground", way));
    assertThat(facade.awaitText("ready")).isEmpty();
    Facade.signal("TERM", daemon.pid());
    return daemon;
  }

  @Test
  void termLetsItFinishWhatItIsAt() throws Exception {
    Process daemon = stopping("in time");
    assertThat(facade.awaitText("draining")).isEqualTo("SIGTERM");
    // A second SIGTERM changes nothing, and other signals are still handled.
    Facade.signal("TERM", daemon.pid());
    Facade.signal("USR1", daemon.pid());
    assertThat(facade.awaitText("still here")).isEmpty();
    assertThat(Facade.isLocked(facade.pidFile())).isTrue();
    assertThat(facade.file("hook")).doesNotExist();

    Files.createFile(facade.file("go"));

    assertThat(daemon.waitFor()).isZero();
    assertThat(facade.file("hook")).exists();
    assertThat(facade.file("err")).isEmptyFile();
    assertThat(facade.pidFile()).doesNotExist();
  }

  /** Its main ends as soon as it stops. */
  static final class Returns {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      CountDownLatch stopping = new CountDownLatch(1);
      Daemon daemon = Daemonizer.daemonize(Words.config(args).build());
      Thread main = Thread.currentThread();
      daemon.onStop(
          Duration.ofMinutes(1),
          signal -> {
            stopping.countDown();
            main.join();
            Words.tell(directory, "draining", "");
            ProcessSandbox.await("the test", () -> Files.exists(directory.resolve("go")));
            Words.tell(directory, "drained", "");
          });
      daemon.ready();
      Words.tell(directory, "ready", "");
      stopping.await();
    }
  }

  @Test
  void theDrainEndsAlsoIfMainDoesFirst() throws Exception {
    Process daemon = facade.start(facade.java(List.of(), Returns.class, "foreground"));
    assertThat(facade.awaitText("ready")).isEmpty();
    Facade.signal("TERM", daemon.pid());
    assertThat(facade.awaitText("draining")).isEmpty();
    Files.createFile(facade.file("go"));

    assertThat(daemon.waitFor()).isZero();
    assertThat(facade.file("drained")).exists();
    assertThat(facade.pidFile()).doesNotExist();
  }

  @Test
  void aDrainThatFailsIsToldAndEndsItWith70() throws Exception {
    assertThat(stopping("fails").waitFor()).isEqualTo(70);

    assertThat(facade.file("err"))
        .content()
        .startsWith("Exception in thread \"daimon-stop\" java.io.IOException: cannot drain");
    assertThat(facade.file("hook")).exists();
    assertThat(facade.pidFile()).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"overdue", "its hook hangs"})
  void pastTheDeadlineItEndsAllTheSame(String way) throws Exception {
    assertThat(stopping(way).waitFor()).isEqualTo(128 + 15);

    assertThat(facade.file("hook")).exists();
    assertThat(facade.pidFile()).doesNotExist();
  }

  @Test
  @Tag("root")
  @Tag("strace")
  void aStopThatGotNoThreadIsTriedAgainOnTheNextTerm() throws Exception {
    Process daemon = facade.start(facade.java(List.of(), Stops.class, "foreground", "in time"));
    assertThat(facade.awaitText("ready")).isEmpty();
    facade.refuseThreads(daemon.pid(), "daimon-signals", "1");
    Facade.signal("TERM", daemon.pid());
    awaitWords(facade.file("err"), "OutOfMemoryError");
    assertThat(facade.file("draining")).doesNotExist();

    Facade.signal("TERM", daemon.pid());

    assertThat(facade.awaitText("draining")).isEqualTo("SIGTERM");
    Files.createFile(facade.file("go"));
    assertThat(daemon.waitFor()).isZero();
    assertThat(facade.pidFile()).doesNotExist();
  }

  /** One for the deadline, or one for the exit, too. */
  @ParameterizedTest
  @ValueSource(strings = {"2", "2+"})
  @Tag("root")
  @Tag("strace")
  void theDeadlineHoldsAlsoWithoutAThread(String lacking) throws Exception {
    Process daemon = facade.start(facade.java(List.of(), Stops.class, "foreground", "overdue"));
    assertThat(facade.awaitText("ready")).isEmpty();
    facade.refuseThreads(daemon.pid(), "daimon-signals", lacking);

    Facade.signal("TERM", daemon.pid());

    assertThat(daemon.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(daemon.exitValue()).isEqualTo(128 + 15);
    assertThat(facade.pidFile()).doesNotExist();
  }

  @Test
  void whoHasClosedItIsEndedAsByDefault() throws Exception {
    assertThat(stopping("closed before").waitFor()).isEqualTo(128 + 15);

    assertThat(facade.file("draining")).doesNotExist();
    assertThat(facade.file("hook")).exists();
  }

  @Test
  void noDeadlineIsBeforeTheSignal() throws Exception {
    DaemonConfig config = Words.config(facade.directory().toString(), "simulate").build();
    try (Daemon daemon = Daemonizer.daemonize(config)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> daemon.onStop(Duration.ofMillis(-1), signal -> {}));
      assertThatIllegalArgumentException().isThrownBy(() -> daemon.on(Signal.KILL, signal -> {}));
    }
  }

  private void awaitContent(String name, String content) throws Exception {
    Path file = facade.file(name);
    ProcessSandbox.await(
        content + " in " + name,
        () -> Files.exists(file) && Files.readString(file).equals(content));
  }
}
