package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.startup.StartException;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A daemon that is the process that was started. */
class ForegroundTest {
  @RegisterExtension final Facade facade = new Facade();

  /** Calls every method of the daemon. */
  static final class Calls {
    public static void main(String[] args) throws Exception {
      System.out.println("before");
      DaemonConfig.Builder builder = Words.config(args);
      try (Descriptor kept = Descriptor.adopt(9)) {
        builder.keepOpen("mine", kept);
        try (Daemon daemon = Daemonizer.daemonize(builder.build())) {
          daemon.status("nobody waits");
          System.err.println("not ready");
          daemon.chownFiles();
          daemon.dropPrivileges();
          daemon.releaseStandardError();
          daemon.ready();
          daemon.ready();
          System.out.println(
              Daemonizer.stage()
                  + " "
                  + daemon.kept("mine").number()
                  + " "
                  + daemon.lockDescriptor().number()
                  + " "
                  + Daemonizer.launchDirectory()
                  + " "
                  + daemon.fail(5, "nobody hears").getMessage()
                  + " "
                  + Proc.status("self", "Umask"));
          System.err.println("ready");
          Words.stay();
        }
      }
    }
  }

  private Process start(String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" 9<.", "sh"));
    command.addAll(facade.java(List.of(), Calls.class, words));
    return facade
        .prepare(command, Map.of())
        .redirectOutput(facade.file("first.out").toFile())
        .redirectError(facade.file("first.err").toFile())
        .start();
  }

  private void awaitLine(String file, String line) throws Exception {
    ProcessSandbox.await(
        line,
        () ->
            Files.exists(facade.file(file)) && Files.readString(facade.file(file)).contains(line));
  }

  @Test
  void itIsTheProcessThatWasStartedWithItsStreams() throws Exception {
    Process process = start("foreground");
    awaitLine("first.err", "\nready\n");

    assertThat(facade.pidFile()).hasContent(process.pid() + "\n");
    assertThat(Facade.isLocked(facade.pidFile())).isTrue();
    assertThat(Facade.stat(process.pid(), 4)).isEqualTo(ProcessHandle.current().pid());
    assertThat(facade.file("first.err")).hasContent("not ready\nready\n");
    assertThat(Files.readString(facade.file("first.out")))
        .matches("before\nLAUNCHER 9 \\d+ %s nobody hears 0022\n".formatted(facade.directory()));

    assertThat(facade.launch(Words.Stays.class, "foreground"))
        .isEqualTo(
            new ProcessSandbox.Result(
                69,
                "",
                "Words$Stays: already running: %s is locked by process %d\n"
                    .formatted(facade.pidFile(), process.pid())));

    process.destroy();
    assertThat(process.waitFor()).isEqualTo(128 + 15);
    assertThat(facade.pidFile()).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"umask=022, 'not ready\nready\n', ''", "inherit, 'ready\n', 'not ready\n'"})
  void streamsThatAreSetLeadToTheirFiles(String word, String err, String before) throws Exception {
    Files.writeString(facade.file("out"), "old\n");
    Process process = start("foreground", "out=out", "err=err", word);
    ProcessSandbox.await(
        err,
        () ->
            process.isAlive()
                && Files.exists(facade.file("err"))
                && Files.readString(facade.file("err")).equals(err));

    assertThat(facade.file("first.err")).hasContent(before);
    assertThat(facade.file("first.out")).hasContent("before\n");
    assertThat(Files.readString(facade.file("out"))).startsWith("old\nLAUNCHER ");
    assertThat(Proc.descriptors(Long.toString(process.pid())))
        .containsEntry(1, facade.file("out").toString())
        .containsEntry(2, facade.file("err").toString());
    assertThat(Proc.descriptors(Long.toString(process.pid())).tailMap(3).values())
        .doesNotContain(facade.file("out").toString(), facade.file("err").toString());
  }

  @Test
  @Tag("root")
  void itDropsAndGivesItsFilesAway() throws Exception {
    facade.forEveryone();
    Process process = start("foreground", "out=out", "err=err", "user=#7001");
    awaitLine("err", "\nready\n");

    for (Path thread : threads(process.pid())) {
      assertThat(Proc.status(process.pid() + "/task/" + thread.getFileName(), "Uid"))
          .isEqualTo("7001\t7001\t7001\t7001");
    }
    for (String file : List.of("pid", "out", "err")) {
      assertThat(Files.getAttribute(facade.file(file), "unix:uid")).isEqualTo(7001);
    }
    Command.kill("TERM", process.pid());
    assertThat(process.waitFor()).isEqualTo(128 + 15);
    assertThat(facade.pidFile()).isEmptyFile();
  }

  private static List<Path> threads(long pid) throws Exception {
    try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
      return threads.toList();
    }
  }

  /** Captures its own standard streams. */
  static final class Listens {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        System.out.println("heard");
        Words.tell(Path.of(args[0]), "read", daemon.capturedOutput().readLine());
      }
    }
  }

  @Test
  void itReadsWhatItPrints() throws Exception {
    assertThat(facade.launch(Listens.class, "foreground", "captureOutput"))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(facade.awaitText("read")).isEqualTo("heard");
  }

  @Test
  void whatAJvmThatRunsCannotDoIsRefused() throws Exception {
    ProcessSandbox.Result result =
        facade.launch(
            Words.Stays.class,
            "foreground",
            "workingDirectory=/",
            "variable=value",
            "programName=web",
            "jvm=-Xmx40m");

    assertThat(result.exitCode()).isEqualTo(64);
    assertThat(result.err().split("; ", -1))
        .hasSize(4)
        .allMatch(problem -> problem.contains("a JVM cannot change its "));
    assertThat(facade.directory()).isEmptyDirectory();
  }

  /** The JVM's own files have the numbers of streams that were closed before its start. */
  @ParameterizedTest
  @CsvSource({
    "1>&-, output, out=log",
    "2>&-, error, out=log",
    "1>&-, output, captureOutput",
    "2>&-, error, captureOutput"
  })
  void aStreamThatWasClosedIsNotRedirected(String closed, String name, String word)
      throws Exception {
    ProcessSandbox.Result result =
        facade.run(
            withClosed(closed, facade.java(List.of(), Words.Stays.class, "foreground", word)),
            Map.of());

    assertThat(result.exitCode()).isEqualTo(71);
    assertThat(result.err())
        .contains(
            closed.startsWith("1")
                ? "; standard " + name + " was closed when this JVM was started: give it /dev/null"
                : "");
    assertThat(facade.directory()).isEmptyDirectory();
  }

  private static List<String> withClosed(String closed, List<String> java) {
    List<String> command = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" " + closed, "sh"));
    command.addAll(java);
    return command;
  }

  /** Says on standard output why it is no daemon. */
  static final class GoesOn {
    public static void main(String[] args) throws Exception {
      try {
        Launch _ = Daemonizer.launch(Words.config(args).build());
      } catch (StartException refused) {
        System.out.println(refused.getMessage());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"out=log", "captureOutput"})
  void ifOneStreamCannotBeRedirectedTheOtherIsAsBefore(String word) throws Exception {
    ProcessSandbox.Result result =
        facade.run(
            withClosed("2>&-", facade.java(List.of(), GoesOn.class, "foreground", word)), Map.of());

    assertThat(result)
        .isEqualTo(
            new ProcessSandbox.Result(
                0,
                "dup2 ERROR: Bad file descriptor (EBADF, 9); standard error was closed when this"
                    + " JVM was started: give it /dev/null\n",
                ""));
    assertThat(facade.directory()).isEmptyDirectory();
  }

  @Test
  void standardInputMayBeClosed() throws Exception {
    Process process =
        facade
            .prepare(
                withClosed(
                    "<&-", facade.java(List.of(), Words.Stays.class, "foreground", "out=out")),
                Map.of())
            .start();
    ProcessSandbox.await(
        "the log",
        () ->
            process.isAlive()
                && facade
                    .file("out")
                    .toString()
                    .equals(Proc.descriptors("" + process.pid()).get(2)));

    process.destroy();
    assertThat(process.waitFor()).isEqualTo(128 + 15);
  }
}
