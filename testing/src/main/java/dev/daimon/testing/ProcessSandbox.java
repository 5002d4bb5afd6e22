package dev.daimon.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A directory and a set of processes for one test: whatever the test starts is found again by a
 * variable in its environment, and is gone when the test is over.
 */
public class ProcessSandbox {
  /** HUP, INT and QUIT, each a bit. */
  private static final long TERMINAL_SIGNALS = 0b111;

  private static final String MARK = "DAIMON_TEST";
  private static final int DEADLINE_SECONDS = 60;

  /** So often an environment is read while a process executes a program: some seconds. */
  private static final int EXEC_TRIES = 100_000;

  /** So many looks at a process have to miss the mark: an exec hides it for a moment. */
  private static final int LOOKS = 10;

  /** The field start_code of /proc/PID/stat, which an exec sets after the environment. */
  private static final int START_CODE = 26;

  private final String mark = UUID.randomUUID().toString();

  /** Those found so far: one that ends has lost its environment before its files are closed. */
  private final Set<ProcessHandle> seen = ConcurrentHashMap.newKeySet();

  /**
   * The process ids, names in /proc, that were there before the test and have been since. None of
   * them is the test's, and to read the environment of a hundred processes takes milliseconds.
   */
  private final Set<Path> others = ConcurrentHashMap.newKeySet();

  private Path directory = Path.of("/nowhere");

  /** What a finished command has said. */
  public record Result(int exitCode, String out, String err) {}

  /** Makes the directory. */
  protected void begin() throws IOException {
    directory = Files.createTempDirectory("daimon-test").toRealPath();
    others.addAll(everyProcess());
  }

