package dev.daimon.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A directory and a set of processes for one test: whatever the test starts is found again by a
 * variable in its environment, and is gone when the test is over.
 */
final class Sandbox implements BeforeEachCallback, AfterEachCallback {
  /** The built distribution. */
  static final Path DAIMON = Path.of(System.getProperty("daimon.dist"), "bin/daimon");

  private static final String MARK = "DAIMON_TEST";
  private static final int DEADLINE_SECONDS = 60;

  private final String mark = UUID.randomUUID().toString();
  private Path directory = Path.of("/nowhere");

  /** What a finished command has said. */
  record Result(int exitCode, String out, String err) {}

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    directory = Files.createTempDirectory("daimon-test").toRealPath();
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    // Again and again, for what they start meanwhile.
    await(
        "the end of every process",
        () -> {
          List<ProcessHandle> left = processes();
          left.forEach(ProcessHandle::destroyForcibly);
          return left.isEmpty();
        });
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  /** Every living process that this test has started, directly or not. */
  List<ProcessHandle> processes() throws IOException {
    List<ProcessHandle> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : all) {
        if (environment(process).contains(MARK + "=" + mark)) {
          ProcessHandle.of(Long.parseLong(process.getFileName().toString())).ifPresent(found::add);
        }
      }
    }
    return found;
  }

  private static List<String> environment(Path process) {
    try {
      byte[] block = Files.readAllBytes(process.resolve("environ"));
      return List.of(new String(block, StandardCharsets.ISO_8859_1).split("\0", -1));
    } catch (IOException gone) {
      return List.of();
    }
  }

  Path directory() {
    return directory;
  }

  Path file(String name) {
    return directory.resolve(name);
  }

  /** Runs {@code daimon} with these words, to its end. */
  Result daimon(String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of(DAIMON.toString()));
    command.addAll(List.of(words));
    return run(command, Map.of());
  }

  /** Runs a shell script to its end; {@code $daimon} is the command, {@code $dir} the directory. */
  Result shell(String script, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("/bin/bash", "-c", script, "script"));
    command.addAll(List.of(arguments));
    return run(command, Map.of("daimon", DAIMON.toString(), "dir", directory.toString()));
  }

  Result run(List<String> command, Map<String, String> variables) throws Exception {
    Path out = Files.createTempFile("daimon-test", ".out");
    Path err = Files.createTempFile("daimon-test", ".err");
    try {
      Process process =
          prepare(command, variables)
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      process.getOutputStream().close();
      if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError(command + " did not end; it said: " + beginning(err));
      }
      return new Result(
          process.exitValue(),
          Files.readString(out, StandardCharsets.ISO_8859_1),
          Files.readString(err, StandardCharsets.UTF_8));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  /**
   * The command under strace, which slows down one system call of it, so that something can be done
   * at that very moment; the process is the command's own.
   */
  Process slowed(List<String> delays, String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of("strace", "-D", "-f", "-qq", "-o", "/dev/null"));
    StringBuilder calls = new StringBuilder("trace=");
    for (String delay : delays) {
      calls.append(delay, 0, delay.indexOf(':')).append(',');
      command.addAll(List.of("-e", "inject=" + delay));
    }
    command.addAll(List.of("-e", calls.substring(0, calls.length() - 1)));
    command.add(DAIMON.toString());
    command.addAll(List.of(words));
    return prepare(command, Map.of())
        .redirectOutput(file("slowed.out").toFile())
        .redirectError(file("slowed.err").toFile())
        .start();
  }

  /** Every living process of this test that runs a program of this name. */
  List<ProcessHandle> running(String program) throws IOException {
    List<ProcessHandle> found = new ArrayList<>();
    for (ProcessHandle process : processes()) {
      if (runs(process.pid(), program)) {
        found.add(process);
      }
    }
    return found;
  }

  private static boolean runs(long pid, String program) {
    try {
      return status(pid, "Name").equals(program) && !status(pid, "State").startsWith("Z");
    } catch (IOException gone) {
      return false;
    }
  }

  /** Whether somebody holds a lock on the file. */
  static boolean isLocked(Path file) throws Exception {
    if (!Files.exists(file)) {
      return false;
    }
    Process flock =
        new ProcessBuilder("flock", "--nonblock", file.toString(), "true")
            .redirectErrorStream(true)
            .start();
    return flock.waitFor() != 0;
  }

  /** Whether somebody holds a lock on the file, asked without taking it for a moment. */
  static boolean isListedAsLocked(Path file) throws IOException {
    if (!Files.exists(file)) {
      return false;
    }
    String inode = ":" + Files.getAttribute(file, "unix:ino") + " ";
    return Files.readString(Path.of("/proc/locks")).contains(inode);
  }

  /** A command of this test, not yet started. */
  ProcessBuilder prepare(List<String> command, Map<String, String> variables) {
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().putAll(variables);
    builder.environment().put(MARK, mark);
    return builder;
  }

  /** A condition that others bring about. */
  interface Condition {
    boolean holds() throws Exception;
  }

  /** What a file begins with: enough to judge, and to be told, whatever went wrong. */
  static String beginning(Path file) throws IOException {
    try (InputStream content = Files.newInputStream(file)) {
      return new String(content.readNBytes(4000), StandardCharsets.UTF_8);
    }
  }

  /** Waits until it holds. */
  static void await(String description, Condition condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (!condition.holds()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("waited in vain: " + description);
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  /** Waits until everything that this test has started is over. */
  void awaitEnd() throws Exception {
    await("the end of every process", () -> processes().isEmpty());
  }

  /** A copy of the command that every user may read and run; the sandbox, too, is open to all. */
  Path publicDaimon() throws Exception {
    openToAll(directory, "rwxr-xr-x");
    Path copy = file("dist");
    if (!Files.exists(copy)) {
      Result result =
          run(
              List.of("cp", "-a", DAIMON.getParent().getParent().toString(), copy.toString()),
              Map.of());
      if (result.exitCode() != 0) {
        throw new IOException(result.err());
      }
    }
    return copy.resolve("bin/daimon");
  }

  /** Sets a directory's permissions, such as {@code rwxr-xr-x}. */
  static void openToAll(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  /** Starts a program that stays, silently, with a pidfile; its process id. */
  long start(String... words) throws Exception {
    Path pidFile = file("pid");
    List<String> all = new ArrayList<>(List.of("start", "-p", pidFile.toString()));
    all.addAll(List.of(words));
    Result result = daimon(all.toArray(new String[0]));
    if (!result.equals(new Result(0, "", ""))) {
      throw new AssertionError(result);
    }
    return pid(pidFile);
  }

  /** Waits until a process of this test has become this program; its process id. */
  long awaitProgram(String name) throws Exception {
    long[] found = {0};
    await(
        "a process " + name,
        () -> {
          for (ProcessHandle process : processes()) {
            if (command(process.pid()).equals(name)) {
              found[0] = process.pid();
            }
          }
          return found[0] != 0;
        });
    return found[0];
  }

  /** The name of the program that a process runs, cut to 15 characters; empty if it is gone. */
  private static String command(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
    } catch (IOException gone) {
      return "";
    }
  }

  /** An executable file with these lines. */
  Path script(String name, String... lines) throws IOException {
    Path script = file(name);
    Files.write(script, List.of(lines));
    openToAll(script, "rwxr-xr-x");
    return script;
  }

  /** The open descriptors of a process that has come to rest, and where they lead to. */
  static SortedMap<Integer, String> descriptors(long pid) throws Exception {
    // While it is being loaded, its libraries are open.
    await("process " + pid + " to sleep", () -> status(pid, "State").startsWith("S"));
    SortedMap<Integer, String> found = new TreeMap<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
      for (Path one : all) {
        found.put(
            Integer.valueOf(one.getFileName().toString()), Files.readSymbolicLink(one).toString());
      }
    }
    return found;
  }

  /** A file of NUL-terminated strings, as {@code cmdline} is in /proc; one character a byte. */
  static List<String> strings(Path file) throws IOException {
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    List<String> strings = List.of(text.split("\0", -1));
    return strings.subList(0, strings.size() - 1);
  }

  /** The process id in a pidfile. */
  static long pid(Path pidFile) throws IOException {
    return Long.parseLong(Files.readString(pidFile).strip());
  }

  /** A line of {@code /proc/PID/status}, without its name. */
  static String status(long pid, String name) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
      if (line.startsWith(name + ":")) {
        return line.substring(name.length() + 1).strip();
      }
    }
    throw new AssertionError("no " + name + " in the status of process " + pid);
  }

  /** A field of {@code /proc/PID/stat}, counted as in proc(5), from 3 up. */
  static long stat(long pid, int field) throws IOException {
    String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
    // The program's name, in parentheses, may hold anything.
    String[] rest = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return Long.parseLong(rest[field - 3].strip());
  }
}
