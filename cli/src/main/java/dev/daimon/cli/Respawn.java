package dev.daimon.cli;

import dev.daimon.forking.Child;
import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.forking.ThisProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * This very command once more, as the leader of a session of its own.
 *
 * <p>A JVM that leads a process group, as one does that a shell with job control starts directly,
 * may not call {@code setsid}. It then does what the launcher script does otherwise: it waits, and
 * passes on how it went.
 */
final class Respawn {
  private Respawn() {}

  static int inNewSession() throws Failure {
    try {
      // The other one decides, within milliseconds; this one must be there to tell.
      Persistence.begin();
      List<String> words = Caller.commandLine();
      List<byte[]> arguments = new ArrayList<>();
      arguments.add(Text.bytes("-D" + Caller.PROCESS + "=" + ThisProcess.id()));
      arguments.add(Text.bytes("-D" + Caller.LEADER + "=true"));
      for (String word : words.subList(1, words.size())) {
        arguments.add(Text.bytes(word));
      }
      Child child =
          Program.at(Path.of("/proc/self/exe").toRealPath())
              .name(Text.bytes(words.get(0)))
              .arguments(arguments)
              .environment(withoutJavaOptions())
              .newSession()
              .sweep(false)
              .spawn();
      return child.waitFor().shellStatus();
    } catch (IOException failure) {
      throw new Failure(Failure.SYSTEM, failure);
    }
  }

  /** Those are the program's, which gets them from this JVM's own environment. */
  private static Environment withoutJavaOptions() {
    return Environment.current()
        .without("JAVA_TOOL_OPTIONS")
        .without("JDK_JAVA_OPTIONS")
        .without("_JAVA_OPTIONS");
  }
}
