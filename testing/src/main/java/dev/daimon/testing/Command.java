package dev.daimon.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Tools of the system that the tests prepare and compare with, such as {@code mkfifo}. */
public final class Command {
  private Command() {}

  /**
   * Runs a command, which must end well. Its errors go to this JVM's.
   *
   * @return what it prints, stripped
   */
  public static String run(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    process.getOutputStream().close();
    byte[] output = process.getInputStream().readAllBytes();
    if (process.waitFor() != 0) {
      throw new AssertionError(List.of(command) + " ended with " + process.exitValue());
    }
    return new String(output, StandardCharsets.UTF_8).strip();
  }

  /**
   * Sends a signal by the shell's own {@code kill}: the command of that name is in a package that
   * not every machine has.
   *
   * @param signal its name, such as {@code TERM}
   * @param pid a process, or a process group if it is negative
   */
  public static void kill(String signal, long pid) throws IOException, InterruptedException {
    String _ = run("sh", "-c", "kill -s " + signal + " -- " + pid);
  }
}
