package dev.daimon.daemon;

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

/** This very program, to be run once more as the daemon: same executable, same words. */
final class RelaunchCommand {
  /** The variables of which the JVM takes options and paths. */
  private static final List<String> JVM_VARIABLES =
      List.of("CLASSPATH", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS");

  private final DaemonConfig config;
  private final Path executable;
  private final List<String> words;
  private final List<StartException> problems;
  private final Environment environment;

  private RelaunchCommand(
      DaemonConfig config,
      Path executable,
      List<String> words,
      List<StartException> problems,
      Environment environment) {
    this.config = config;
    this.executable = executable;
    this.words = words;
    this.problems = problems;
    this.environment = environment;
  }

  static RelaunchCommand of(DaemonConfig config) {
    Environment environment = Environment.current();
    Path executable = executable();
    List<StartException> problems = new ArrayList<>();
    if (!executable.endsWith("java")) {
      // A launcher of its own has words of its own: nothing is known of them.
      if (!config.jvmArguments.isEmpty()) {
        problems.add(
            problem(executable + " is not java, so that jvmArguments cannot reach the JVM"));
      }
      return new RelaunchCommand(config, executable, words(), problems, environment);
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
    List<String> jvmArguments = new ArrayList<>();
    for (String argument : config.jvmArguments) {
      jvmArguments.add(latin1(argument.getBytes(StandardCharsets.UTF_8)));
    }
    String directory = latin1(NativePath.bytes(Daemonizer.launchDirectory()));
    JavaCommand command = JavaCommand.of(words(), directory, variables, jvmArguments);
    for (String text : command.problems()) {
      problems.add(problem(text));
    }
    return new RelaunchCommand(config, executable, command.words(), problems, environment);
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

  /** All that is in the way. */
  List<StartException> problems() {
    return problems;
  }

  /** The program, with its name, arguments and environment; its streams and files are not set. */
  Program program() {
    List<byte[]> arguments = new ArrayList<>();
    for (String word : words) {
      arguments.add(word.getBytes(StandardCharsets.ISO_8859_1));
    }
    byte[] name = arguments.removeFirst();
    if (config.programName != null) {
      name = config.programName.getBytes(StandardCharsets.UTF_8);
    }
    Environment changed = environment;
    for (Map.Entry<String, String> variable : config.environment.entrySet()) {
      changed = changed.with(variable.getKey(), variable.getValue());
    }
    return Program.at(executable).name(name).arguments(arguments).environment(changed);
  }

  private static Path executable() {
    try {
      Path executable = Files.readSymbolicLink(Path.of("/proc/self/exe"));
      // After an upgrade of the JDK; the new one may be in its place.
      return executable.endsWith("java (deleted)") ? executable.resolveSibling("java") : executable;
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  private static String latin1(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
