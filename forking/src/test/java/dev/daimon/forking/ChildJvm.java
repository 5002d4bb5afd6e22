package dev.daimon.forking;

import dev.daimon.posix.PosixException;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a {@code main} in a JVM of its own, for what would harm this one; with a deadline. */
final class ChildJvm {
  /** Becomes nobody before the JVM starts; needs {@link #copied(Path)}. */
  static final String[] AS_NOBODY = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};

  private static final int DEADLINE_SECONDS = 60;

  private final Class<?> main;
  private final List<String> prefix = new ArrayList<>();
  private final List<String> options = new ArrayList<>();
  private Path classes = Path.of("");

  /** Its pid, how it ended, and what it printed; one character a byte. */
  record Result(long pid, int exit, String out, String err) {
    /** The lines printed by a JVM that ended well. */
    List<String> lines() {
      if (exit != 0 || !err.isEmpty()) {
        throw new AssertionError("the child JVM failed: " + this);
      }
      return out.lines().toList();
    }
  }

  private ChildJvm(Class<?> main) {
    this.main = main;
  }

  /** A JVM for this class, which must do without the test libraries. */
  static ChildJvm of(Class<?> main) {
    return new ChildJvm(main);
  }

  /** Starts it by another program, such as {@code nohup}. */
  ChildJvm startedBy(String... command) {
    prefix.addAll(List.of(command));
    return this;
  }

  /** Adds an option of the JVM. */
  ChildJvm option(String option) {
    options.add(option);
    return this;
  }

  /** Takes the classes from a copy that every user can read, wherever the checkout is. */
  ChildJvm copied(Path directory) {
    classes = directory;
    return this;
  }

  /** Runs it to its end. */
  Result run(Object... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(prefix);
    command.add(System.getProperty("java.home") + "/bin/java");
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-XX:+UseSerialGC");
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(options);
    command.add("-cp");
    command.add(classPath());
    command.add(main.getName());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    Path out = Files.createTempFile("daimon-child", ".out");
    Path err = Files.createTempFile("daimon-child", ".err");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectInput(new File("/dev/null"))
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
        throw new AssertionError("not done in time: " + command + text(out) + text(err));
      }
      return new Result(process.pid(), process.exitValue(), text(out), text(err));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  private String classPath() throws IOException, InterruptedException {
    List<String> places = new ArrayList<>();
    for (Class<?> owner : List.of(PosixException.class, Program.class)) {
      places.add(location(owner));
    }
    places.add(Path.of("target/test-classes").toAbsolutePath().toString());
    if (!classes.toString().isEmpty()) {
      for (int i = 0; i < places.size(); i++) {
        Path original = Path.of(places.get(i));
        Path copy = classes.resolve(i + original.getFileName().toString());
        copy(original, copy);
        places.set(i, copy.toString());
      }
    }
    return String.join(File.pathSeparator, places);
  }

  private static String location(Class<?> owner) {
    try {
      return Path.of(owner.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    } catch (URISyntaxException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static void copy(Path from, Path to) throws IOException, InterruptedException {
    String script = "cp -r \"$1\" \"$2\" && chmod -R a+rX \"$2\" && chmod a+rx \"$3\"";
    Process process =
        new ProcessBuilder(
                "sh", "-c", script, "sh", from.toString(), to.toString(), to.getParent().toString())
            .inheritIO()
            .start();
    if (process.waitFor() != 0) {
      throw new AssertionError("cannot copy " + from);
    }
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.ISO_8859_1);
  }
}
