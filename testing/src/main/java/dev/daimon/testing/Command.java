package dev.daimon.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs tools of the system for tests, such as {@code mkfifo}. */
public final class Command {
  private Command() {}

  /**
   * Runs a command, which must exit with 0. It has this JVM's standard error.
   *
   * @return its output, stripped
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
   * Sends a signal by the shell's built-in {@code kill}: the package with the command of that name
   * is not on every machine.
   *
   * @param signal its name, such as {@code TERM}
   * @param pid a process, or a process group if it is negative
   */
  public static void kill(String signal, long pid) throws IOException, InterruptedException {
    if (pid == 0 || pid == -1) {
      // 0 would be the process group of the build itself, and -1 the whole machine.
      throw new IllegalArgumentException("not a process or group: " + pid);
    }
    String _ = run("sh", "-c", "kill -s " + signal + " -- " + pid);
  }
}
