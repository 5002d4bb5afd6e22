package dev.daimon.cli;

import dev.daimon.forking.Child;
import dev.daimon.forking.Descriptors;
import dev.daimon.forking.Environment;
import dev.daimon.forking.StandardStream;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.Signal;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The process that called {@code daimon}: its working directory, and the environment and
 * descriptors that the program inherits from it, as they were before a shell and a JVM changed
 * them.
 *
 * <p>The launcher script says which process still has them: the script itself, or a copy of it
 * ({@link ScriptProtocol}). Without the script this JVM has them.
 */
final class Caller {
  private final Environment environment;
  private final Path directory;
  private final int @Nullable [] descriptors;

  /** The parent whose end cancels a start; 0 if there is none. */
  private final long parent;

  private Caller(
      Environment environment, Path directory, int @Nullable [] descriptors, long parent) {
    this.environment = environment;
    this.directory = directory;
    this.descriptors = descriptors;
    this.parent = parent;
  }

  /**
   * Finds the caller.
   *
   * @param withDescriptors whether to read the descriptors, too, which takes as long as all the
   *     rest
   */
  static Caller find(boolean withDescriptors) {
    Long process = Long.getLong(ScriptProtocol.CALLER);
    try {
      String caller = process == null ? "/proc/self" : ProcDirectory.of(process);
      Path directory = Files.readSymbolicLink(Path.of(caller.concat("/cwd")));
      if (process == null) {
        return new Caller(Environment.current(), directory, null, 0);
      }
      Environment environment = Environment.of(process);
      // What the caller was activated with is to be told from the JVM's own files.
      boolean needed = withDescriptors || environment.get(ListenPlan.PID) != null;
      int[] descriptors = needed ? inheritedFrom(process) : null;
      if (!Boolean.getBoolean(ScriptProtocol.COPY)) {
        return new Caller(environment, directory, descriptors, process);
      }
      // The copy is not needed any more, and must not become the program's child.
      Child copy = Child.adopt(process);
      copy.signal(Signal.KILL);
      copy.waitFor();
      return new Caller(environment, directory, descriptors, 0);
    } catch (IOException failure) {
      throw new StartException(
          Reason.SYSTEM, "cannot read the caller's environment in /proc: " + failure);
    }
  }

  /** The descriptors of a process, without the launcher script's own. */
  private static int[] inheritedFrom(long process) throws IOException {
    int[] all = Descriptors.inheritedFrom(process);
    Integer own = cancelPipe();
    if (own == null) {
      return all;
    }
    int count = 0;
    for (int number : all) {
      if (number != own) {
        all[count++] = number;
      }
    }
    return Arrays.copyOf(all, count);
  }

  /** Restores standard error, which is the null device while the JVM starts. */
  static void restoreError() {
    Integer number = Integer.getInteger(ScriptProtocol.ERROR);
    if (number == null) {
      return;
    }
    try (Descriptor error = Descriptor.adopt(number)) {
      StandardStream.ERROR.redirect(error);
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /** Whether the launcher script reads this JVM's exit status. */
  static boolean hasScript() {
    return Long.getLong(ScriptProtocol.CALLER) != null
        && !Boolean.getBoolean(ScriptProtocol.COPY)
        && !Boolean.getBoolean(ScriptProtocol.LEADER);
  }

  /** Whether a signal ends this JVM at once, instead of starting a shutdown beside the work. */
  static boolean leavesSignalsAlone() {
    return Long.getLong(ScriptProtocol.CALLER) != null || Boolean.getBoolean(ScriptProtocol.DIRECT);
  }

  /** Whether a parent waits for this JVM to end, so that this JVM cannot become the program. */
  boolean isWaiting() {
    return parent != 0;
  }

  /** Whether this JVM already leads the session that the daemon is to live in. */
  boolean hasMadeSession() {
    return Boolean.getBoolean(ScriptProtocol.LEADER);
  }

  /** The words of this process's command line, with one character for each byte. */
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

  /** The pipe by whose end the launcher script cancels a start; null if there is none. */
  static @Nullable Integer cancelPipe() {
    return Integer.getInteger(ScriptProtocol.CANCEL);
  }

  /**
   * Tells the launcher script that the program is ready: if something kills this JVM from now on,
   * the script leaves the program alone.
   */
  static void tellReady() {
    Integer pipe = cancelPipe();
    if (pipe == null) {
      return;
    }
    // The other end is the script's; opened again, this one can be written to.
    try (FileOutputStream end = new FileOutputStream("/proc/self/fd/" + pipe)) {
      end.write("ready\n".getBytes(StandardCharsets.US_ASCII));
    } catch (IOException unheard) {
      // The script would stop the program, which is what it does for one that is not ready.
      return;
    }
  }

  /** The process that waits for this JVM to end; 0 if there is none. */
  long parent() {
    return parent;
  }

  /** Whether the parent that waits for this JVM has ended. */
  boolean isGone() {
    return parent != 0 && ThisProcess.parent() != parent;
  }

  /**
   * Has SIGTERM end this JVM as soon as the parent ends that waits for it. That is forgotten when
   * this thread acts as another user, so what waits long asks again and again.
   */
  static void endWithParent() {
    Long parent = Long.getLong(ScriptProtocol.CALLER);
    if (parent == null || Boolean.getBoolean(ScriptProtocol.COPY)) {
      return;
    }
    try {
      ThisProcess.signalAtParentsEnd(Signal.TERM);
    } catch (PosixException refused) {
      // A system call filter: then this JVM goes on alone.
      return;
    }
    if (ThisProcess.parent() != parent) {
      Runtime.getRuntime().halt(Reason.SYSTEM.exitCode());
    }
  }

  /** The process that was called as this command: the launcher script, or this JVM. */
  long id() {
    return parent == 0 ? ThisProcess.id() : parent;
  }

  Environment environment() {
    return environment;
  }

  /** The caller's working directory; a path that does not exist if it was removed. */
  Path directory() {
    return directory;
  }

  /**
   * The caller's descriptors, in ascending order; null if they were not read, or cannot be told
   * from the JVM's.
   */
  int @Nullable [] descriptors() {
    return descriptors;
  }
}
