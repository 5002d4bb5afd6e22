package dev.daimon.command;

import dev.daimon.daemon.Daemon;
import java.util.List;

/** What a daemon does. */
@FunctionalInterface
public interface DaemonProgram {
  /**
   * Runs until the daemon is to end. It has to call {@link Daemon#ready()}. When it returns, the
   * daemon is closed; the JVM ends with its last thread.
   *
   * @param daemon this process as a daemon; in the foreground, too
   * @param arguments the words of the command line after the verb
   * @throws Exception if the daemon failed; before it is ready, this is what the launcher prints
   */
  void run(Daemon daemon, List<String> arguments) throws Exception;
}
