package dev.daimon.daemon.javacommand;

import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.NativePath;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The command that runs this program once more, as the daemon: same executable, same words. */
public final class RelaunchCommand {
  /** The environment variables from which the JVM takes options and paths. */
  private static final List<String> JVM_VARIABLES =
      List.of("CLASSPATH", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS");

  private final Path executable;
  private final List<String> words;
  private final List<StartException> problems;
  private final Environment environment;

  private RelaunchCommand(
      Path executable, List<String> words, List<StartException> problems, Environment environment) {
    this.executable = executable;
    this.words = words;
    this.problems = problems;
    this.environment = environment;
  }

  /**
   * Derives the command from the one that has started this JVM.
   *
   * @param launchDirectory the directory in which this JVM was started
   * @param jvmArguments options for the daemon's JVM alone
   * @throws StartException if this process cannot be examined
   */
  public static RelaunchCommand of(Path launchDirectory, List<String> jvmArguments) {
    Environment environment = Environment.current();
    Path executable = executable();
    List<StartException> problems = new ArrayList<>();
    if (!executable.endsWith("java")) {
      // Another executable has a command line of its own, of which nothing is known.
      if (!jvmArguments.isEmpty()) {
        problems.add(
            problem(executable + " is not java, so that jvmArguments cannot reach the JVM"));
      }
      return new RelaunchCommand(executable, words(), problems, environment);
    }
    if (!Files.isExecutable(executable)) {
      problems.add(
          new StartException(
              Reason.PROGRAM,
              "the java that runs this program was replaced or removed: " + executable));
    }
    Map<String, String> variables = new HashMap<>();
    for (String name : JVM_VARIABLES) {
      byte @Nullable [] value = environment.get(name);
      if (value != null) {
        variables.put(name, latin1(value));
      }
    }
    List<String> options = new ArrayList<>();
    for (String argument : jvmArguments) {
      options.add(latin1(argument.getBytes(StandardCharsets.UTF_8)));
    }
    String directory = latin1(NativePath.bytes(launchDirectory));
    JavaCommand command = JavaCommand.of(words(), directory, variables, options);
    for (String text : command.problems()) {
      problems.add(problem(text));
    }
    return new RelaunchCommand(executable, command.words(), problems, environment);
  }

  private static StartException problem(String text) {
    return new StartException(Reason.CONFIGURATION, text);
  }

  /** The words of this process's command line. */
  private static List<String> words() {
    List<String> words = new ArrayList<>();
    try {
      for (byte[] word : ThisProcess.commandLine()) {
        words.add(latin1(word));
      }
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
    return words;
  }

  /** Returns the value of a variable of this process; null if it is absent. */
  public byte @Nullable [] variable(String name) {
    return environment.get(name);
  }

  /** Returns everything that keeps the command from being run. */
  public List<StartException> problems() {
    return problems;
  }

  /**
   * Returns the program with its name, arguments and environment; the caller sets its streams and
   * descriptors.
   *
   * @param programName its {@code argv[0]}; null for the one of this process
   * @param changes the variables that differ from this process' environment
   */
  public Program program(@Nullable String programName, Map<String, String> changes) {
    List<byte[]> arguments = new ArrayList<>();
    for (String word : words) {
      arguments.add(word.getBytes(StandardCharsets.ISO_8859_1));
    }
    byte[] name = arguments.removeFirst();
    if (programName != null) {
      name = programName.getBytes(StandardCharsets.UTF_8);
    }
    Environment changed = environment;
    for (Map.Entry<String, String> variable : changes.entrySet()) {
      changed = changed.with(variable.getKey(), variable.getValue());
    }
    return Program.at(executable).name(name).arguments(arguments).environment(changed);
  }

  private static Path executable() {
    try {
      Path executable = Files.readSymbolicLink(Path.of("/proc/self/exe"));
      // The JDK was upgraded, and the new java may have the same path.
      return executable.endsWith("java (deleted)") ? executable.resolveSibling("java") : executable;
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  private static String latin1(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
