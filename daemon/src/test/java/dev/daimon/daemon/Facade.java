package dev.daimon.daemon;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
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

  /** Where the class files are if not in the checkout. */
  private @Nullable Path copies;

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    begin();
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    end();
  }

  /** Where the programs of these tests have their pidfile. */
  Path pidFile() {
    return file("pid");
  }

  /** The words that run a {@code main}, with the test's directory as its first argument. */
  List<String> java(List<String> options, Class<?> main, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(JAVA.toString()));
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(options);
    ChildJvm places = ChildJvm.of(main);
    String classPath = copies == null ? places.classPath() : places.copied(copies).classPath();
    command.addAll(List.of("-cp", classPath, main.getName()));
    command.add(directory().toString());
    command.addAll(List.of(arguments));
    return command;
  }

  /** Runs a {@code main} as the launcher, to the launcher's end. */
  Result launch(Class<?> main, String... arguments) throws Exception {
    return run(java(List.of(), main, arguments), Map.of());
  }

  /** Starts a command to be interfered with; what it prints goes to the files "out" and "err". */
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

  /** Runs a {@code main} whose daemon must be ready, silently; the daemon's process id. */
  long daemon(Class<?> main, String... arguments) throws Exception {
    Result result = launch(main, arguments);
    if (!result.equals(new Result(0, "", ""))) {
      throw new AssertionError(result);
    }
    return pid(pidFile());
  }

  /** What the daemon has written into a file, once it is there and whole: it ends with a dot. */
  String awaitText(String name) throws Exception {
    Path file = file(name);
    // Read once: the daemon may write the next one meanwhile.
    String[] text = {""};
    await(
        name,
        () -> {
          text[0] = Files.exists(file) ? Files.readString(file) : "";
          return text[0].endsWith(".");
        });
    return text[0].substring(0, text[0].length() - 1);
  }

  /** Waits until a daemon, which does that while its launcher ends, has taken over all it has. */
  static void awaitTakeOver(String process) throws Exception {
    await(
        "the end of the connection to the launcher",
        () ->
            Proc.descriptors(process).values().stream()
                .noneMatch(to -> to.startsWith("pipe:") || to.startsWith("/memfd:")));
  }

  /** Lets the programs of this test be run by every user; the words that become nobody. */
  List<String> asNobody() throws IOException {
    forEveryone();
    return ChildJvm.AS_NOBODY;
  }

  /** Lets the programs of this test be run by every user, wherever the checkout is. */
  void forEveryone() throws IOException {
    copies = Files.createDirectory(file("classes"));
    openToAll(directory(), "rwx--x--x");
  }

  /** The daemon that runs now: it has the pidfile's lock, and is in it. */
  ProcessHandle running() throws IOException {
    return ProcessHandle.of(pid(pidFile())).orElseThrow();
  }
}
