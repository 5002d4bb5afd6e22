package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The first native call of a JVM takes as long as its start, so a daemon makes it when it has told
 * its launcher that it is ready.
 */
class FirstCallTest {
  private static final String CONNECTION = "dev.daimon.readiness.";

  /** Every native call is made by this class. */
  private static final String NATIVE = "dev.daimon.posix.call.Libc ";

  private static final String LINKER = "java.lang.foreign.Linker ";

  /** What tells a service manager, of which there is none. */
  private static final String[] NOTIFIERS = {
    "dev.daimon.daemon.ServiceReport ",
    CONNECTION + "ServiceNotifier ",
    CONNECTION + "Watchdog ",
    CONNECTION + "NewlineNotifier "
  };

  @RegisterExtension final Facade facade = new Facade();

  /** A service before it is ready, and what its child inherits. */
  static final class Prepares {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.status("preparing");
        daemon.on(Signal.HUP, signal -> {});
        daemon.on(Signal.USR1, signal -> daemon.reopenLogs());
        daemon.onStop(Duration.ofMinutes(1), signal -> {});
        boolean _ =
            new ProcessBuilder("sh", "-c", "ls /proc/$$/fd; true")
                .redirectInput(new File("/dev/null"))
                .redirectOutput(directory.resolve("child").toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start()
                .waitFor(1, TimeUnit.MINUTES);
        Words.tell(directory, "facts", daemon.pid() + " " + Daemonizer.launchDirectory());
        System.out.println("to nobody");
        while (!Files.exists(directory.resolve("go"))) {
          Thread.sleep(5);
        }
        daemon.ready();
        Words.tell(
            directory,
            "left",
            Proc.descriptors("self").values().stream()
                .filter(leadsTo -> leadsTo.startsWith("pipe:") || leadsTo.startsWith("/memfd:"))
                .toList()
                .toString());
        Words.stay();
      }
    }
  }

  @Test
  void aDaemonLoadsNoLinkerBeforeItIsReady() throws Exception {
    Path log = facade.file("classes");
    Process launcher =
        facade.start(
            facade.java(
                List.of(), Prepares.class, "lockFile=lock", "jvm=-Xlog:class+load:file=" + log));
    assertThat(facade.awaitText("facts")).startsWith(facade.running().pid() + " ");
    assertThat(facade.file("child")).hasContent("0\n1\n2\n");

    assertThat(Files.readString(log)).contains(CONNECTION).doesNotContain(NATIVE, LINKER);

    Files.createFile(facade.file("go"));
    assertThat(launcher.waitFor()).isZero();
    assertThat(facade.awaitText("left")).isEqualTo("[]");
    assertThat(Files.readString(log)).contains(NATIVE, LINKER).doesNotContain(NOTIFIERS);
  }

  @Test
  void withoutAServiceManagerNothingOfItsProtocolIsLoaded() throws Exception {
    Path launcher = facade.file("launcher");
    List<String> options = List.of("-Xlog:class+load:file=" + launcher + "%p");
    Process foreground =
        facade.start(facade.java(options, Serves.class, "foreground", "lockFile=lock"));
    assertThat(facade.awaitText("served")).isEmpty();
    foreground.destroy();
    assertThat(foreground.waitFor()).isZero();
    Files.delete(facade.file("served"));
    Process background = facade.start(facade.java(options, Serves.class));
    assertThat(background.waitFor()).isZero();
    assertThat(facade.awaitText("served")).isEmpty();
    facade.stop(facade.running().pid());

    try (Stream<Path> files = Files.list(facade.directory())) {
      assertThat(files.filter(file -> file.toString().startsWith(launcher.toString())))
          .hasSize(3)
          .allSatisfy(log ->
              assertThat(Files.readString(log))
                  .contains("dev.daimon.daemon.Daemonizer ")
                  .doesNotContain(NOTIFIERS));
    }
  }

  /** Does all that a service manager would be told of. */
  static final class Serves {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.status("preparing");
        daemon.onReload(signal -> {});
        daemon.onStop(Duration.ofMinutes(1), signal -> {});
        daemon.watchdog(() -> true);
        daemon.ready();
        daemon.status("serving");
        Words.tell(Path.of(args[0]), "served", "");
        Words.stay();
      }
    }
  }

  @Test
  void aDaemonThatIsReadyAtOnceHasSaidSoBeforeItLoadsTheLinker() throws Exception {
    Path log = facade.file("classes");
    facade.daemon(Words.Stays.class, "jvm=-Xlog:class+load:file=" + log);
    ProcessSandbox.await("the linker", () -> Files.readString(log).contains(LINKER));

    String classes = Files.readString(log);
    // The classes that make messages are loaded by the first message.
    assertThat(classes.indexOf(CONNECTION + "MessageCodec ")).isPositive();
    assertThat(classes.indexOf(NATIVE))
        .isGreaterThan(classes.indexOf(CONNECTION + "MessageCodec "));
    assertThat(classes.indexOf(LINKER))
        .isGreaterThan(classes.indexOf(CONNECTION + "MessageCodec "));
  }
}
