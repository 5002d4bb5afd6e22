package dev.daimon.forking;

import dev.daimon.posix.Signal;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;

/**
 * A program that is still running, as {@code /proc} shows it. Closing kills it.
 *
 * <p>A {@code vfork} ends in the midst of an exec: the kernel closes descriptors and lays out the
 * arguments a moment later. So the program is looked at when it sleeps.
 */
final class Running implements AutoCloseable {
  /** How it is killed for good. */
  private interface End {
    void end() throws IOException;
  }

  private final long pid;
  private final End end;

  private Running(long pid, End end) {
    this.pid = pid;
    this.end = end;
  }

  /** A program that stays until it is killed. */
  static Program sleeper() {
    return Program.at(Path.of("/bin/sleep")).arguments("120");
  }

  static Running start(Program program) throws IOException {
    Child child = program.spawn();
    Running running =
        new Running(
            child.pid(),
            () -> {
              child.signal(Signal.KILL);
              child.waitFor();
            });
    awaitSleep(running.pid());
    return running;
  }

  /** A program that was detached, and all of its group. */
  static Running of(Detached detached) throws IOException {
    Running running =
        new Running(
            detached.pid(),
            () -> {
              detached.signalGroup(Signal.KILL);
              awaitEnd(detached.pid());
              detached.close();
            });
    awaitSleep(running.pid());
    return running;
  }

  /** Waits until a process that is no child has ended; whether init has reaped it is not ours. */
  static void awaitEnd(long pid) throws IOException {
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (!hasEnded(pid)) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("process " + pid + " does not end");
      }
      Thread.onSpinWait();
    }
  }

  private static boolean hasEnded(long pid) throws IOException {
    try {
      return Proc.status(Long.toString(pid), "State").startsWith("Z");
    } catch (IOException gone) {
      return true;
    }
  }

  /** Waits until a program has been executed altogether, and sleeps in a system call of its own. */
  static void awaitSleep(long pid) throws IOException {
    Path process = Path.of("/proc/" + pid);
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (Files.readAllBytes(process.resolve("cmdline")).length == 0
        || !Proc.status(Long.toString(pid), "State").startsWith("S")) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("process " + pid + " does not sleep");
      }
      Thread.onSpinWait();
    }
  }

  long pid() {
    return pid;
  }

  /** Its open descriptors and where each leads. */
  SortedMap<Integer, String> descriptors() throws IOException {
    return Proc.descriptors(Long.toString(pid()));
  }

  Path workingDirectory() throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/" + pid() + "/cwd"));
  }

  /** A field of its status, such as {@code SigIgn}. */
  String status(String field) throws IOException {
    return Proc.status(Long.toString(pid()), field);
  }

  /** Its words, argv[0] first; one character a byte. */
  List<String> commandLine() throws IOException {
    byte[] line = Files.readAllBytes(Path.of("/proc/" + pid() + "/cmdline"));
    return Arrays.asList(new String(line, StandardCharsets.ISO_8859_1).split("\0"));
  }

  @Override
  public void close() throws IOException {
    end.end();
  }
}
