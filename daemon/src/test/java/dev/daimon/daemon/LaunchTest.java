package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.forking.ThisProcess;
import dev.daimon.locking.SingletonLock;
import dev.daimon.startup.StartException;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A launcher that goes on after the start of its daemons. */
class LaunchTest {
  @RegisterExtension final Facade facade = new Facade();

  /**
   * Launches one daemon after the other, in the ways that its arguments name, and tells of each.
   */
  static final class LivesOn {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      if (Daemonizer.stage() == Stage.DAEMON) {
        launch(directory, Files.readString(directory.resolve("way")));
        return;
      }
      int umask = ThisProcess.umask(0123);
      String before = leftovers();
      for (int i = 1; i < args.length; i++) {
        Files.writeString(directory.resolve("way"), args[i]);
        long pid = launch(directory, args[i]);
        System.out.println(
            "  " + (i == 1 ? "left" : leftovers().equals(before) ? "same" : leftovers()));
        if (i == 1) {
          // What the first launch loads, stays.
          before = leftovers();
        }
        end(pid);
      }
      System.out.println("umask " + ThisProcess.umask(umask));
    }

    private static long launch(Path directory, String way) throws Exception {
      try {
        switch (Daemonizer.launch(config(directory, way))) {
          case Launch.InLauncher(LaunchedDaemon daemon) -> {
            System.out.print(way + ": " + daemon.exitCode() + " " + daemon.message());
            if (daemon.isReady() && "ready".equals(way)) {
              launchAgain(directory);
            }
            return daemon.pid();
          }
          case Launch.InDaemon(Daemon daemon) -> run(daemon, way);
        }
      } catch (StartException failure) {
        System.out.print(
            way + ": " + failure.reason() + " " + failure.exitCode() + " " + failure.getMessage());
      }
      return 0;
    }

    private static void launchAgain(Path directory) throws IOException {
      try {
        Launch _ = Daemonizer.launch(config(directory, "ready"));
      } catch (StartException held) {
        System.out.print(", then " + held.reason() + " " + held.exitCode());
      }
    }

    private static DaemonConfig config(Path directory, String way) {
      DaemonConfig.Builder config =
          DaemonConfig.builder()
              .pidFile(directory.resolve("pid"))
              .readyTimeout(Duration.ofMillis("late".equals(way) ? 1000 : 60_000));
      return switch (way) {
        case "unknown user" -> config.user("no-such-user").build();
        case "root" -> config.user("root").build();
        case "relative" -> config.pidFile(Path.of("pid")).umask(-1).build();
        case "missing directory" -> config.pidFile(directory.resolve("missing/pid")).build();
        case "forbidden" -> config.pidFile(Path.of("/proc/1/pid")).build();
        default -> config.build();
      };
    }

    private static void run(Daemon daemon, String way) throws Exception {
      try (daemon) {
        if (!"late".equals(way)) {
          daemon.status("at work");
        }
        switch (way) {
          case "fails" -> throw daemon.fail(42, "no port");
          case "dies" -> Runtime.getRuntime().halt(1);
          case "late" -> new CountDownLatch(1).await();
          default -> daemon.ready();
        }
        new CountDownLatch(1).await();
      }
    }

