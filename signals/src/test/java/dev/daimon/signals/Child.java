package dev.daimon.signals;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A JVM of its own, since what these classes change is the process. */
final class Child {
  private Child() {}

  /** Runs {@link #main} under a prefix such as {@code nohup}, and returns the lines it prints. */
  static List<String> run(List<String> prefix, String... arguments) throws Exception {
    // Class files that any user may read, wherever the checkout is.
    Path classes = Files.createTempDirectory("daimon-signals");
    try {
      List<String> command = new ArrayList<>(prefix);
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
      command.add("--enable-native-access=ALL-UNNAMED");
      command.addAll(List.of("-cp", classPath(classes), Child.class.getName()));
      command.addAll(List.of(arguments));
      Path output = classes.resolve("output");
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
        throw new AssertionError((ended ? "failed: " : "too late: ") + lines);
      }
      return lines;
    } finally {
      shell("rm -r \"$1\"", classes.toString());
    }
  }

  private static String classPath(Path copy) throws Exception {
    Path posix =
        Path.of(PosixException.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path module = Path.of(System.getProperty("basedir"));
    String copied = copy.resolve(posix.getFileName()).toString();
    shell(
        "cp -r \"$1\" \"$2\"; cp -r \"$3/classes\" \"$4/main\"; cp -r \"$3/test-classes\" \"$4/test\""
            + "; chmod -R a+rX \"$4\"",
        posix.toString(),
        copied,
        module.resolve("target").toString(),
        copy.toString());
    return copied + ":" + copy.resolve("main") + ":" + copy.resolve("test");
  }

  private static void shell(String script, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", "-euc", script, "sh"));
    command.addAll(List.of(arguments));
    int status = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (status != 0) {
      throw new AssertionError(script + ": " + status);
    }
  }

  public static void main(String[] arguments) throws IOException {
    // The JDK takes signal 62 for itself when it first reads through a channel.
    printStatus("none");
    switch (arguments[0]) {
      case "reset" -> {
        print("ignored", Dispositions.ignored());
        print("caught", Dispositions.caught());
        printStatus("SigIgn");
        printStatus("SigCgt");
        Dispositions.resetIgnored();
        print("ignored", Dispositions.ignored());
        print("caught", Dispositions.caught());
        printStatus("SigIgn");
        printStatus("SigCgt");
      }
      case "mask" -> {
        print("blocked", SignalMask.current());
        printStatus("SigBlk");
        SignalMask.clear();
        print("blocked", SignalMask.current());
        printStatus("SigBlk");
        SignalMask.block(Signal.TERM, Signal.of(64), Signal.KILL, Signal.of(32));
        SignalMask.block(Signal.USR2);
        print("blocked", SignalMask.current());
        printStatus("SigBlk");
      }
      case "kill" -> {
        try {
          Kill.send(Long.parseLong(arguments[1]), Signal.TERM);
          System.out.println("sent");
        } catch (PosixException refused) {
          System.out.println(refused.getMessage());
        }
      }
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static void print(String title, Set<Signal> signals) {
    long bits = 0;
    for (Signal signal : signals) {
      bits |= 1L << (signal.number() - 1);
    }
    System.out.println(title + " " + hex(bits));
  }

  /** What the kernel says of the calling thread. */
  private static void printStatus(String field) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/thread-self/status"))) {
      if (line.startsWith(field + ":")) {
        System.out.println("kernel " + line.substring(field.length() + 1).strip());
      }
    }
  }

  /** A set of signals as the kernel prints it. */
  static String hex(long bits) {
    String digits = Long.toHexString(bits);
    return "0".repeat(16 - digits.length()) + digits;
  }
}
