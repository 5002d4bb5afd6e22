package dev.daimon.cli;

import dev.daimon.forking.Child;
import dev.daimon.forking.Descriptors;
import dev.daimon.forking.Environment;
import dev.daimon.forking.StandardStream;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whoever typed {@code daimon}: where they stood, and the environment and the descriptors that the
 * program is to inherit, as they were before a shell and a JVM changed them.
 *
 * <p>The launcher script names the process that still has them, itself or a copy of itself; without
 * the script they are this JVM's own.
 */
final class Caller {
  /** The process that still has the caller's environment and descriptors. */
  static final String PROCESS = "daimon.caller";

  /** Set where this JVM was spawned as the leader of its session. */
  static final String LEADER = "daimon.leader";

  /** Set where that process is a copy of the script, this JVM's child, and waits for its end. */
  private static final String COPY = "daimon.copy";

  /** Set where there is no script, and this JVM was told to leave signals alone all the same. */
  static final String DIRECT = "daimon.direct";

  /** The descriptor that leads where standard error shall lead: to nobody while the JVM starts. */
  private static final String ERROR = "daimon.error";

  private final Environment environment;
  private final Path directory;
  private final int @Nullable [] descriptors;

  /** The parent whose end interrupts a start; 0 if nobody's does. */
  private final long launcher;

  private Caller(
      Environment environment, Path directory, int @Nullable [] descriptors, long launcher) {
    this.environment = environment;
    this.directory = directory;
    this.descriptors = descriptors;
    this.launcher = launcher;
  }

  /**
   * Finds the caller.
   *
   * @param withDescriptors whether the descriptors are needed: reading them takes as long as all
   *     the rest
   */
  static Caller find(boolean withDescriptors) {
    Long process = Long.getLong(PROCESS);
    try {
      Path directory =
          Files.readSymbolicLink(Path.of("/proc/" + (process == null ? "self" : process) + "/cwd"));
      if (process == null) {
        return new Caller(Environment.current(), directory, null, 0);
      }
      Environment environment = Environment.of(process);
      int[] descriptors = withDescriptors ? Descriptors.inheritedFrom(process) : null;
      if (!Boolean.getBoolean(COPY)) {
        return new Caller(environment, directory, descriptors, process);
      }
      // It has done its work, and must not become the program's child.
      Child copy = Child.adopt(process);
      copy.signal(Signal.KILL);
      copy.waitFor();
      return new Caller(environment, directory, descriptors, 0);
    } catch (IOException failure) {
      throw new StartException(
          Reason.SYSTEM, "cannot read what the caller left in /proc: " + failure);
    }
  }

  /** Gives standard error back, which the launcher script has kept from the JVM's own words. */
  static void restoreError() {
    Integer number = Integer.getInteger(ERROR);
    if (number == null) {
      return;
    }
    try (Descriptor error = Descriptor.adopt(number)) {
      StandardStream.ERROR.redirect(error);
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /** Whether the launcher script gets this JVM's exit code, and makes its own of it. */
  static boolean hasScript() {
    return Long.getLong(PROCESS) != null
        && !Boolean.getBoolean(COPY)
        && !Boolean.getBoolean(LEADER);
  }

  /** Whether a signal just ends this JVM, instead of beginning a shutdown beside the work. */
  static boolean leavesSignalsAlone() {
    return Long.getLong(PROCESS) != null || Boolean.getBoolean(DIRECT);
  }

  /** Whether a launcher waits for this JVM to end, so that it cannot become the program. */
  boolean isWaiting() {
    return launcher != 0;
  }

  /** Whether this JVM leads the session that the daemon is to live in. */
  boolean hasMadeSession() {
    return Boolean.getBoolean(LEADER);
  }

  /** The words of this process's command line, one character for each byte. */
  static List<String> commandLine() {
    List<String> words = new ArrayList<>();
    try {
      for (byte[] word : ThisProcess.commandLine()) {
        words.add(Text.ofBytes(word));
      }
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, "cannot read the command line: " + failure);
    }
    return words;
  }

  /** Whether the one who waits for the verdict is gone. */
  boolean isGone() {
    return launcher != 0 && ThisProcess.parent() != launcher;
  }

  Environment environment() {
    return environment;
  }

  /** Where the caller stood; a path that leads nowhere if that directory is gone. */
  Path directory() {
    return directory;
  }

  /**
   * The descriptors that the program would inherit; null if they were not asked for, or cannot be
   * told from the JVM's.
   */
  int @Nullable [] descriptors() {
    return descriptors;
  }
}
