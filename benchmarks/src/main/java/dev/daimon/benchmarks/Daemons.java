package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The daemons that are started from the shell, by Daimon and by others, and how each is stopped.
 */
final class Daemons {
  private static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";

  private final Lab lab;
  private final Path work;

  Daemons(Lab lab) throws IOException {
    this.lab = lab;
    work = Files.createTempDirectory(lab.work, "daemons");
  }

  /** The hello world in which the time of everything that boots a JVM is counted. */
  void world(Stopwatch watch, String name, String... options)
      throws IOException, InterruptedException {
    watch.time(name, java(lab.java(), List.of(options), lab.world(), "World"));
  }

  /**
   * The command with {@code /bin/true}, which ends at once and leaves a pidfile to be taken over.
   */
  void start(Stopwatch watch, String name, String command) {
    watch.time(name, command, "start", "-p", work + "/start.pid", "--", "/bin/true");
  }

  /** A hello daemon that daemonizes itself. */
  void hello(Stopwatch watch, String name, String... options)
      throws IOException, InterruptedException {
    String pidFile = work + "/hello.pid";
    watch.time(name, hello(pidFile, List.of(options))).then(lab.daimon(), "stop", "-p", pidFile);
  }

  List<String> hello(String pidFile, List<String> options)
      throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(options);
    words.addFirst(NATIVE_ACCESS);
    return java(lab.java(), words, helloClassPath(), "Hello", pidFile);
  }

  /** Jars only, since an archive of classes allows no directories; Daimon in one, as in use. */
  private String helloClassPath() throws IOException, InterruptedException {
    String daimon = lab.root.resolve("examples/hello/target/hello.jar").toString();
    return lab.jar("Hello", daimon) + ":" + daimon;
  }

  /**
   * An archive as a user makes it: launcher and daemon each list the classes that they load, and
   * one archive of both lists serves both.
   */
  String archive(String... options) throws IOException, InterruptedException {
    Path lists = Files.createTempDirectory(work, "archive");
    Path pidFile = lists.resolve("pid");
    List<String> words = new ArrayList<>(List.of(options));
    words.add("-XX:DumpLoadedClassList=" + lists + "/%p.list");
    lab.call(hello(pidFile.toString(), words).toArray(String[]::new));
    lab.call(lab.daimon(), "stop", "-p", pidFile.toString());
    List<String> merged = new ArrayList<>();
    try (var found = Files.newDirectoryStream(lists, "*.list")) {
      for (Path list : found) {
        for (String line : Files.readAllLines(list)) {
          // Each list gives a class another number.
          String one = line.replaceFirst(" id: \\d+$", "");
          if (!one.startsWith("#")) {
            merged.add(one);
          }
        }
      }
    }
    Path list = Files.write(lists.resolve("merged"), merged.stream().distinct().toList());
    Path archive = lists.resolve("archive.jsa");
    List<String> dump = new ArrayList<>(List.of(lab.java(), NATIVE_ACCESS));
    dump.addAll(List.of(options));
    dump.addAll(List.of("-Xshare:dump", "-XX:+AOTClassLinking", "-XX:SharedClassListFile=" + list));
    dump.addAll(List.of("-XX:SharedArchiveFile=" + archive, "-cp", helloClassPath()));
    lab.call(dump.toArray(String[]::new));
    return "-XX:SharedArchiveFile=" + archive;
  }

  /** A hello daemon of akuma's, and a hello world on its JDK 17; false without a JDK 17. */
  boolean akuma(Stopwatch watch, String world, String name)
      throws IOException, InterruptedException {
    String java = lab.java17();
    if (java == null) {
      lab.miss("akuma's JDK 17 (Debian: openjdk-17-jre-headless)");
      return false;
    }
    String fifo = work + "/fifo";
    if (!Files.exists(Path.of(fifo))) {
      lab.call("mkfifo", fifo);
    }
    watch
        .time(world, java(java, List.of(), lab.world(), "World"))
        // Its launcher does not wait for the daemon, so the daemon reports itself.
        .tryToTime(name, "sh", "-c", "\"$@\" & timeout 3 cat " + fifo + " | grep -q R", "sh")
        .words(akuma(java, work + "/akuma.pid", fifo))
        .then("sh", "-c", "test ! -e " + work + "/akuma.pid || kill $(cat " + work + "/akuma.pid)");
    return true;
  }

  List<String> akuma(String java, String pidFile, String fifo)
      throws IOException, InterruptedException {
    String jars = lab.jars("akuma-", "jna-");
    String classPath = lab.jar("AkumaHello", jars, "--release", "17") + ":" + jars;
    return java(java, List.of(), classPath, "AkumaHello", pidFile, fifo);
  }

  /** A hello daemon of jsvc's, whose start takes seconds. */
  boolean jsvc(Stopwatch watch, String name) throws IOException, InterruptedException {
    List<String> start = jsvc(work + "/jsvc.pid", "-wait", "10");
    if (start == null) {
      return false;
    }
    watch.time(name, start).then(jsvc(work + "/jsvc.pid", "-stop").toArray(String[]::new));
    return true;
  }

  @Nullable List<String> jsvc(String pidFile, String... words)
      throws IOException, InterruptedException {
    String jsvc = lab.peer("jsvc", "jsvc");
    if (jsvc == null) {
      return null;
    }
    String jars = lab.jars("commons-daemon-");
    String classPath = lab.jar("JsvcHello", jars, "--release", "17") + ":" + jars;
    List<String> command = new ArrayList<>(List.of(words));
    command.addFirst(jsvc);
    command.addAll(List.of("-home", lab.jdk.toString(), "-pidfile", pidFile));
    command.addAll(List.of("-cp", classPath, "JsvcHello"));
    return command;
  }

  /** A start by Debian's start-stop-daemon; null if that is not installed. */
  @Nullable List<String> startStopDaemon(String pidFile, String program, String... arguments) {
    String dpkg = lab.peer("start-stop-daemon", "dpkg");
    if (dpkg == null) {
      return null;
    }
    List<String> command = new ArrayList<>(List.of(dpkg, "--start", "--background"));
    command.addAll(List.of("--make-pidfile", "--pidfile", pidFile, "--exec", program, "--"));
    command.addAll(List.of(arguments));
    return command;
  }

  private static List<String> java(
      String java, List<String> options, String classPath, String... main) {
    List<String> command = new ArrayList<>(options);
    command.addFirst(java);
    command.addAll(List.of("-cp", classPath));
    command.addAll(List.of(main));
    return command;
  }
}
