package dev.daimon.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The means to measure: tools, programs that are compiled for it, and directories. */
final class Lab {
  final Mode mode;
  final Path root = Path.of(System.getProperty("daimon.root"));
  final Path jdk = Path.of(System.getProperty("java.home"));
  final String classPath = System.getProperty("java.class.path");

  /** On a disk; removed at the end. */
  final Path work;

  /** In memory; removed at the end. */
  final Path memory;

  /** The peers that are not installed, and what they are for. */
  final List<String> missing = new ArrayList<>();

  private final Path sources;
  private final Map<String, Path> programs = new LinkedHashMap<>();

  Lab(Mode mode) throws IOException {
    this.mode = mode;
    sources = root.resolve("benchmarks/src/main");
    work = Files.createTempDirectory(root.resolve("benchmarks/target"), "work");
    memory = Files.createTempDirectory(Path.of("/dev/shm"), "daimon-benchmarks");
  }

  String java() {
    return jdk + "/bin/java";
  }

  /** The command as it is installed. */
  Path distribution() {
    return root.resolve("cli/target/daimon");
  }

  String daimon() {
    return distribution() + "/bin/daimon";
  }

  /** A JDK on which akuma runs, or null. */
  @Nullable String java17() throws IOException {
    try (Stream<Path> homes = Files.list(Path.of("/usr/lib/jvm"))) {
      return homes
          .filter(home -> home.getFileName().toString().contains("17"))
          .map(home -> home.resolve("bin/java"))
          .filter(Files::isExecutable)
          .map(Path::toString)
          .min(Comparator.naturalOrder())
          .orElse(null);
    }
  }

  /** A program of the system; null if it is not installed, which the report says. */
  @Nullable String peer(String name, String debianPackage) {
    for (String directory : List.of("/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin")) {
      Path program = Path.of(directory, name);
      if (Files.isExecutable(program)) {
        return program.toString();
      }
    }
    miss(name + " (Debian: " + debianPackage + ")");
    return null;
  }

  void miss(String peer) {
    if (!missing.contains(peer)) {
      missing.add(peer);
    }
  }

  /** A program of {@code src/main/c}, compiled. */
  String c(String name) throws IOException, InterruptedException {
    Path program = programs.get(name);
    if (program == null) {
      program = work.resolve(name);
      call(
          "gcc",
          "-O2",
          "-Wall",
          "-Wextra",
          "-Werror",
          "-o",
          "" + program,
          sources + "/c/" + name + ".c");
      programs.put(name, program);
    }
    return program.toString();
  }

  /** A program of {@code src/main/programs} as a jar: archives of classes know no directories. */
  String jar(String name, String classPath, String... options)
      throws IOException, InterruptedException {
    Path jar = work.resolve(name + ".jar");
    if (!Files.exists(jar)) {
      Path classes = work.resolve(name + ".classes");
      List<String> command = new ArrayList<>(List.of(jdk + "/bin/javac", "-nowarn"));
      command.addAll(Arrays.asList(options));
      command.addAll(List.of("-proc:none", "-cp", classPath, "-d", classes.toString()));
      command.add(sources + "/programs/" + name + ".java");
      call(command.toArray(String[]::new));
      call(jdk + "/bin/jar", "cf", jar.toString(), "-C", classes.toString(), ".");
    }
    return jar.toString();
  }

  /** The hello world, which JDK 17 can run as well. */
  String world() throws IOException, InterruptedException {
    return jar("World", "", "--release", "17");
  }

  /** Those jars of this class path that have one of these names in their path. */
  String jars(String... names) {
    List<String> found = new ArrayList<>();
    for (String entry : classPath.split(":")) {
      String file = entry.substring(entry.lastIndexOf('/') + 1);
      if (Arrays.stream(names).anyMatch(file::startsWith)) {
        found.add(entry);
      }
    }
    return String.join(":", found);
  }

  /** A command whose processes, and their descendants, have a mark in the environment. */
  ProcessBuilder builder(String... command) {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("DAIMON_BENCHMARKS", work.toString());
    return builder;
  }

  /** Runs a command that must succeed, and returns what it has printed. */
  String call(String... command) throws IOException, InterruptedException {
    Process process = builder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    StringBuilder output = new StringBuilder();
    try (BufferedReader reader = process.inputReader()) {
      reader.lines().forEach(line -> output.append(line).append('\n'));
    }
    if (process.waitFor() != 0) {
      throw new IOException(Arrays.toString(command) + " has failed:\n" + output);
    }
    return output.toString();
  }

  /** Measures the subjects in turn in one JVM, and the limits between them. */
  Map<String, Samples> measure(List<String> jvmOptions, List<Subject> subjects)
      throws IOException, InterruptedException {
    return measure(jvmOptions, subjects, mode.rounds);
  }

  /** The samples of "time", in nanoseconds, and of "bytes" allocated. */
  Map<String, Samples> measure(List<String> jvmOptions, List<Subject> subjects, int rounds)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(java(), "-XX:+UseSerialGC"));
    command.add("--enable-native-access=ALL-UNNAMED");
    // JMH's own.
    command.addAll(List.of("--sun-misc-unsafe-memory-access=allow", "-Djmh.ignoreLock=true"));
    command.addAll(jvmOptions);
    command.addAll(List.of("-cp", classPath, "dev.daimon.benchmarks.InProcess"));
    command.addAll(List.of("" + rounds, "" + mode.milliseconds));
    subjects.forEach(subject -> command.add(subject.word()));
    Samples time = new Samples();
    Samples bytes = new Samples();
    for (String line : call(command.toArray(String[]::new)).split("\n")) {
      String[] fields = line.split("\t");
      if (fields.length != 3) {
        throw new IOException("not a figure: " + line);
      }
      time.add(fields[0], Double.parseDouble(fields[1]));
      bytes.add(fields[0], Double.parseDouble(fields[2]));
    }
    time.dropWarmUp();
    bytes.dropWarmUp();
    return Map.of("time", time, "bytes", bytes);
  }

  /** Whether the machine has free memory for a heap of this size, and some more. */
  static boolean hasMemory(int mebibytes) throws IOException {
    return available() > mebibytes * 1.2 + 1024;
  }

  private static long available() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
      if (line.startsWith("MemAvailable:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
      }
    }
    throw new IOException("/proc/meminfo");
  }

  /** Ends what is left of a run, however that ended, and removes its directories. */
  void close() throws IOException {
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
      for (Path process : processes) {
        if (isOurs(process)) {
          ProcessHandle.of(Long.parseLong(process.getFileName().toString()))
              .ifPresent(ProcessHandle::destroyForcibly);
        }
      }
    }
    for (Path directory : List.of(work, memory)) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  /** Whether a process has the mark in its environment: the name of our directory. */
  private boolean isOurs(Path process) {
    try {
      byte[] environment = Files.readAllBytes(process.resolve("environ"));
      return new String(environment, StandardCharsets.ISO_8859_1).contains(work.toString());
    } catch (IOException ended) {
      return false;
    }
  }
}
