package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.forking.OutputFile;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.testing.FullHeap;
import dev.daimon.testing.ProcessSandbox;
import dev.daimon.testing.ProcessSandbox.Result;
import dev.daimon.testing.ServiceManager;
import dev.daimon.testing.ServiceManager.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where there is a service manager, it is told how the daemon is. */
@Tag("python3")
class ServiceManagerTest {
  @RegisterExtension final Facade facade = new Facade();

  private ServiceManager manager;

  @BeforeEach
  void bind() throws Exception {
    manager = ServiceManager.at(facade.file("notify"));
  }

  @AfterEach
  void unbind() throws Exception {
    manager.close();
  }

  /** Serves, and does at each step what files say. */
  static final class Serves {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.status("loading");
        daemon.onReload(signal -> {
          Words.tell(directory, "reloads", "");
          ProcessSandbox.await("go", () -> Files.exists(directory.resolve("reload")));
          String content = Files.readString(directory.resolve("reload"));
          Files.delete(directory.resolve("reload"));
          if (content.equals("broken")) {
            throw new IOException("cannot read\nREADY=1");
          }
        });
        daemon.watchdog(healthCheck(directory));
        Words.tell(directory, "parent", "" + ProcessHandle.current().parent().orElseThrow().pid());
        if (Files.exists(directory.resolve("waits"))) {
          ProcessSandbox.await("go", () -> Files.exists(directory.resolve("go")));
        }
        if (Files.exists(directory.resolve("throws"))) {
          throw new IOException("no port", new NoSuchFileException("x"));
        }
        if (Files.exists(directory.resolve("fails"))) {
          throw daemon.fail(9, "no port\nMAINPID=1");
        }
        if (Files.exists(directory.resolve("cannot open"))) {
          try (OutputFile _ = OutputFile.open(directory.resolve("no/such"))) {
            throw new IllegalStateException("opened");
          }
        }
        daemon.ready();
        if (Files.exists(directory.resolve("tells"))) {
          daemon.status("serving");
        }
        Words.tell(directory, "ready", "" + daemon.pid());
        if (Files.exists(directory.resolve("drains"))) {
          daemon.onStop(
              Duration.ofMinutes(1),
              signal -> {
                Words.tell(directory, "draining", "");
                ProcessSandbox.await("go", () -> Files.exists(directory.resolve("go")));
              });
          Words.tell(directory, "drains", ".");
        }
        if (Files.exists(directory.resolve("returns"))) {
          return;
        }
        Words.stay();
      }
    }

    /** Says yes as long as there is no file "sick", and counts how often it has said no. */
    private static BooleanSupplier healthCheck(Path directory) {
      return new BooleanSupplier() {
        private int sick;

        @Override
        public boolean getAsBoolean() {
          if (!Files.exists(directory.resolve("sick"))) {
            return true;
          }
          sick++;
          try {
            Words.tell(directory, "asked", "" + sick);
          } catch (IOException failure) {
            throw new IllegalStateException(failure);
          }
          if (sick > 2) {
            throw new IllegalStateException("sick");
          }
          return false;
        }
      };
    }
  }

  private void does(String... things) throws IOException {
    for (String thing : things) {
      Files.createFile(facade.file(thing));
    }
  }

  private Process start(String prefix, Map<String, String> more, String... words) throws Exception {
    List<String> command = new ArrayList<>();
    if (!prefix.isEmpty()) {
      command.addAll(List.of("sh", "-c", prefix + " exec \"$@\"", "sh"));
    }
    command.addAll(facade.java(List.of(), Serves.class, words));
    Map<String, String> variables = new HashMap<>(more);
    variables.putIfAbsent("NOTIFY_SOCKET", manager.address());
    return facade
        .prepare(command, variables)
        .redirectOutput(facade.file("first.out").toFile())
        .redirectError(facade.file("first.err").toFile())
        .start();
  }

  private Process foreground() throws Exception {
    return start("", Map.of(), "foreground");
  }

  @Test
  void inTheForegroundItTellsItsWholeLife() throws Exception {
    does("drains");
    Process process = foreground();
    manager.await("READY=1");
    assertThat(manager.heard())
        .containsExactly(
            new Message(process.pid(), "STATUS=loading"), new Message(process.pid(), "READY=1"));
    ProcessSandbox.await("drains", () -> Files.size(facade.file("drains")) > 0);
    manager.forget();

    Facade.signal("TERM", process.pid());
    assertThat(facade.awaitText("draining")).isEmpty();
    manager.await("STOPPING=1");
    assertThat(manager.heard()).containsExactly(new Message(process.pid(), "STOPPING=1"));
    does("go");
    assertThat(process.waitFor()).isZero();
    assertThat(manager.texts()).containsExactly("STOPPING=1");
    assertThat(facade.file("first.err")).isEmptyFile();
  }

  /** Begins to stop when it can have no more threads. */
  static final class StopsWithoutThread {
    public static void main(String[] args) throws Exception {
      ServiceReport report = new ServiceReport(new StatusLine("daemon", true));
      // One process of this user, with all its threads, runs already.
      ResourceLimit one = ResourceLimit.parse("nproc=1");
      PrivilegeDrop.builder().limit(one).build().applyToProcess();
      report.beginStopping();
      System.out.println("drains");
    }
  }

  @Test
  @Tag("root")
  void aStopForWhichNobodyCanTellItIsNoFailure() throws Exception {
    List<String> command = new ArrayList<>(facade.asNobody());
    command.addAll(facade.java(List.of("-Xlog:disable"), StopsWithoutThread.class));

    Result result = facade.run(command, Map.of("NOTIFY_SOCKET", manager.address()));

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.out()).isEqualTo("drains\n");
    assertThat(result.err())
        .startsWith("daemon: warning: the service manager hears late of the stop: ")
        .hasLineCount(1);
  }

  /** Begins to stop when there is no memory left. */
  static final class StopsWithoutMemory {
    public static void main(String[] args) {
      ServiceReport report = new ServiceReport(new StatusLine("daemon", true));
      FullHeap.fill();
      report.beginStopping();
      FullHeap.free();
      System.out.println("drains");
    }
  }

  @Test
  void aStopForWhichThereIsNoMemoryGoesOn() throws Exception {
    List<String> options = List.of("-Xmx16m", "-XX:-UseTLAB");

    Result result =
        facade.run(
            facade.java(options, StopsWithoutMemory.class),
            Map.of("NOTIFY_SOCKET", manager.address()));

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.out()).isEqualTo("drains\n");
  }

  /** Is ready, or gets another health check, when it can have no more threads. */
  static final class WatchedWithoutThread {
    public static void main(String[] args) throws Exception {
      ServiceReport report = new ServiceReport(new StatusLine("daemon", true));
      CountDownLatch asked = new CountDownLatch(1);
      BooleanSupplier check =
          () -> {
            asked.countDown();
            return true;
          };
      report.watchdog(args[1].equals("at first") ? check : () -> true);
      if (args[1].equals("later")) {
        report.ready();
      }
      PrivilegeDrop.builder().limit(ResourceLimit.parse("nproc=1")).build().applyToProcess();
      if (args[1].equals("later")) {
        report.watchdog(check);
        System.out.println("asked " + asked.await(1, TimeUnit.MINUTES));
      } else {
        report.ready();
        System.out.println("goes on");
      }
    }
  }

  private Result watchedWithoutThread(String when) throws Exception {
    List<String> command = new ArrayList<>(facade.asNobody());
    command.addAll(facade.java(List.of("-Xlog:disable"), WatchedWithoutThread.class, when));
    return facade.run(
        command, Map.of("NOTIFY_SOCKET", manager.address(), "WATCHDOG_USEC", "20000"));
  }

  @Test
  @Tag("root")
  void aWatchdogThatHasNoThreadIsAWarningAndNoFailure() throws Exception {
    Result result = watchedWithoutThread("at first");

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.out()).isEqualTo("goes on\n");
    assertThat(result.err())
        .startsWith("daemon: warning: the watchdog has no thread: ")
        .hasLineCount(1);
    assertThat(manager.texts()).containsExactly("READY=1");
  }

  @Test
  @Tag("root")
  void anotherHealthCheckNeedsNoOtherThread() throws Exception {
    assertThat(watchedWithoutThread("later")).isEqualTo(new Result(0, "asked true\n", ""));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void itsEndIsToldOnceWhoeverEndsIt(boolean returns) throws Exception {
    if (returns) {
      does("returns");
    }
    Process process = foreground();
    if (!returns) {
      manager.await("READY=1");
      process.destroy();
    }

    assertThat(process.waitFor()).isEqualTo(returns ? 0 : 128 + 15);
    assertThat(manager.texts()).containsExactly("STATUS=loading", "READY=1", "STOPPING=1");
  }

  /** In the background the launcher has told the status that is restored. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aReloadIsBetweenTwoMessagesAndItsFailureIsTheStatusUntilOneSucceeds(boolean foreground)
      throws Exception {
    Process process = foreground ? foreground() : start("", Map.of(), "out=out", "err=first.err");
    long pid = Long.parseLong(facade.awaitText("ready"));
    manager.await("READY=1");
    manager.forget();
    assertReload(pid, "good", List.of());
    assertReload(
        pid, "broken", List.of("STATUS=reload failed: java.io.IOException: cannot read READY=1"));
    // The exception is reported after the end of the reload.
    Path log = facade.file("first.err");
    ProcessSandbox.await(
        "the exception", () -> Files.readString(log).contains("IOException: cannot read"));
    assertReload(pid, "good", List.of("STATUS=loading"));
    assertReload(pid, "good", List.of());
    facade.stop(pid);
    assertThat(process.waitFor()).isEqualTo(foreground ? 128 + 15 : 0);
  }

  /** Says something when the launcher has confirmed it, and cannot take over yet. */
  static final class SaysItLate {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.status("loading");
        Thread launcher =
            Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("daimon-launcher"))
                .findAny()
                .orElseThrow();
        CountDownLatch held = new CountDownLatch(1);
        Thread late =
            new Thread(() -> {
              // Standard error is redirected after the report, and before anything is taken over.
              synchronized (System.err) {
                held.countDown();
                join(launcher);
                daemon.status("late");
              }
            });
        late.start();
        held.await();
        daemon.ready();
        Words.tell(Path.of(args[0]), "ready", "" + daemon.pid());
        Words.stay();
      }
    }

    private static void join(Thread thread) {
      try {
        thread.join();
      } catch (InterruptedException impossible) {
        throw new IllegalStateException(impossible);
      }
    }
  }

  @Test
  void whatIsSaidWhileTheDaemonTakesOverIsTold() throws Exception {
    Result result =
        facade.run(
            facade.java(List.of(), SaysItLate.class), Map.of("NOTIFY_SOCKET", manager.address()));

    assertThat(result).isEqualTo(new Result(0, "", ""));
    long pid = Long.parseLong(facade.awaitText("ready"));
    facade.stop(pid);
    assertThat(manager.texts())
        .containsExactly(
            "STATUS=loading", "MAINPID=" + pid + "|READY=1", "STATUS=late", "STOPPING=1");
  }

  private void assertReload(long pid, String content, List<String> between) throws Exception {
    Facade.signal("HUP", pid);
    assertThat(facade.awaitText("reloads")).isEmpty();
    List<String> begin = manager.texts();
    assertThat(begin).hasSize(1);
    assertThat(begin.getFirst()).matches("RELOADING=1\\|MONOTONIC_USEC=\\d+");
    manager.forget();
    Files.delete(facade.file("reloads"));

    Files.writeString(facade.file("new"), content);
    Path _ = Files.move(facade.file("new"), facade.file("reload"));
    manager.await("READY=1");
    ProcessSandbox.await(
        "the end of the reload", () -> manager.texts().getLast().equals("READY=1"));
    List<String> expected = new ArrayList<>(between);
    expected.add("READY=1");
    assertThat(manager.texts()).isEqualTo(expected);
    manager.forget();
  }

  @Test
  void aReloadBeforeItIsReadyDoesNotSayThatItIs() throws Exception {
    does("waits");
    Files.writeString(facade.file("reload"), "good");
    Process process = foreground();
    assertThat(facade.awaitText("parent")).isNotEmpty();
    Facade.signal("HUP", process.pid());
    assertThat(facade.awaitText("reloads")).isEmpty();
    ProcessSandbox.await("the reload", () -> !Files.exists(facade.file("reload")));
    does("go");
    manager.await("READY=1");

    assertThat(manager.texts()).containsExactly("STATUS=loading", "READY=1");
    process.destroy();
    assertThat(process.waitFor()).isEqualTo(128 + 15);
  }

  @Test
  void theLauncherNamesTheDaemonAndSaysThatItIsReadyBeforeItEnds() throws Exception {
    does("waits");
    Process launcher = start("", Map.of(), "out=out", "err=out");
    String parent = facade.awaitText("parent");
    // The manager's child, so that the manager waits for its end.
    assertThat(parent).isNotEqualTo("" + launcher.pid());
    manager.await("STATUS=loading");
    assertThat(manager.texts()).containsExactly("STATUS=loading");
    does("go");
    assertThat(launcher.waitFor()).isZero();

    long pid = Long.parseLong(facade.awaitText("ready"));
    assertThat(manager.heard())
        .containsExactly(
            new Message(launcher.pid(), "STATUS=loading"),
            new Message(launcher.pid(), "MAINPID=" + pid + "|READY=1"));
    manager.forget();
    Files.writeString(facade.file("reload"), "good");
    Facade.signal("HUP", pid);
    manager.await("READY=1");
    facade.stop(pid);
    assertThat(manager.heard())
        .allMatch(message -> message.pid() == pid)
        .extracting(Message::text)
        .satisfiesExactly(
            text -> assertThat(text).startsWith("RELOADING=1|"),
            text -> assertThat(text).isEqualTo("READY=1"),
            text -> assertThat(text).isEqualTo("STOPPING=1"));
    assertThat(facade.file("first.err")).isEmptyFile();
    assertThat(facade.file("out")).isEmptyFile();
  }

  @Test
  void aDaemonThatFailsIsNeverReadyAndTheStatusSaysWhy() throws Exception {
    does("fails");
    Process launcher = start("", Map.of(), "out=out", "err=out");

    assertThat(launcher.waitFor()).isEqualTo(9);
    assertThat(manager.heard())
        .allMatch(message -> message.pid() == launcher.pid())
        .extracting(Message::text)
        .doesNotContain("READY=1")
        .last()
        .isEqualTo("STATUS=no port");
    assertThat(facade.processes()).isEmpty();
  }

  @Test
  void inTheForegroundItsExceptionIsTheStatusWithTheErrorOfTheSystem() throws Exception {
    does("cannot open");
    Process process = foreground();

    assertThat(process.waitFor()).isEqualTo(1);
    assertThat(manager.texts())
        .startsWith("STATUS=loading")
        .doesNotContain("READY=1")
        .endsWith(
            "STATUS=dev.daimon.posix.PosixException: open "
                + facade.file("no/such")
                + ": No such file or directory (ENOENT, 2)",
            "ERRNO=2");
  }

  @Test
  void aRefusedStartIsTheStatusToo() throws Exception {
    Process first = foreground();
    manager.await("READY=1");
    manager.forget();

    Process second = foreground();
    assertThat(second.waitFor()).isEqualTo(69);

    assertThat(manager.heard())
        .containsExactly(
            new Message(
                second.pid(),
                "STATUS=already running: %s is locked by process %d"
                    .formatted(facade.pidFile(), first.pid())));
    first.destroy();
    assertThat(first.waitFor()).isEqualTo(128 + 15);
  }

  /** In the background the launcher has told the first status, and the daemon the second one. */
  @ParameterizedTest
  @CsvSource({"true, serving", "false, serving", "false, loading"})
  void theWatchdogIsPingedAsLongAsTheHealthCheckSaysYes(boolean foreground, String status)
      throws Exception {
    if (status.equals("serving")) {
      does("tells");
    }
    String[] words = foreground ? new String[] {"foreground"} : new String[] {"out=out"};
    Process process = start("WATCHDOG_PID=$$", Map.of("WATCHDOG_USEC", "40000"), words);
    long pid = Long.parseLong(facade.awaitText("ready"));
    manager.await("WATCHDOG=1");
    assertThat(manager.heard())
        .filteredOn(message -> message.text().equals("WATCHDOG=1"))
        .allMatch(message -> message.pid() == pid);
    does("sick");
    // After the last ping.
    manager.await("STATUS=watchdog: no ping, the health check fails");
    manager.forget();
    ProcessSandbox.await("no, again and again", () -> Integer.parseInt(asked()) > 5);
    assertThat(manager.texts()).isEmpty();

    Files.delete(facade.file("sick"));
    manager.await("WATCHDOG=1");
    manager.await("STATUS=" + status);
    facade.stop(pid);
    assertThat(manager.texts()).contains("STOPPING=1");
    assertThat(process.waitFor()).isEqualTo(foreground ? 128 + 15 : 0);
  }

  private String asked() throws Exception {
    return facade.awaitText("asked");
  }

  @Test
  void withoutAWatchdogTheHealthCheckIsNotAsked() throws Exception {
    does("sick");
    Process process = foreground();
    long pid = Long.parseLong(facade.awaitText("ready"));
    facade.stop(pid);
    assertThat(process.waitFor()).isEqualTo(128 + 15);

    assertThat(facade.file("asked")).doesNotExist();
    assertThat(manager.texts()).containsExactly("STATUS=loading", "READY=1", "STOPPING=1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"no such socket", "vsock:2:99", "nobody reads", "full"})
  void aManagerThatCannotBeToldIsAWarningAndNoFailure(String what) throws Exception {
    String address = what.contains(":") ? what : facade.file(what).toString();
    if (what.equals("nobody reads")) {
      ServiceManager.at(facade.file(what)).close();
    }
    if (what.equals("full")) {
      manager.fill();
      address = manager.address();
    }
    Process process = start("", Map.of("NOTIFY_SOCKET", address), "foreground");
    long pid = Long.parseLong(facade.awaitText("ready"));
    facade.stop(pid);
    assertThat(process.waitFor()).isEqualTo(128 + 15);
    assertThat(Files.readAllLines(facade.file("first.err")))
        .singleElement()
        .asString()
        .startsWith("ServiceManagerTest$Serves: warning: ");

    Files.delete(facade.file("ready"));
    Process launcher = start("", Map.of("NOTIFY_SOCKET", address), "out=out", "err=out");
    assertThat(launcher.waitFor()).isZero();
    pid = Long.parseLong(facade.awaitText("ready"));
    facade.stop(pid);
    assertThat(Files.readAllLines(facade.file("first.err")))
        .singleElement()
        .asString()
        .startsWith("ServiceManagerTest$Serves: warning: ");
    // The launcher has said it already where there is nobody.
    assertThat(Files.readAllLines(facade.file("out")))
        .hasSize(what.equals("full") || what.startsWith("vsock") ? 1 : 0)
        .allMatch(line -> line.startsWith("ServiceManagerTest$Serves: warning: "));
  }

  /** As {@code daimon start --ready notify} does. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aManagerThatWaitsForReadyAloneMayBeGoneAfterwards(boolean foreground) throws Exception {
    Process process = foreground ? foreground() : start("", Map.of(), "out=out", "err=out");
    long pid = Long.parseLong(facade.awaitText("ready"));
    manager.await("READY=1");
    manager.close();
    Files.writeString(facade.file("reload"), "good");
    Facade.signal("HUP", pid);
    ProcessSandbox.await("the reload", () -> !Files.exists(facade.file("reload")));
    facade.stop(pid);

    assertThat(process.waitFor()).isEqualTo(foreground ? 128 + 15 : 0);
    assertThat(facade.file("first.err")).isEmptyFile();
    if (!foreground) {
      assertThat(facade.file("out")).isEmptyFile();
    }
  }

  @Test
  void anEmptyVariableIsNone() throws Exception {
    Process process = start("", Map.of("NOTIFY_SOCKET", ""), "foreground");
    long pid = Long.parseLong(facade.awaitText("ready"));
    facade.stop(pid);

    assertThat(process.waitFor()).isEqualTo(128 + 15);
    assertThat(facade.file("first.err")).isEmptyFile();
  }

  /** What a supervisor such as s6 waits for. */
  @Test
  void aNewlineOnADescriptorSaysThatItIsReady() throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" 3>&1 >out", "sh"));
    command.addAll(
        facade.java(List.of(), Words.Stays.class, "foreground", "readinessDescriptor=3"));
    Process process = facade.prepare(command, Map.of()).start();

    assertThat(process.getInputStream().readAllBytes()).isEqualTo(new byte[] {'\n'});

    assertThat(process.isAlive()).isTrue();
    process.destroy();
    assertThat(process.waitFor()).isEqualTo(128 + 15);
  }

  @Test
  void aDescriptorThatIsNoPipeIsRefused() throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" 3</dev/null", "sh"));
    command.addAll(
        facade.java(List.of(), Words.Stays.class, "foreground", "readinessDescriptor=3"));

    assertThat(facade.run(command, Map.of()))
        .isEqualTo(
            new Result(
                64,
                "",
                "Words$Stays: readinessDescriptor: 3 is not open, or no pipe: the supervisor opens"
                    + " it\n"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "readinessDescriptor=3: readinessDescriptor needs foreground: a supervisor that reads it is"
            + " the daemon's parent",
        "readinessDescriptor=2 foreground: readinessDescriptor: 2 is a standard stream, or no"
            + " descriptor",
        // One that the JVM has opened for itself.
        "readinessDescriptor=3 foreground: readinessDescriptor: 3 is not open, or no pipe: the"
            + " supervisor opens it",
        "readinessDescriptor=999 foreground: readinessDescriptor: 999 is not open, or no pipe: the"
            + " supervisor opens it",
      })
  void aDescriptorThatNoSupervisorCanHaveOpenedIsRefused(String line) throws Exception {
    int colon = line.indexOf(": ");
    String[] words = line.substring(0, colon).split(" ", -1);

    assertThat(facade.launch(Words.Stays.class, words))
        .isEqualTo(new Result(64, "", "Words$Stays: " + line.substring(colon + 2) + "\n"));
  }
}
