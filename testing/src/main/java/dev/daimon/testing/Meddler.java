package dev.daimon.testing;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A process that unlinks, renames and recreates a pidfile all the while; it needs Python. What it
 * writes is nothing, or {@link #STALE}.
 */
final class Meddler implements AutoCloseable {
  /** The process id of nobody: the largest one that Linux can be told to use is less. */
  static final String STALE = "4194304\n";

  private static final String SCRIPT =
      """
      import fcntl, os, random, sys, time

      path, stale, how, choices = sys.argv[1], sys.argv[2], sys.argv[3], random.Random(int(sys.argv[4]))

      def make(text):
          with open(path + ".new", "w") as new:
              new.write(text)
          os.rename(path + ".new", path)

      deeds = [lambda: os.unlink(path), lambda: os.rename(path, path + ".old")]
      if how != "REMOVES":
          deeds += [lambda: make(""), lambda: make(stale)]
      if how == "REPLACES":
          deeds.append(lambda: os.rename(path + ".old", path))

      # The rule: who unlinks or replaces the file holds its lock.
      def meddle_under_the_lock():
          file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
          try:
              fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
              if os.path.samestat(os.fstat(file), os.stat(path)):
                  choices.choice(deeds)()
          finally:
              os.close(file)

      while True:
          try:
              if how == "OBEYS":
                  meddle_under_the_lock()
              else:
                  choices.choice(deeds)()
          except OSError:
              pass
          # From a tenth of a millisecond: up to two, or, with starts to fall for it, up to half a second.
          time.sleep(10 ** choices.uniform(-4, -2.7 if how == "OBEYS" else -0.3))
      """;

  private final Process process;

  Meddler(ProcessSandbox sandbox, Path pidFile, Meddling how, Random random) throws IOException {
    process =
        sandbox
            .prepare(
                List.of(
                    "python3",
                    "-c",
                    SCRIPT,
                    pidFile.toString(),
                    STALE,
                    how.name(),
                    Long.toString(random.nextInt(Integer.MAX_VALUE))),
                Map.of())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
  }

  long pid() {
    return process.pid();
  }

  /** Ends it; throws if it had ended before. */
  @Override
  public void close() {
    boolean failed = !process.isAlive();
    process.destroyForcibly().onExit().join();
    if (failed) {
      throw new AssertionError("nobody meddled: exit status " + process.exitValue());
    }
  }
}
