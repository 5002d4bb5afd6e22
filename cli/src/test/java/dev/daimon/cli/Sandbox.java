package dev.daimon.cli;

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

/** A {@link ProcessSandbox} that runs the built command. */
final class Sandbox extends ProcessSandbox implements BeforeEachCallback, AfterEachCallback {
  /** The built distribution. */
  static final Path DAIMON = Path.of(System.getProperty("daimon.dist"), "bin/daimon");

  /** Longer than any test. */
  private static final int HALT_MICROS = 600_000_000;

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    begin();
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    end();
  }

  /** Removes variables that choose the command's JDK, unless a test sets them. */
  @Override
  public ProcessBuilder prepare(List<String> command, Map<String, String> variables) {
    ProcessBuilder builder = super.prepare(command, variables);
    if (!variables.containsKey("JAVA_HOME")) {
      builder.environment().remove("JAVA_HOME");
    }
    builder.environment().remove("SUDO_UID");
    builder.environment().remove("DOAS_USER");
    builder.environment().putAll(variables);
    return builder;
  }

  /** Runs {@code daimon} with these words, and waits for its end. */
  Result daimon(String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of(DAIMON.toString()));
    command.addAll(List.of(words));
    return run(command, Map.of());
  }

  /** Runs a shell script; {@code $daimon} is the command, {@code $dir} the directory. */
  Result shell(String script, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("/bin/bash", "-c", script, "script"));
    command.addAll(List.of(arguments));
    return run(command, Map.of("daimon", DAIMON.toString(), "dir", directory().toString()));
  }

  /**
   * Starts the command under strace, which delays some of its system calls, so that a test can act
   * at that moment. The process that is returned is the command itself.
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

  /**
   * Starts the command, and has strace halt it at a system call until {@link #goOn}, so that a test
   * has time to act at that moment. The process that is returned is the command itself.
   *
   * @param moment the call, and whether before or after it, such as {@code flock:delay_exit}
   * @param file halts only at calls on this file; null for all
   */
  Process halted(String moment, @Nullable Path file, String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of("strace", "-D", "-f", "-qq", "-o", "/dev/null"));
    if (file != null) {
      command.addAll(List.of("-P", file.toString()));
    }
    command.addAll(List.of("-e", "inject=" + moment + "=" + HALT_MICROS));
    command.addAll(List.of("-e", "trace=" + moment.substring(0, moment.indexOf(':'))));
    command.add(DAIMON.toString());
    command.addAll(List.of(words));
    return prepare(command, Map.of())
        .redirectOutput(file("slowed.out").toFile())
        .redirectError(file("slowed.err").toFile())
        .start();
  }

  /** Lets the command go on, by killing strace; it is not halted again. */
  void goOn() throws IOException {
    running("strace").forEach(ProcessHandle::destroyForcibly);
  }

  /** Copies the command so that every user may read and run it, and opens the sandbox to all. */
  Path publicDaimon() throws Exception {
    openToAll(directory(), "rwxr-xr-x");
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

  /** Starts a program that goes on running, with a pidfile, and returns its process id. */
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

  /** Creates an executable file with these lines. */
  Path script(String name, String... lines) throws IOException {
    Path script = file(name);
    Files.write(script, List.of(lines));
    openToAll(script, "rwxr-xr-x");
    return script;
  }
}
