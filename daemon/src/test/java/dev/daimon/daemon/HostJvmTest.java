package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.daemon.runtime.FailureText;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A program in a JVM that was started for another program. */
class HostJvmTest {
  @RegisterExtension final Facade facade = new Facade();

  /** Needs nothing of this package that is not public: its package is another one at run time. */
  public static final class Program {
    public static void main(String[] args) throws Exception {
      DaemonConfig config =
          DaemonConfig.builder()
              .pidFile(Path.of(args[0]).resolve("pid"))
              .foreground(args[1].equals("foreground"))
              .build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        daemon.ready();
        new CountDownLatch(1).await();
      }
    }
  }

  /** Runs a program from another directory, in a thread if the arguments say so. */
  public static final class Tool {
    public static void main(String[] args) throws Exception {
      Path classes = Path.of(args[0]).resolve("program");
      String name = Program.class.getName();
      try (URLClassLoader loader = new Loader(classes.toUri().toURL())) {
        Runnable program =
            () -> {
              try {
                loader
                    .loadClass(name)
                    .getMethod("main", String[].class)
                    .invoke(null, (Object) new String[] {args[0], args[2]});
              } catch (ReflectiveOperationException failure) {
                System.out.println(FailureText.of(failure));
              }
            };
        if (args[1].equals("thread")) {
          Thread thread = new Thread(program);
          thread.start();
          thread.join();
        } else {
          program.run();
        }
      }
      System.out.println("the tool goes on");
    }
  }

  /** Loads the program's own classes first. */
  static final class Loader extends URLClassLoader {
    Loader(URL classes) {
      super(new URL[] {classes}, Tool.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      return name.equals(Program.class.getName())
          ? findClass(name)
          : super.loadClass(name, resolve);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"main", "thread"})
  void aToolThatLoadsAProgramFromElsewhereIsNotMadeTheDaemon(String how) throws Exception {
    copyProgram();

    ProcessSandbox.Result result = facade.launch(Tool.class, how, "umask=022");

    assertThat(result.exitCode()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out().lines())
        .satisfiesExactly(
            line ->
                assertThat(line)
                    .contains(
                        "HostJvmTest$Program",
                        facade.file("program").toString(),
                        "HostJvmTest$Tool")
                    .endsWith("start it with a java of its own, or set foreground(true)"),
            line -> assertThat(line).isEqualTo("the tool goes on"));
    assertThat(facade.pidFile()).doesNotExist();
  }

  @Test
  void itMayBeTheDaemonItselfInTheForeground() throws Exception {
    copyProgram();

    Process process = facade.start(facade.java(List.of(), Tool.class, "main", "foreground"));

    ProcessSandbox.await(
        "the pidfile", () -> Files.exists(facade.pidFile()) && Files.size(facade.pidFile()) > 0);
    assertThat(facade.pidFile()).hasContent(process.pid() + "\n");
    process.destroy();
    assertThat(process.waitFor()).isEqualTo(143);
  }

  /** A launcher of programs whose classes are below what the command line names, as in a war. */
  @Test
  void aLauncherOfAProgramOnTheCommandLineIsTheProgram() throws Exception {
    copyProgram();
    List<String> command = facade.java(List.of(), Tool.class, "main", "umask=022");
    int classPath = command.indexOf("-cp") + 1;
    command.set(classPath, command.get(classPath) + ":" + facade.directory());

    assertThat(facade.run(command, Map.of())).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(facade.running().isAlive()).isTrue();
  }

  private void copyProgram() throws IOException {
    String name = Program.class.getName().replace('.', '/') + ".class";
    Path copy = facade.file("program").resolve(name);
    Files.createDirectories(copy.getParent());
    try (InputStream bytes =
        Objects.requireNonNull(Program.class.getResourceAsStream("/" + name))) {
      Files.write(copy, bytes.readAllBytes());
    }
  }

  @Test
  void aTestRunnerIsNotMadeTheDaemon() {
    DaemonConfig config = DaemonConfig.builder().pidFile(facade.pidFile()).build();

    for (Runnable call :
        List.<Runnable>of(() -> Daemonizer.daemonize(config), () -> Daemonizer.launch(config))) {
      assertThatThrownBy(call::run)
          .isInstanceOfSatisfying(
              StartException.class,
              refused -> assertThat(refused.reason()).isEqualTo(Reason.CONFIGURATION))
          .hasMessageStartingWith("this JVM was started for org.")
          .hasMessageEndingWith("start it with a java of its own, or set foreground(true)");
    }
    assertThat(facade.pidFile()).doesNotExist();
  }

  /** Asks for a daemon in a thread of its own. */
  static final class InAThread {
    public static void main(String[] args) throws Exception {
      Thread thread =
          new Thread(() -> {
            try {
              Words.Stays.main(args);
            } catch (Exception failure) {
              throw new IllegalStateException(failure);
            }
          });
      thread.start();
      thread.join();
    }
  }

  @Test
  void aThreadOfTheProgramsOwnMayAsk() throws Exception {
    assertThat(facade.daemon(InAThread.class)).isPositive();
  }

  @Test
  void inTheForegroundItCanBeAgainWhenItIsClosed() throws Exception {
    DaemonConfig config =
        DaemonConfig.builder().pidFile(facade.pidFile()).foreground(true).umask(0137).build();
    String umask = Proc.status("self", "Umask");
    Daemon first = Daemonizer.daemonize(config);
    assertThatThrownBy(() -> Daemonizer.daemonize(config))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this process is a daemon already");
    first.close();
    assertThat(facade.pidFile()).doesNotExist();
    assertThat(Proc.status("self", "Umask")).isEqualTo(umask);

    try (Daemon second = Daemonizer.daemonize(config)) {
      // A second close of the first daemon does nothing to the second.
      first.close();
      second.ready();
      assertThat(facade.pidFile()).hasContent(ProcessHandle.current().pid() + "\n");
      assertThat(Facade.isLocked(facade.pidFile())).isTrue();
      assertThatThrownBy(() -> Daemonizer.daemonize(config))
          .isInstanceOf(IllegalStateException.class);
    }
    assertThat(facade.pidFile()).doesNotExist();
  }
}
