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

/** This very command once more, where no launcher script has started it as it should be. */
final class Respawn {
  private Respawn() {}

  /** In this process's place, as a JVM that a signal just ends. Returns only by a failure. */
  static void leavingSignalsAlone() {
    try {
      List<String> words = Caller.commandLine();
      // With -Xrs alone java would open a socket in /tmp, and leave it there.
      program(words, "-Xrs", "-XX:+DisableAttachMechanism", "-D" + Caller.DIRECT + "=true").exec();
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /**
   * As the leader of a session of its own, while this one waits for its verdict. A JVM that leads a
   * process group, as one does that a shell with job control starts directly, may not call {@code
   * setsid}.
   */
  static int inNewSession() {
    try {
      // The other one decides, within a moment; this one must be there to tell.
      Dispositions.ignore(Signal.HUP, Signal.INT, Signal.TERM);
      List<String> words = Caller.commandLine();
      Child child =
          program(
                  words,
                  "-D" + Caller.PROCESS + "=" + ThisProcess.id(),
                  "-D" + Caller.LEADER + "=true")
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

  /** Those are the program's, which gets them from this JVM's own environment. */
  private static Environment withoutJavaOptions() {
    return Environment.current()
        .without("JAVA_TOOL_OPTIONS")
        .without("JDK_JAVA_OPTIONS")
        .without("_JAVA_OPTIONS");
  }
}
