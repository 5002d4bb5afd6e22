package dev.daimon.daemon;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A {@link ProcessSandbox} in which programs daemonize themselves. */
final class Facade extends ProcessSandbox implements BeforeEachCallback, AfterEachCallback {
  private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");

  /** The directory of the class files; null for the checkout. */
  private @Nullable Path copies;

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    begin();
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    end();
  }

  /** Returns the pidfile of the programs of these tests. */
  Path pidFile() {
    return file("pid");
  }

  /** Returns the command that runs a {@code main} with the test's directory as first argument. */
  List<String> java(List<String> options, Class<?> main, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(JAVA.toString()));
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(options);
    ChildJvm places = ChildJvm.of(main);
    if (copies != null) {
      places = places.copied(copies);
    }
    if (options.isEmpty()) {
      command.addAll(places.sharing());
    }
    command.addAll(List.of("-cp", places.classPath(), main.getName()));
    command.add(directory().toString());
    command.addAll(List.of(arguments));
    return command;
  }

  /** Runs a {@code main} as the launcher, until the launcher has ended. */
  Result launch(Class<?> main, String... arguments) throws Exception {
    return run(java(List.of(), main, arguments), Map.of());
  }

  /** Starts a command that the test disturbs; its output goes to the files "out" and "err". */
  Process start(List<String> command) throws IOException {
    return prepare(command, Map.of())
        .redirectOutput(file("out").toFile())
        .redirectError(file("err").toFile())
        .start();
  }

  /** Sends a signal, such as {@code TERM}, to a process, or to a group if it is negative. */
  static void signal(String signal, long pid) throws Exception {
    Command.kill(signal, pid);
  }

  /** Runs a {@code main} whose daemon must start without output; returns its process id. */
  long daemon(Class<?> main, String... arguments) throws Exception {
    Result result = launch(main, arguments);
    if (!result.equals(new Result(0, "", ""))) {
      throw new AssertionError(result);
    }
    return pid(pidFile());
  }

  /** Waits for a file that the daemon writes, until its text ends with a dot; returns the text. */
  String awaitText(String name) throws Exception {
    Path file = file(name);
    // Read the file once, because the daemon may write the next text meanwhile.
    String[] text = {""};
    await(
        name,
        () -> {
          text[0] = Files.exists(file) ? Files.readString(file) : "";
          return text[0].endsWith(".");
        });
    return text[0].substring(0, text[0].length() - 1);
  }

  /** Waits until a daemon has taken over its resources, which it does while its launcher ends. */
  static void awaitTakeOver(String process) throws Exception {
    await(
        "the end of the connection to the launcher",
        () ->
            Proc.descriptors(process).values().stream()
                .noneMatch(to -> to.startsWith("pipe:") || to.startsWith("/memfd:")));
  }

  /** Lets every user run the programs of this test; returns the command that becomes nobody. */
  List<String> asNobody() throws IOException {
    forEveryone();
    return ChildJvm.AS_NOBODY;
  }

  /** Lets every user run the programs of this test, wherever the checkout is. */
  void forEveryone() throws IOException {
    copies = Files.createDirectory(file("classes"));
    openToAll(directory(), "rwx--x--x");
  }

  /**
   * Has strace refuse a thread of a process new threads. The test has the tags root and strace.
   *
   * @param thread the name of the thread
   * @param when which ones it does not get: {@code 2} is the second, {@code 2+} all from there
   */
  void refuseThreads(long pid, String thread, String when) throws Exception {
    Path[] found = {directory()};
    await(
        thread,
        () -> {
          try (DirectoryStream<Path> all =
              Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
            for (Path each : all) {
              if (nameOf(each).equals(thread)) {
                found[0] = each;
                return true;
              }
            }
          }
          return false;
        });
    Path report = file("strace");
    List<String> command =
        List.of(
            "strace",
            "-o",
            "/dev/null",
            "-p",
            found[0].getFileName().toString(),
            "-e",
            "trace=clone3",
            "-e",
            "inject=clone3:error=EPERM:when=" + when);
    Process _ = prepare(command, Map.of()).redirectError(report.toFile()).start();
    await("strace", () -> Files.readString(report).contains("attached"));
  }

  private static String nameOf(Path thread) {
    try {
      return Files.readString(thread.resolve("comm")).strip();
    } catch (IOException ended) {
      return "";
    }
  }

  /** Returns the process that the pidfile names. */
  ProcessHandle running() throws IOException {
    return ProcessHandle.of(pid(pidFile())).orElseThrow();
  }
}
