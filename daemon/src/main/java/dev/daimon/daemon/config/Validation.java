package dev.daimon.daemon.config;

import dev.daimon.daemon.handover.LaunchContext;
import dev.daimon.daemon.javacommand.RelaunchCommand;
import dev.daimon.forking.Program;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.VisibleText;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.DaemonName;
import dev.daimon.startup.FilePurposes;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.startup.TargetIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Finds everything that is wrong with settings, without carrying any of them out. */
public final class Validation {
  /** The descriptors below this number are the standard streams. */
  private static final int STREAMS = 3;

  /** The bits of a mode that tell the kind of file. */
  private static final int KIND = 0170000;

  private static final int PIPE = 0010000;

  private final Settings settings;
  private final @Nullable RelaunchCommand relaunch;
  private final List<StartException> problems = new ArrayList<>();

  private Validation(Settings settings, @Nullable RelaunchCommand relaunch) {
    this.settings = settings;
    this.relaunch = relaunch;
  }

  /** Returns a line for each problem. */
  public static List<String> problems(Settings settings) {
    return texts(new Validation(settings, relaunch(settings)).problems());
  }

  /**
   * Refuses settings for this very process, with all problems in one message.
   *
   * @throws StartException with the first problem's reason
   */
  public static void requireInProcess(Settings settings) {
    require(settings, relaunch(settings));
  }

  /**
   * Refuses settings with problems, with all of them in one message.
   *
   * @param relaunch the command that runs the program as the daemon; null in the foreground
   * @throws StartException with the first problem's reason
   */
  public static void require(Settings settings, @Nullable RelaunchCommand relaunch) {
    List<StartException> problems = new Validation(settings, relaunch).problems();
    if (problems.size() == 1) {
      throw problems.get(0);
    }
    if (!problems.isEmpty()) {
      throw new StartException(problems.get(0).reason(), String.join("; ", texts(problems)));
    }
  }

  private static @Nullable RelaunchCommand relaunch(Settings settings) {
    return settings.foreground ? null : settings.relaunchCommand();
  }

  private static List<String> texts(List<StartException> problems) {
    List<String> texts = new ArrayList<>();
    for (StartException problem : problems) {
      texts.add(String.valueOf(problem.getMessage()));
    }
    return texts;
  }

