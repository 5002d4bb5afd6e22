package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.startup.StartException;
import dev.daimon.testing.Command;
import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each reason why no daemon is started, with its exit code and message. */
class RefusalTest {
  @RegisterExtension final Facade facade = new Facade();

  /** Catches the exception, and prints it. */
  static final class Asks {
    public static void main(String[] args) throws Exception {
      if (args[args.length - 1].equals("javaGone")) {
        Files.delete(Files.readSymbolicLink(Path.of("/proc/self/exe")));
        args = Arrays.copyOf(args, args.length - 1);
      }
      try {
        switch (Daemonizer.launch(Words.config(args).build())) {
          case Launch.InLauncher launcher ->
              System.out.println(launcher.daemon().exitCode() + " " + launcher.daemon().message());
          case Launch.InDaemon _ -> Words.stay();
        }
      } catch (StartException refused) {
        System.out.println(
            refused.reason() + " " + refused.exitCode() + " " + refused.getMessage());
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          out=/run/x/../x lockFile=/run/x | CONFIGURATION 64 standardOutput is the same file as lockFile: /run/x/../x
          out=hardlink pidFile=file    | CONFIGURATION 64 standardOutput is the same file as pidFile: D/hardlink
          user=no-such-user            | ACCOUNT 67 unknown user: no-such-user
          workingDirectory=missing     | SYSTEM 71 workingDirectory: open D/missing: No such file or directory (ENOENT, 2)
          out=fifo                     | FILE 73 open D/fifo: No such device or address (ENXIO, 6); nobody reads this FIFO, or it is a socket
          pidFile=link                 | FILE 73 open D/link: Too many levels of symbolic links (ELOOP, 40); a symbolic link is not followed
          pidFile=directory            | FILE 73 open D/directory: Is a directory (EISDIR, 21)
          pidFile=fifo                 | FILE 73 D/fifo is not a regular file
          err=missing/err              | FILE 73 open D/missing/err: No such file or directory (ENOENT, 2)
          timeout=20                   | 75 not ready after 20 ms, and stopped
          jvm=-XX:NoSuchOption         | 70 the daemon ended before it was ready. Its last words:
          """)
  void everyRefusalHasAReasonAndNamesWhatItIsAbout(String words, String expected) throws Exception {
    for (String name : List.of("fifo", "directory", "link", "file", "hardlink")) {
      make(name);
    }

    ProcessSandbox.Result result = facade.launch(Asks.class, words.split(" ", -1));

    assertThat(result.err()).isEmpty();
    assertThat(result.out()).startsWith(expected.replace("D/", facade.directory() + "/"));
    if (!expected.startsWith("7")) {
      assertThat(result.out()).hasLineCount(1);
    }
    assertThat(facade.pidFile()).doesNotExist();
    assertThat(facade.file("file")).hasContent("4194304\n");
  }

  private void make(String name) throws Exception {
    Path file = facade.file(name);
    switch (name) {
      case "fifo" -> Command.run("mkfifo", file.toString());
      case "directory" -> Files.createDirectory(file);
      case "link" -> Files.createSymbolicLink(file, Path.of("file"));
      case "file" -> Files.writeString(file, "4194304\n");
      default -> Files.createLink(file, facade.file("file"));
    }
  }

  /** A JDK whose {@code java} is a copy. */
  @Test
  void aJavaThatIsGoneIsToldByItsPath() throws Exception {
    List<String> command = new ArrayList<>(facade.java(List.of(), Asks.class, "javaGone"));
    Path java = Path.of(command.getFirst()).toRealPath();
    Path copy = facade.file("jdk/bin/java");
    Files.createDirectories(copy.getParent());
    Files.copy(java, copy);
    for (String part : List.of("lib", "conf", "release")) {
      Files.createSymbolicLink(
          facade.file("jdk").resolve(part), java.getParent().resolveSibling(part));
    }
    command.set(0, copy.toString());

    assertThat(facade.run(command, Map.of()).out())
        .isEqualTo(
            "PROGRAM 66 the java that runs this program was replaced or removed: " + copy + "\n");
  }
}