  /** Ends every process, and removes the directory. */
  protected void end() throws Exception {
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

  /** Every process that this test has started, directly or not, and that is not over. */
  public List<ProcessHandle> processes() throws IOException {
    Set<Path> all = everyProcess();
    // The id of one that has ended may become that of a process of the test.
    others.retainAll(all);
    for (Path process : all) {
      if (others.contains(process)) {
        continue;
      }
      if (isOfTest(process)) {
        ProcessHandle.of(Long.parseLong(process.getFileName().toString())).ifPresent(seen::add);
      }
    }
    seen.removeIf(ProcessSandbox::isOver);
    return List.copyOf(seen);
  }

  private static Set<Path> everyProcess() throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      Set<Path> processes = new HashSet<>();
      all.forEach(processes::add);
      return processes;
    }
  }

  /** Whether its last thread has ended, and with it every file it had open. */
  private static boolean isOver(ProcessHandle process) {
    Path threads = Path.of("/proc/" + process.pid() + "/task");
    try (DirectoryStream<Path> all = Files.newDirectoryStream(threads)) {
      for (Path thread : all) {
        String stat = Files.readString(thread.resolve("stat"));
        // The state comes after the name, in parentheses.
        char state = stat.charAt(stat.lastIndexOf(')') + 2);
        if (state != 'Z' && state != 'X') {
          return !process.isAlive();
        }
      }
      return true;
    } catch (IOException gone) {
      return !process.isAlive() || !Files.exists(threads);
    }
  }

  private boolean isOfTest(Path process) {
    try {
      byte[] environment = {};
      int looks = 0;
      for (int i = 0; i < EXEC_TRIES && looks < LOOKS; i++) {
        // Asked before it is read, since the exec may end in between.
        boolean executing = isExecuting(process);
        environment = Files.readAllBytes(process.resolve("environ"));
        String block = new String(environment, StandardCharsets.ISO_8859_1);
        if (List.of(block.split("\0", -1)).contains(MARK + "=" + mark)) {
          return true;
        }
        looks += executing ? 0 : 1;
      }
      return environment.length == 0 && isInDirectory(process);
    } catch (IOException gone) {
      return false;
    }
  }

  /**
   * Whether it is in the midst of an exec, where its environment is empty or a part of the new one:
   * that takes milliseconds if the memory of a JVM ends with it. A thread of the kernel has no
   * program, and fails here.
   */
  private static boolean isExecuting(Path process) throws IOException {
    Path _ = Files.readSymbolicLink(process.resolve("exe"));
    return stat(Long.parseLong(process.getFileName().toString()), START_CODE) == 0;
  }

  /** A process that was started without an environment has a working directory. */
  private boolean isInDirectory(Path process) {
    try {
      return Files.readSymbolicLink(process.resolve("cwd")).startsWith(directory);
    } catch (IOException gone) {
      return false;
    }
  }

  /** Where its files are. */
  public Path directory() {
    return directory;
  }

  /** A path in its directory. */
  public Path file(String name) {
    return directory.resolve(name);
  }

  /** Runs a command to its end, without an input. */
  public Result run(List<String> command, Map<String, String> variables) throws Exception {
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

  /** Every living process of this test that runs a program of this name. */
  public List<ProcessHandle> running(String program) throws IOException {
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
  public static boolean isLocked(Path file) throws Exception {
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
  public static boolean isListedAsLocked(Path file) throws IOException {
    if (!Files.exists(file)) {
      return false;
    }
    String inode = ":" + Files.getAttribute(file, "unix:ino") + " ";
    // Twice: a lock that is released while the list is read can hide another one.
    for (int i = 0; i < 2; i++) {
      if (Files.readString(Path.of("/proc/locks")).contains(inode)) {
        return true;
      }
    }
    return false;
  }

  /**
   * A command of this test, not yet started. Whoever runs the tests in the background may ignore
   * the signals of a terminal: the command does not.
   */
  public ProcessBuilder prepare(List<String> command, Map<String, String> variables) {
    List<String> words = new ArrayList<>();
    if (ignoresTerminal()) {
      words.addAll(List.of("env", "--default-signal=HUP,INT,QUIT"));
    }
    words.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(words).directory(directory.toFile());
    builder.environment().putAll(variables);
    builder.environment().put(MARK, mark);
    return builder;
  }

  private static boolean ignoresTerminal() {
    try {
      long ignored = Long.parseUnsignedLong(Proc.status("self", "SigIgn"), 16);
      return (ignored & TERMINAL_SIGNALS) != 0;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** What a process's environment must have in it, to be one of this test. */
  public Map<String, String> mark() {
    return Map.of(MARK, mark);
  }

  /** A condition that others bring about. */
  public interface Condition {
    boolean holds() throws Exception;
  }

  /** What a file begins with: enough to judge, and to be told, whatever went wrong. */
  public static String beginning(Path file) throws IOException {
    try (InputStream content = Files.newInputStream(file)) {
      return new String(content.readNBytes(4000), StandardCharsets.UTF_8);
    }
  }

  /** Waits until it holds. */
  public static void await(String description, Condition condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (!condition.holds()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("waited in vain: " + description);
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  /** Waits until everything that this test has started is over. */
  public void awaitEnd() throws Exception {
    await("the end of every process", () -> processes().isEmpty());
  }

  /** Asks a process to end, and waits until everything that this test has started is over. */
  public void stop(long pid) throws Exception {
    ProcessHandle process = ProcessHandle.of(pid).orElseThrow();
    seen.add(process);
    process.destroy();
    awaitEnd();
  }

  /** Sets a directory's permissions, such as {@code rwxr-xr-x}. */
  public static void openToAll(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  /** Waits until a process of this test has become this program; its process id. */
  public long awaitProgram(String name) throws Exception {
    long[] found = {0};
    await(
        "a process " + name,
        () -> {
          for (ProcessHandle process : processes()) {
            // Its name is there first, in the midst of the exec, and then its words and
            // environment.
            if (command(process.pid()).equals(name) && hasWords(process.pid())) {
              found[0] = process.pid();
            }
          }
          return found[0] != 0;
        });
    return found[0];
  }

  private static boolean hasWords(long pid) {
    try {
      return Files.readAllBytes(Path.of("/proc/" + pid + "/cmdline")).length > 0;
    } catch (IOException gone) {
      return false;
    }
  }

  /** The name of the program that a process runs, cut to 15 characters; empty if it is gone. */
  private static String command(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
    } catch (IOException gone) {
      return "";
    }
  }

  /** The open descriptors of a process that has come to rest, and where they lead to. */
  public static SortedMap<Integer, String> descriptors(long pid) throws Exception {
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
  public static List<String> strings(Path file) throws IOException {
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    List<String> strings = List.of(text.split("\0", -1));
    return strings.subList(0, strings.size() - 1);
  }

  /** The process id in a pidfile. */
  public static long pid(Path pidFile) throws IOException {
    return Long.parseLong(Files.readString(pidFile).strip());
  }

  /** A line of {@code /proc/PID/status}, without its name. */
  public static String status(long pid, String name) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
      if (line.startsWith(name + ":")) {
        return line.substring(name.length() + 1).strip();
      }
    }
    throw new AssertionError("no " + name + " in the status of process " + pid);
  }

  /** A field of {@code /proc/PID/stat}, counted as in proc(5), from 3 up. */
  public static long stat(long pid, int field) throws IOException {
    String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
    // The program's name, in parentheses, may hold anything.
    String[] rest = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return Long.parseLong(rest[field - 3].strip());
  }
}
