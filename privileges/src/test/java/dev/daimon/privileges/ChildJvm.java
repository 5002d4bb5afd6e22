package dev.daimon.privileges;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.concurrent.TimeUnit.SECONDS;

import dev.daimon.posix.PosixException;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs {@link Child} in a JVM of its own, since a change of identity is for good, and with accounts
 * of its own: in a mount namespace, so that the machine's are not touched.
 */
final class ChildJvm {
  /** Becomes nobody before the JVM starts. */
  static final List<String> AS_NOBODY =
      List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");

  private static final String PASSWD =
      """
      root:x:0:0:root:/root:/bin/sh
      worker:x:7001:7001::/home/w\u00f6rker:/bin/sh
      4242:x:7002:7002::/h:/bin/sh
      homeless:x:7003:7010:::/bin/sh
      huge:x:4294967294:4294967293::/:/bin/sh
      nobody:x:65534:65534:nobody:/nonexistent:/bin/sh
      """;

  private static final String GROUP =
      """
      root:x:0:
      worker:x:7001:
      extra:x:7010:worker
      more:x:7011:4242,worker,huge
      5150:x:7020:
      nogroup:x:65534:
      """;

  private static final String NAMESPACE =
      "mount --bind \"$1/passwd\" /etc/passwd; mount --bind \"$1/group\" /etc/group; shift; exec"
          + " \"$@\"";

  private ChildJvm() {}

  /** Returns the lines that a part of {@link Child} prints. */
  static List<String> run(List<String> prefix, String... arguments) throws Exception {
    // Readable by any user, wherever the checkout is.
    Path directory = Files.createTempDirectory("daimon-privileges");
    try {
      Files.writeString(directory.resolve("passwd"), PASSWD, ISO_8859_1);
      Files.writeString(directory.resolve("group"), GROUP, ISO_8859_1);
      String classPath = copyClasses(directory);
      List<String> command =
          new ArrayList<>(List.of("unshare", "--mount", "--propagation", "private"));
      command.addAll(List.of("sh", "-euc", NAMESPACE, "sh", directory.toString()));
      command.addAll(prefix);
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
      command.add("--enable-native-access=ALL-UNNAMED");
      command.addAll(List.of("-cp", classPath, Child.class.getName()));
      command.addAll(List.of(arguments));
      Path output = directory.resolve("output");
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(new File("/dev/null"))
              .redirectOutput(output.toFile())
              .start();
      boolean ended = process.waitFor(60, SECONDS);
      process.destroyForcibly().waitFor();
      List<String> lines = Files.readAllLines(output);
      if (!ended || process.exitValue() != 0) {
        throw new AssertionError(
            (ended ? "failed: " : "too late: ") + String.join(System.lineSeparator(), lines));
      }
      return lines;
    } finally {
      shell("rm -r \"$1\"", directory.toString());
    }
  }

  private static String copyClasses(Path directory) throws Exception {
    Path posix =
        Path.of(PosixException.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path target = Path.of(System.getProperty("basedir"), "target");
    shell(
        "cp -r \"$1\" \"$2\"; cp -r \"$4/classes\" \"$3/main\""
            + "; cp -r \"$4/test-classes\" \"$3/test\"; chmod -R a+rX \"$3\"",
        posix.toString(),
        directory.resolve(posix.getFileName()).toString(),
        directory.toString(),
        target.toString());
    return directory.resolve(posix.getFileName())
        + ":"
        + directory.resolve("main")
        + ":"
        + directory.resolve("test");
  }

  private static void shell(String script, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", "-euc", script, "sh"));
    command.addAll(List.of(arguments));
    int status = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (status != 0) {
      throw new AssertionError(script + ": " + status);
    }
  }
}