    /** Children, descriptors and threads. */
    private static String leftovers() throws IOException {
      List<String> threads = new ArrayList<>();
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        if (thread.getName().startsWith("daimon")) {
          threads.add(thread.getName());
        }
      }
      return children() + " " + Proc.descriptors("self") + " " + threads;
    }

    private static List<String> children() throws IOException {
      List<String> found = new ArrayList<>();
      try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
        for (Path task : tasks) {
          found.add(Files.readString(task.resolve("children")));
        }
      }
      found.removeIf(String::isEmpty);
      return found;
    }

    private static void end(long pid) throws Exception {
      ProcessHandle daemon = ProcessHandle.of(pid).orElse(null);
      if (daemon != null) {
        daemon.destroy();
        // It may be a zombie for a while, which nobody but init waits for.
        Object _ = daemon.onExit().get(1, TimeUnit.MINUTES);
      }
    }
  }

  @Test
  void whatBecameOfEachDaemonIsToldAndNothingOfItIsLeft() throws Exception {
    ProcessSandbox.Result result =
        facade.launch(
            LivesOn.class,
            "ready",
            "fails",
            "dies",
            "late",
            "unknown user",
            "relative",
            "missing directory",
            "ready");

    assertThat(result.err()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.out().lines())
        .containsExactly(
            "ready: 0 at work, then ALREADY_RUNNING 69  left",
            "fails: 42 no port  same",
            "dies: 70 the daemon ended before it was ready  same",
            "late: 75 not ready after 1 s, and stopped  same",
            "unknown user: ACCOUNT 67 unknown user: no-such-user  same",
            "relative: CONFIGURATION 64 pidFile is not absolute, and the daemon starts in another"
                + " directory: pid (Daemonizer.launchDirectory() is the caller's); umask is outside of 0 to 0777: 037777777777  same",
            "missing directory: FILE 73 open "
                + facade.file("missing/pid")
                + ": No such file or directory (ENOENT, 2)  same",
            "ready: 0 at work, then ALREADY_RUNNING 69  same",
            "umask 83");
    facade.awaitEnd();
    assertThat(facade.pidFile()).doesNotExist();
  }

  @Test
  @Tag("root")
  void whoMayNotBecomeTheUserIsToldSo() throws Exception {
    ProcessSandbox.openToAll(facade.directory(), "rwxrwxrwx");
    Path copies = Files.createDirectory(facade.file("copies"));
    List<String> command = new ArrayList<>(ChildJvm.AS_NOBODY);
    command.addAll(facade.java(List.of(), LivesOn.class, "root", "forbidden"));
    int classPath = command.indexOf("-cp") + 1;
    command.set(classPath, ChildJvm.of(LivesOn.class).copied(copies).classPath());
    // Made of the originals, which nobody else may be able to read.
    command.removeIf(option -> option.startsWith("-XX:SharedArchiveFile="));
    Files.createFile(facade.file("way"));
    ProcessSandbox.openToAll(facade.file("way"), "rw-rw-rw-");

    ProcessSandbox.Result result = facade.run(command, Map.of());

    assertThat(result.err()).isEmpty();
    assertThat(result.out().lines().toList().getFirst()).startsWith("root: PERMISSION 77 ");
    assertThat(result.out().lines().toList().get(1)).startsWith("forbidden: FILE 73 open ");
    assertThat(facade.pidFile()).doesNotExist();
    assertThat(facade.processes()).isEmpty();
  }

  /** Launches from several threads at once, and all launches fail. */
  static final class LaunchesAtOnce {
    private static final AtomicInteger HELD = new AtomicInteger();

    public static void main(String[] args) throws Exception {
      DaemonConfig config = Words.config(args[0], "umask=077").build();
      int before = ThisProcess.umask(022);
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        threads.add(Thread.ofPlatform().start(() -> launchInVain(config)));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      System.out.println(HELD + ", umask " + ThisProcess.umask(before));
    }

    private static void launchInVain(DaemonConfig config) {
      for (int i = 0; i < 20; i++) {
        try {
          Launch _ = Daemonizer.launch(config);
        } catch (StartException held) {
          HELD.incrementAndGet();
        }
      }
    }
  }

  @Test
  void manyLaunchesAtOnceLeaveTheUmaskAlone() throws Exception {
    try (SingletonLock held = SingletonLock.acquire(facade.pidFile())) {
      assertThat(held.created()).isTrue();

      assertThat(facade.launch(LaunchesAtOnce.class).out()).isEqualTo("160, umask 18\n");
    }
  }

  @Test
  @Tag("root")
  void aLauncherThatIsInitReapsWhatItHasStarted() throws Exception {
    List<String> command = new ArrayList<>(List.of("unshare", "--pid", "--fork", "--mount-proc"));
    command.addAll(facade.java(List.of(), LivesOn.class, "fails", "dies", "fails"));

    ProcessSandbox.Result result = facade.run(command, Map.of());

    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .contains("fails: 42 no port")
        .contains("dies: 1 the daemon exited with 1 ");
    assertThat(result.out().lines().filter(line -> line.endsWith("  same")).count())
        .as(result.out())
        .isEqualTo(2);
  }

  /** Its JVM ends when it has told what became of its daemon, which is never ready. */
  static final class IsInterrupted {
    public static void main(String[] args) throws Exception {
      DaemonConfig config = Words.config(args[0]).build();
      if (Daemonizer.stage() == Stage.LAUNCHER) {
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> awaitEnd(main)));
      }
      switch (Daemonizer.launch(config)) {
        case Launch.InDaemon(Daemon _) -> {
          Files.writeString(Path.of(args[0]).resolve("waits"), "yes.");
          new CountDownLatch(1).await();
        }
        case Launch.InLauncher(LaunchedDaemon daemon) ->
            System.out.println(daemon.isReady() + " " + daemon.exitCode() + " " + daemon.message());
      }
      try {
        Launch _ = Daemonizer.launch(config);
      } catch (StartException ending) {
        System.out.println(ending.exitCode() + " " + ending.getMessage());
      }
    }

    private static void awaitEnd(Thread main) {
      try {
        main.join();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Test
  void aDaemonThatTheEndOfItsLauncherHasStoppedIsNotReady() throws Exception {
    Process launcher = facade.start(facade.java(List.of(), IsInterrupted.class));
    assertThat(facade.awaitText("waits")).isEqualTo("yes");

    launcher.destroy();

    assertThat(launcher.waitFor()).isEqualTo(128 + 15);
    assertThat(facade.file("out"))
        .hasContent("false 71 interrupted, and the daemon was stopped\n71 interrupted\n");
    assertThat(facade.file("err")).isEmptyFile();
    facade.awaitEnd();
    assertThat(facade.pidFile()).doesNotExist();
  }
}
