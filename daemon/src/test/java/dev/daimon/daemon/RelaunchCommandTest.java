package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The program runs twice, with the same command line. */
class RelaunchCommandTest {
  @RegisterExtension final Facade facade = new Facade();

  /** Starts threads and opens sockets and files before it becomes a daemon. */
  static final class Busy {
    private static final int THREADS = 50;
    private static final List<Object> HELD = new ArrayList<>();

    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      note(directory, "runs");
      for (int i = 0; i < THREADS; i++) {
        Thread thread = new Thread(Busy::stay);
        thread.setDaemon(i % 2 == 0);
        thread.start();
        HELD.add(new Socket(InetAddress.getLoopbackAddress(), listening().getLocalPort()));
        HELD.add(Files.newInputStream(directory.resolve("runs")));
      }
      if (Daemonizer.stage() == Stage.LAUNCHER) {
        for (int i = 0; i < 20; i++) {
          byte[] memory = new byte[100 << 20];
          for (int page = 0; page < memory.length; page += 4096) {
            memory[page] = 1;
          }
          HELD.add(memory);
        }
        Words.tell(directory, "resident", Proc.status("self", "VmRSS").replace(" kB", ""));
      }
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        note(directory, "returns");
        daemon.ready();
        Words.stay();
      }
    }

    private static ServerSocket listening() throws IOException {
      ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
      HELD.add(server);
      return server;
    }

    private static void stay() {
      try {
        Words.stay();
      } catch (InterruptedException over) {
        Thread.currentThread().interrupt();
      }
    }

    private static void note(Path directory, String file) throws IOException {
      Files.writeString(
          directory.resolve(file),
          Daemonizer.stage() + " ",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    }
  }

  @Test
  void aMainMayHaveThreadsAndFilesAndSocketsAndTwoGigabytesOfHeap() throws Exception {
    List<String> command = facade.java(List.of("-Xmx3g"), Busy.class);

    assertThat(facade.run(command, Map.of())).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    assertThat(Long.parseLong(facade.awaitText("resident"))).isGreaterThan(2_000_000);
    assertThat(facade.file("runs")).hasContent("LAUNCHER DAEMON ");
    assertThat(facade.file("returns")).hasContent("DAEMON ");
    assertThat(Facade.status(facade.running().pid(), "PPid")).isEqualTo("1");
  }

  /** Writes down in each run what it was started with. */
  static final class Tells {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      String stage = Daemonizer.stage().name();
      copy("/proc/self/cmdline", directory.resolve(stage + ".cmdline"));
      copy("/proc/self/environ", directory.resolve(stage + ".environ"));
      Words.tell(
          directory,
          stage,
          new TreeMap<>(System.getenv())
              + "\n"
              + List.of(args)
              + "\n"
              + System.getProperty("text")
              + "\n"
              + Files.readString(Daemonizer.launchDirectory().resolve("relative")));
      Words.tell(
          directory,
          "directories",
          System.getProperty("user.dir") + " " + Files.readSymbolicLink(Path.of("/proc/self/cwd")));
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args[0]).build())) {
        daemon.ready();
        Words.stay();
      }
    }

    private static void copy(String from, Path to) throws IOException {
      Files.write(to, Files.readAllBytes(Path.of(from)));
    }
  }

  /** A variable name that no shell accepts, a value and a directory that are not UTF-8. */
  private static final String HOSTILE =
      """
      mkdir $'d\\xff' && cd $'d\\xff' && echo here > relative
      exec env LC_ALL=C 'a.b=c' 'x y=1' $'latin=\\xe9\\xff' $'\\xe9=name' 'empty=' "$@" \
        $'latin\\xe9' $'\\xe6\\x97\\xa5' '' ' ' '@file' '*' '-Dtext=other'\
      """;

  @Test
  void everyByteOfTheCommandLineAndOfTheEnvironmentArrives() throws Exception {
    List<String> command = new ArrayList<>(List.of("bash", "-c", HOSTILE, "bash"));
    List<String> java = facade.java(List.of("-Dtext=ö"), Tells.class);
    int classPath = java.indexOf("-cp") + 1;
    java.set(classPath, "some:../other:" + java.get(classPath));
    command.addAll(java);

    assertThat(facade.run(command, Map.of())).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    List<String> launchers = new ArrayList<>(words("LAUNCHER.cmdline"));
    String here = facade.directory() + "/d\u00ff/";
    String absolute = launchers.get(classPath);
    launchers.set(
        classPath, absolute.replace("some:../other:", here + "some:" + here + "../other:"));
    assertThat(words("DAEMON.cmdline"))
        .isEqualTo(launchers)
        .endsWith("latin\u00e9", "\u00e6\u0097\u00a5", "", " ", "@file", "*", "-Dtext=other")
        .contains("-Dtext=\u00c3\u00b6");
    assertThat(words("DAEMON.environ"))
        .isEqualTo(words("LAUNCHER.environ"))
        .contains("a.b=c", "x y=1", "latin=\u00e9\u00ff", "\u00e9=name", "empty=", "LC_ALL=C");
    assertThat(facade.awaitText("DAEMON"))
        .isEqualTo(facade.awaitText("LAUNCHER"))
        .contains("a.b=c", "x y=1")
        .endsWith("here\n");
    assertThat(facade.awaitText("directories")).isEqualTo("/ /");
  }

  private List<String> words(String file) throws IOException {
    return Facade.strings(facade.file(file));
  }

  /** Reads its standard input in each run. */
  static final class Reads {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      Stage stage = Daemonizer.stage();
      Words.tell(directory, stage.name(), read(System.in));
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.ready();
        Words.stay();
      }
    }

    private static String read(InputStream input) {
      try {
        int read = input.read();
        return read < 0 ? "end" : Character.toString(read);
      } catch (IOException failure) {
        return "failure";
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "pipe, printf data | \"$@\", d",
    "file, printf data > file; \"$@\" < file, d",
    "socket, \"$@\" <> /dev/tcp/127.0.0.1/$PORT, s",
    "null device, \"$@\" < /dev/null, end",
  })
  void whateverStandardInputIsTheDaemonReadsItsEnd(String kind, String script, String read)
      throws Exception {
    try (ServerSocket server = new ServerSocket(0, 9, InetAddress.getLoopbackAddress())) {
      Thread speaker = new Thread(() -> speak(server));
      speaker.start();
      List<String> command = new ArrayList<>(List.of("bash", "-c", script, "bash"));
      command.addAll(facade.java(List.of(), Reads.class));
      Map<String, String> port = Map.of("PORT", Integer.toString(server.getLocalPort()));

      assertThat(facade.run(command, port)).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    }

    assertThat(facade.awaitText("LAUNCHER")).describedAs(kind).isEqualTo(read);
    assertThat(facade.awaitText("DAEMON")).describedAs(kind).isEqualTo("end");
  }

  /** Answers every connection. */
  private static void speak(ServerSocket server) {
    try {
      while (true) {
        Socket socket = server.accept();
        socket.getOutputStream().write('s');
      }
    } catch (IOException closed) {
      return;
    }
  }

  /** Becomes a daemon after its {@code java} was replaced. */
  static final class Upgraded {
    public static void main(String[] args) throws Exception {
      Path java = Path.of(args[1]);
      if (Daemonizer.stage() == Stage.LAUNCHER) {
        Path other = Files.copy(java, java.resolveSibling("other"));
        Files.move(other, java, StandardCopyOption.REPLACE_EXISTING);
      }
      try (Daemon daemon =
          Daemonizer.daemonize(Words.config(args[0]).jvmArguments("-Dnew=yes").build())) {
        Words.tell(Path.of(args[0]), "new", System.getProperty("new", "no"));
        daemon.ready();
        Words.stay();
      }
    }
  }

  @Test
  void theDaemonRunsOnTheJavaThatHasReplacedItsLaunchers() throws Exception {
    // The copy uses the libraries of the real one.
    Path home = Path.of(System.getProperty("java.home"));
    Path java = Files.createDirectories(facade.file("jdk/bin")).resolve("java");
    Files.copy(home.resolve("bin/java"), java);
    Files.createSymbolicLink(facade.file("jdk/lib"), home.resolve("lib"));
    Files.createSymbolicLink(facade.file("jdk/conf"), home.resolve("conf"));
    List<String> command = facade.java(List.of(), Upgraded.class, java.toString());
    command.set(0, java.toString());

    assertThat(facade.run(command, Map.of())).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    assertThat(facade.awaitText("new")).isEqualTo("yes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"append", "inherit"})
  void closedStandardStreamsDoNoHarm(String word) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("bash", "-c", "\"$@\" <&- >&- 2>&-; echo $?", "bash"));
    command.addAll(facade.java(List.of(), Words.Stays.class, word));

    assertThat(facade.run(command, Map.of()).out()).isEqualTo("0\n");

    String process = Long.toString(facade.running().pid());
    Facade.awaitTakeOver(process);
    assertThat(Proc.descriptors(process))
        .containsEntry(0, "/dev/null")
        .containsEntry(1, "/dev/null")
        .containsEntry(2, "/dev/null");
  }

  /** Has its files where it was started, and its daemon another locale. */
  static final class InAnotherLocale {
    public static void main(String[] args) throws Exception {
      Path here = Daemonizer.launchDirectory();
      DaemonConfig config =
          DaemonConfig.builder()
              .pidFile(here.resolve("pid"))
              .standardOutput(here.resolve("x.out"))
              .workingDirectory(here)
              .environment("LC_ALL", args[1])
              .build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        daemon.ready();
        Words.tell(Path.of(args[0]), "locale", System.getProperty("sun.jnu.encoding"));
        Words.stay();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"C.UTF-8, C, ANSI_X3.4-1968", "C, C.UTF-8, UTF-8"})
  void aPathThatIsNoTextInTheDaemonsLocaleIsTheSameOne(String own, String other, String encoding)
      throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "bash",
                "-c",
                "mkdir $'\\xc3\\xa4' && cd $'\\xc3\\xa4' && exec env LC_ALL=" + own + " \"$@\"",
                "bash"));
    command.addAll(facade.java(List.of(), InAnotherLocale.class, other));

    assertThat(facade.run(command, Map.of())).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    assertThat(facade.awaitText("locale")).isEqualTo(encoding);
    assertThat(facade.processes()).hasSize(1);
  }
}
