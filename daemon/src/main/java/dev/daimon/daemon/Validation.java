package dev.daimon.daemon;

import dev.daimon.forking.Program;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Everything that is wrong with a configuration, found without doing any of it. */
final class Validation {
  private static final int STREAMS = 3;

  private final DaemonConfig config;
  private final @Nullable RelaunchCommand relaunch;
  private final List<StartException> problems = new ArrayList<>();

  /** Of a configuration, and the program's second run; null in the foreground, which has none. */
  Validation(DaemonConfig config, @Nullable RelaunchCommand relaunch) {
    this.config = config;
    this.relaunch = relaunch;
  }

  List<StartException> problems() {
    problems.clear();
    paths();
    values();
    descriptors();
    if (relaunch == null) {
      inForeground();
    } else {
      problems.addAll(relaunch.problems());
    }
    account();
    return problems;
  }

  private void problem(String text) {
    problems.add(new StartException(Reason.CONFIGURATION, text));
  }

  private void paths() {
    absolute("pidFile", config.pidFile);
    absolute("lockFile", config.lockFile);
    absolute("standardOutput", config.standardOutput);
    // One that follows standard output to the same file has that one's problems.
    Path standardError =
        config.standardOutput != null && config.standardOutput.equals(config.standardError)
            ? null
            : config.standardError;
    absolute("standardError", standardError);
    absolute("workingDirectory", config.workingDirectory);
    different("lockFile", config.lockFile, "pidFile", config.pidFile);
    different("standardOutput", config.standardOutput, "pidFile", config.pidFile);
    different("standardOutput", config.standardOutput, "lockFile", config.lockFile);
    different("standardError", standardError, "pidFile", config.pidFile);
    different("standardError", standardError, "lockFile", config.lockFile);
    if (config.workingDirectory != null && config.preserveWorkingDirectory) {
      problem("workingDirectory and preserveWorkingDirectory cannot both be");
    }
    if (config.workingDirectory != null && config.workingDirectory.isAbsolute()) {
      try {
        Program.checkDirectory(config.workingDirectory);
      } catch (PosixException failure) {
        problems.add(
            new StartException(Reason.SYSTEM, "workingDirectory: " + failure.getMessage()));
      }
    }
  }

  private void absolute(String name, @Nullable Path path) {
    if (path != null && !path.isAbsolute()) {
      problem(
          name
              + " is not absolute, and the daemon starts in another directory: "
              + path
              + " (Daemonizer.launchDirectory() is the caller's)");
    }
  }

  private void different(String name, @Nullable Path path, String otherName, @Nullable Path other) {
    if (path != null && other != null && path.normalize().equals(other.normalize())) {
      problem(name + " is the same file as " + otherName + ": " + path);
    }
  }

  private void values() {
    if (config.umask < 0 || config.umask > ThisProcess.MAX_UMASK) {
      problem("umask is outside of 0 to 0777: 0" + Integer.toOctalString(config.umask));
    }
    if (config.readyTimeout.isZero() || config.readyTimeout.isNegative()) {
      problem("readyTimeout leaves no time: " + config.readyTimeout);
    }
    for (Map.Entry<String, String> variable : config.environment.entrySet()) {
      String name = variable.getKey();
      if (name.isEmpty() || name.indexOf('=') >= 0 || name.indexOf(0) >= 0) {
        problem("environment: not a variable's name: \"" + name + "\"");
      } else if (variable.getValue().indexOf(0) >= 0) {
        problem("environment: a NUL character in the value of " + name);
      }
    }
    if (config.programName != null
        && (config.programName.isEmpty() || config.programName.indexOf(0) >= 0)) {
      problem("programName is empty, or has a NUL character in it");
    }
    if (config.captureOutput && (config.standardOutput != null || config.standardError != null)) {
      problem("captureOutput leaves nothing for standardOutput and standardError");
    }
    if (config.captureOutput && config.inheritStandardErrorUntilReady) {
      problem("captureOutput and inheritStandardErrorUntilReady cannot both be");
    }
    if (config.foreground && config.simulate) {
      problem("foreground and simulate cannot both be");
    }
    if (config.simulate && config.captureOutput) {
      problem("in a simulation the streams stay as they are, so there is nothing to capture");
    }
  }

  private void descriptors() {
    if (Daemonizer.stage() == Stage.DAEMON) {
      return;
    }
    for (Map.Entry<String, Descriptor> kept : config.kept.entrySet()) {
      try {
        int number = kept.getValue().number();
        if (number < STREAMS) {
          problem("keepOpen: " + kept.getKey() + " is a standard stream");
        } else if (!Files.exists(Path.of("/proc/self/fd/" + number), LinkOption.NOFOLLOW_LINKS)) {
          problem("keepOpen: " + kept.getKey() + " is not open: " + kept.getValue());
        }
      } catch (IllegalStateException closed) {
        problem("keepOpen: " + kept.getKey() + " is closed");
      }
    }
  }

  /** What a JVM that runs already cannot do, or not for all of its code. */
  private void inForeground() {
    if (config.workingDirectory != null && !isHere(config.workingDirectory)) {
      problem(
          "in the foreground a JVM cannot change its working directory: start it in the right one");
    }
    if (!config.environment.isEmpty()) {
      problem("in the foreground a JVM cannot change its environment: start it with the right one");
    }
    if (config.programName != null) {
      problem("in the foreground a JVM cannot change its name: start it with the right one");
    }
    if (config.closeDescriptors != null && config.closeDescriptors) {
      problem("in the foreground a JVM cannot close descriptors that others of its code may use");
    }
    if (!config.jvmArguments.isEmpty()) {
      problem("in the foreground a JVM cannot change its options: start it with the right ones");
    }
  }

  private static boolean isHere(Path directory) {
    try {
      return Files.isSameFile(directory, Daemonizer.launchDirectory());
    } catch (IOException missing) {
      return false;
    }
  }

  private void account() {
    if (config.groups != null && config.user == null && config.group == null) {
      problem("groups needs user or group");
    }
    try {
      @Nullable PrivilegeDrop _ = Identities.drop(config, Identities.of(config));
    } catch (IllegalArgumentException wrong) {
      problem(String.valueOf(wrong.getMessage()));
    } catch (StartException unknown) {
      problems.add(unknown);
    }
  }
}
