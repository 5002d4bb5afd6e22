package dev.daimon.posix;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a {@code main} in a JVM of its own, for what would harm this one; with a deadline. */
public final class ChildJvm {
  private static final int DEADLINE_SECONDS = 60;

  private final String main;
  private final List<String> prefix = new ArrayList<>();
  private final List<String> options = new ArrayList<>();
  private final List<String> environment = new ArrayList<>();
  private Path directory = Path.of("");

  /** How the JVM ended, and what it printed; one character a byte. */
  public record Result(int exit, String out, String err) {
    /** What was printed by a JVM that ended well. */
    public String output() {
      if (exit != 0 || !err.isEmpty()) {
        throw new AssertionError("the child JVM failed: " + this);
      }
      return out.strip();
    }
  }

  private ChildJvm(String main) {
    this.main = main;
  }

  /** A JVM for this class, which must do without the test libraries. */
  public static ChildJvm of(Class<?> main) {
    return new ChildJvm(main.getName());
  }

  /** Starts it by another program, such as {@code nohup}. */
  public ChildJvm startedBy(String... command) {
    prefix.addAll(List.of(command));
    return this;
  }

  /** Adds an option of the JVM. */
  public ChildJvm option(String option) {
    options.add(option);
    return this;
  }

  /** Sets a variable of the environment. */
  public ChildJvm environment(String assignment) {
    environment.add(assignment);
    return this;
  }

  /** Starts it in another directory. */
  public ChildJvm in(Path directory) {
    this.directory = directory;
    return this;
  }

  /** Runs it to its end. */
  public Result run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(prefix);
    if (!environment.isEmpty()) {
      command.add("env");
      command.addAll(environment);
    }
    command.add(System.getProperty("java.home") + "/bin/java");
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-XX:+UseSerialGC");
    command.add("-XX:-CreateCoredumpOnCrash");
    command.add("-XX:ErrorFile=" + Path.of("target/hs_err_%p.log").toAbsolutePath());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(options);
    command.add("-cp");
    command.add(
        Path.of("target/classes").toAbsolutePath()
            + File.pathSeparator
            + Path.of("target/test-classes").toAbsolutePath());
    command.add(main);
    command.addAll(List.of(arguments));

    Path out = Files.createTempFile("child", ".out");
    Path err = Files.createTempFile("child", ".err");
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(directory.toAbsolutePath().toFile())
              .redirectInput(new File("/dev/null"))
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
        throw new AssertionError("not done in time: " + command + text(out) + text(err));
      }
      return new Result(process.exitValue(), text(out), text(err));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.ISO_8859_1);
  }
}
