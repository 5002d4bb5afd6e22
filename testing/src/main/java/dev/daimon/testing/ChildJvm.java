package dev.daimon.testing;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@code main} of a test in a JVM of its own: for what would change this JVM permanently, or
 * needs two processes, or has to be started in a certain way.
 *
 * <pre>{@code
 * List<String> lines =
 *     ChildJvm.of(Mask.class).startedBy("env", "--block-signal=USR1").run("argument").lines();
 * }</pre>
 *
 * <p>The JVM has on its class path the modules under test, their tests, and this package; of the
 * test libraries only those that it is {@linkplain #with given}.
 */
public final class ChildJvm {
  /**
   * A command that becomes nobody. The class files should be {@linkplain #copied copied} for it.
   */
  public static final List<String> AS_NOBODY =
      List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");

  /**
   * A command that starts another one as the first process of a PID namespace, whose {@code /proc}
   * is still that of the outer namespace. There the ids from 5 to 300 are processes that were
   * forked and have executed nothing. It takes root.
   */
  public static final List<String> WITH_FOREIGN_PROC =
      List.of(
          "unshare",
          "--pid",
          "--fork",
          "--kill-child",
          "--mount-proc",
          "sh",
          "-c",
          "p=$(mktemp -u); mkfifo $p; exec 3<>$p; rm $p;"
              + " while [ \"$!\" != 300 ]; do read x <&3 & done; exec \"$@\" 3<&-",
          "sh",
          "unshare",
          "--pid",
          "--fork",
          "--kill-child");

  private static final int DEADLINE_SECONDS = 60;

  /** What the name of a file with shared classes has behind that of their archive. */
  private static final String SHARED = "." + System.getProperty("java.vm.version") + ".jsa";

  private final Class<?> main;
  private final List<String> prefix = new ArrayList<>();
  private final List<String> options = new ArrayList<>();
  private final List<Class<?>> libraries = new ArrayList<>();
  private @Nullable Path copies;
  private boolean denied;

  /**
   * How a JVM ended, and what it printed, one character a byte.
   *
   * @param pid the process that was started: the JVM, if the commands before it only execute it
   * @param exit its exit code, or 128 and the signal that ended it
   * @param out its standard output
   * @param err its standard error
   */
  public record Result(long pid, int exit, String out, String err) {
    /** Returns the output, stripped, of a JVM that must have exited with 0 and printed no error. */
    public String output() {
      if (exit != 0 || !err.isEmpty()) {
        throw new AssertionError("the child JVM failed: " + this);
      }
      return out.strip();
    }

    /** Returns the lines of {@link #output()}, where white space counts. */
    public List<String> lines() {
      output();
      return out.lines().toList();
    }
  }

  private ChildJvm(Class<?> main) {
    this.main = main;
  }

  /** Returns a JVM for the {@code main} of this class. */
  public static ChildJvm of(Class<?> main) {
    return new ChildJvm(main);
  }

  /**
   * Starts it by another program, such as {@code nohup} or {@code env A=B}; the first one first.
   */
  public ChildJvm startedBy(String... command) {
    return startedBy(List.of(command));
  }

  /** Starts it by another program, such as {@link #AS_NOBODY}. */
  public ChildJvm startedBy(List<String> command) {
    prefix.addAll(command);
    return this;
  }

  /**
   * Starts it in the C locale and in a new directory, whose name that locale cannot decode: {@code
   * user.dir} is another path.
   *
   * @param parent where the directory is made
   */
  public ChildJvm inUndecodableDirectory(Path parent) {
    String script =
        "d=$0/gr$(printf '\\303\\266\\303\\237')e; mkdir -p \"$d\"; cd \"$d\" && exec \"$@\"";
    return startedBy("env", "LC_ALL=C", "sh", "-c", script, parent.toString());
  }

  /** Adds an option of the JVM. */
  public ChildJvm option(String option) {
    options.add(option);
    return this;
  }

  /** Adds to its class path the archives that these classes are in. */
  public ChildJvm with(Class<?>... types) {
    libraries.addAll(List.of(types));
    return this;
  }

  /** Denies it native access. */
  public ChildJvm deniedNativeAccess() {
    denied = true;
    return this;
  }

  /**
   * Takes the class files from a copy that every user can read, wherever the checkout is.
   *
   * @param directory where to copy them; it becomes searchable by every user
   */
  public ChildJvm copied(Path directory) {
    copies = directory;
    return this;
  }

  /** Runs the JVM to its end, without an input; throws if that takes more than a minute. */
  public Result run(Object... arguments) throws IOException, InterruptedException {
    List<String> command = command(arguments);
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

  /** Starts the JVM for the test to talk to and to end; it has this JVM's standard error. */
  public Process start(Object... arguments) throws IOException, InterruptedException {
    return new ProcessBuilder(command(arguments))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private List<String> command(Object... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    // In /tmp, by process id: two PID namespaces at the same time make each other's JVMs complain.
    command.add("-XX:-UsePerfData");
    command.add("-XX:-CreateCoredumpOnCrash");
    command.add("-XX:ErrorFile=" + Path.of("target/hs_err_%p.log").toAbsolutePath());
    command.add(denied ? "--illegal-native-access=deny" : "--enable-native-access=ALL-UNNAMED");
    command.addAll(options);
    command.addAll(sharing());
    command.addAll(List.of("-cp", classPath(), main.getName()));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return command;
  }

  /** The class path that such a JVM has. */
  public String classPath() throws IOException, InterruptedException {
    // This package first: its archive is then open before a main counts its descriptors.
    List<String> places = new ArrayList<>(List.of(root(ChildJvm.class), root(main)));
    for (Class<?> library : libraries) {
      places.add(root(library));
    }
    places.addAll(moduleArchives());
    // The classes that are shared have to be from the first archive.
    String shared = sharedArchive();
    if (shared != null && places.remove(shared)) {
      places.addFirst(shared);
    }
    if (copies != null) {
      for (int i = 0; i < places.size(); i++) {
        Path original = Path.of(places.get(i));
        Path copy = copies.resolve(i + original.getFileName().toString());
        Command.run("cp", "-rT", original.toString(), copy.toString());
        Command.run("chmod", "-R", "a+rX", copy.toString());
        places.set(i, copy.toString());
      }
      Command.run("chmod", "a+rx", copies.toString());
    }
    return String.join(File.pathSeparator, places);
  }

  /**
   * The option with which the JVM shares classes that the build has archived (make-archive.sh), and
   * starts in two thirds of the time. Empty if it cannot: other options may not go with it, and
   * copies are not what was archived.
   */
  public List<String> sharing() {
    String shared = options.isEmpty() && !denied ? sharedArchive() : null;
    return shared == null ? List.of() : List.of("-XX:SharedArchiveFile=" + shared + SHARED);
  }

  private @Nullable String sharedArchive() {
    for (String place : copies == null ? moduleArchives() : List.<String>of()) {
      if (Files.exists(Path.of(place + SHARED))) {
        return place;
      }
    }
    return null;
  }

  /** The module under test and what it requires; an IDE may put everything on the class path. */
  private static List<String> moduleArchives() {
    String modules = System.getProperty("jdk.module.path", System.getProperty("java.class.path"));
    return Arrays.asList(modules.split(File.pathSeparator, -1));
  }

  /** The directory or archive of a class; its code source would be the module that it patches. */
  static String root(Class<?> type) {
    String file = "/" + type.getName().replace('.', '/') + ".class";
    String url = Objects.requireNonNull(type.getResource(file)).toString();
    String root = url.substring(0, url.length() - file.length());
    if (root.startsWith("jar:")) {
      root = root.substring("jar:".length(), root.length() - "!".length());
    }
    return Path.of(URI.create(root)).toString();
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.ISO_8859_1);
  }
}
