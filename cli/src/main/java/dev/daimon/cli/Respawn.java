package dev.daimon.cli;

import dev.daimon.forking.Child;
import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Signal;
import dev.daimon.signals.Dispositions;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs this command once more in a fresh JVM, where no launcher script has prepared this one. */
final class Respawn {
  private Respawn() {}

  /**
   * Replaces this process by a JVM with {@code -Xrs}, which signals kill at once. Never returns
   * normally.
   */
  static void leavingSignalsAlone() {
    try {
      List<String> words = Caller.commandLine();
      // With -Xrs alone java opens a socket in /tmp, to be attached to, and leaves it there.
      program(words, "-Xrs", "-XX:+DisableAttachMechanism", "-D" + ScriptProtocol.DIRECT + "=true")
          .exec();
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /**
   * Runs the command in a JVM that leads a new session, and returns its exit code. Needed where
   * this JVM leads a process group, as one does that a shell with job control starts directly: it
   * may not call {@code setsid}. Also for a start that waits: a signal ends this JVM then, and the
   * other one notices that, and stops the program.
   *
   * @param waits whether the start waits until the program is ready
   */
  static int inNewSession(boolean waits) {
    try {
      if (!waits) {
        // The other JVM handles signals; this one must live to return the exit code.
        Dispositions.ignore(Signal.HUP, Signal.INT, Signal.TERM);
      }
      List<String> words = Caller.commandLine();
      Child child =
          program(
                  words,
                  "-D" + ScriptProtocol.CALLER + "=" + ThisProcess.id(),
                  "-D" + ScriptProtocol.LEADER + "=true")
              .environment(withoutJavaOptions())
              .newSession()
              .spawn();
      return child.waitFor().shellStatus();
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  private static Program program(List<String> words, String... options) throws IOException {
    List<byte[]> arguments = new ArrayList<>();
    for (String option : options) {
      arguments.add(Text.bytes(option));
    }
    for (String word : words.subList(1, words.size())) {
      arguments.add(Text.bytes(word));
    }
    return Program.at(Path.of("/proc/self/exe").toRealPath())
        .name(Text.bytes(words.get(0)))
        .arguments(arguments)
        .closeOtherDescriptors(false);
  }

  /**
   * This environment without the variables that add JVM options. The program still gets them: it
   * takes this process's environment.
   */
  private static Environment withoutJavaOptions() {
    return Environment.current()
        .without("JAVA_TOOL_OPTIONS")
        .without("JDK_JAVA_OPTIONS")
        .without("_JAVA_OPTIONS");
  }
}