  private List<StartException> problems() {
    if (settings.name != null) {
      name(settings.name);
    }
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

  /** The variables that say where the files of a name are. */
  private static final List<String> PLACES =
      List.of("HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME");

  private void name(String name) {
    try {
      DaemonName _ = new DaemonName(name);
      if (settings.directories != null) {
        places();
      } else if (settings.pidFile != null) {
        problem("name and pidFile cannot both be: the pidfile of a name is at the name's place");
      } else {
        DaemonDirectories _ = DaemonDirectories.ofCaller();
      }
    } catch (IllegalArgumentException wrong) {
      problem("name: " + wrong.getMessage());
    } catch (StartException nowhere) {
      problems.add(nowhere);
    }
  }

  /** The daemon would look for its files elsewhere than its launcher. */
  private void places() {
    for (String variable : PLACES) {
      if (settings.environment.containsKey(variable) && Identity.effectiveUser() != 0) {
        problem(
            "environment: "
                + variable
                + " says where the files of a name are: set pidFile instead");
      }
    }
  }

  private void paths() {
    absolute("pidFile", settings.pidFile);
    absolute("lockFile", settings.lockFile);
    absolute("standardOutput", settings.standardOutput);
    // If it follows standard output to the same file, its problems are reported there.
    Path standardError =
        settings.standardOutput != null && settings.standardOutput.equals(settings.standardError)
            ? null
            : settings.standardError;
    absolute("standardError", standardError);
    absolute("workingDirectory", settings.workingDirectory);
    FilePurposes purposes = new FilePurposes();
    purpose(purposes, "pidFile", settings.pidFile, /* output= */ false);
    purpose(purposes, "lockFile", settings.lockFile, /* output= */ false);
    purpose(purposes, "standardOutput", settings.standardOutput, /* output= */ true);
    purpose(purposes, "standardError", standardError, /* output= */ true);
    if (settings.workingDirectory != null && settings.preserveWorkingDirectory) {
      problem("workingDirectory and preserveWorkingDirectory cannot both be");
    }
    if (settings.workingDirectory != null && settings.workingDirectory.isAbsolute()) {
      try {
        Program.checkDirectory(settings.workingDirectory);
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

  private void purpose(FilePurposes purposes, String name, @Nullable Path path, boolean output) {
    FilePurposes.Purpose other = purposes.add(name, path, output);
    if (other != null) {
      problem(name + " is the same file as " + other.name() + ": " + path);
    }
  }

  private void values() {
    if (settings.umask < 0 || settings.umask > ThisProcess.MAX_UMASK) {
      problem("umask is outside of 0 to 0777: 0" + Integer.toOctalString(settings.umask));
    }
    if (settings.readyTimeout.isZero() || settings.readyTimeout.isNegative()) {
      problem("readyTimeout leaves no time: " + settings.readyTimeout);
    }
    for (Map.Entry<String, String> variable : settings.environment.entrySet()) {
      String name = variable.getKey();
      if (name.isEmpty() || name.indexOf('=') >= 0 || name.indexOf(0) >= 0) {
        problem("environment: not a variable's name: \"" + name + "\"");
      } else if (variable.getValue().indexOf(0) >= 0) {
        problem("environment: a NUL character in the value of " + name);
      }
    }
    if (settings.programName != null
        && (settings.programName.isEmpty() || settings.programName.indexOf(0) >= 0)) {
      problem("programName is empty, or has a NUL character in it");
    }
    for (String argument : settings.jvmArguments) {
      if (argument.indexOf(0) >= 0) {
        problem("jvmArguments: a NUL character in " + VisibleText.line(argument));
      }
    }
    if (settings.captureOutput
        && (settings.standardOutput != null || settings.standardError != null)) {
      problem("captureOutput leaves nothing for standardOutput and standardError");
    }
    if (settings.captureOutput && settings.inheritStandardErrorUntilReady) {
      problem("captureOutput and inheritStandardErrorUntilReady cannot both be");
    }
    if (settings.foreground && settings.simulate) {
      problem("foreground and simulate cannot both be");
    }
    if (settings.readinessDescriptor != null) {
      readinessDescriptor(settings.readinessDescriptor);
    }
    if (settings.simulate && settings.captureOutput) {
      problem("in a simulation the streams stay as they are, so there is nothing to capture");
    }
  }

  private void readinessDescriptor(int number) {
    if (!settings.foreground) {
      problem(
          "readinessDescriptor needs foreground: a supervisor that reads it is the daemon's parent");
    } else if (number < STREAMS) {
      problem("readinessDescriptor: " + number + " is a standard stream, or no descriptor");
    } else if (!canBeToSupervisor(Path.of("/proc/self/fd/" + number))) {
      // A number that the caller has not opened may be one that the JVM has opened for itself.
      problem(
          "readinessDescriptor: " + number + " is not open, or no pipe: the supervisor opens it");
    }
  }

  /** Whether it is a pipe: nothing else is written to. */
  private static boolean canBeToSupervisor(Path descriptor) {
    try {
      return ((int) Files.getAttribute(descriptor, "unix:mode") & KIND) == PIPE;
    } catch (IOException closed) {
      return false;
    }
  }

  private void descriptors() {
    if (LaunchContext.find().fromLauncher() != null) {
      // The launcher has checked them; here they have other numbers or are not open.
      return;
    }
    for (Map.Entry<String, Descriptor> kept : settings.kept.entrySet()) {
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

  /** Refuses what a running JVM cannot change, or not for all of its code. */
  private void inForeground() {
    if (settings.workingDirectory != null && !isHere(settings.workingDirectory)) {
      problem(
          "in the foreground a JVM cannot change its working directory: start it in the right one");
    }
    if (!settings.environment.isEmpty()) {
      problem("in the foreground a JVM cannot change its environment: start it with the right one");
    }
    if (settings.programName != null) {
      problem("in the foreground a JVM cannot change its name: start it with the right one");
    }
    if (settings.closeDescriptors != null && settings.closeDescriptors) {
      problem("in the foreground a JVM cannot close descriptors that others of its code may use");
    }
    if (!settings.jvmArguments.isEmpty()) {
      problem("in the foreground a JVM cannot change its options: start it with the right ones");
    }
  }

  private static boolean isHere(Path directory) {
    try {
      return Files.isSameFile(directory, LaunchContext.find().launchDirectory());
    } catch (IOException missing) {
      return false;
    }
  }

  private void account() {
    if (settings.groups != null && settings.user == null && settings.group == null) {
      problem("groups needs user or group");
    }
    account(settings.user, null);
    account(null, settings.group);
    for (String group : settings.groups == null ? List.<String>of() : settings.groups) {
      account(null, group);
    }
    try {
      @Nullable PrivilegeDrop _ = settings.privilegeDrop(null);
    } catch (IllegalArgumentException wrong) {
      problem(String.valueOf(wrong.getMessage()));
    }
  }

  /** Looks a user or a group up. */
  private void account(@Nullable String user, @Nullable String group) {
    try {
      @Nullable Identity _ = TargetIdentity.resolve(user, group, null);
    } catch (IllegalArgumentException wrong) {
      problem(String.valueOf(wrong.getMessage()));
    } catch (StartException unknown) {
      problems.add(unknown);
    }
  }
}
