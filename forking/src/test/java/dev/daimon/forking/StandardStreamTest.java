package dev.daimon.forking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.call.Files;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StandardStreamTest {
  @TempDir Path directory;

  @Test
  void aStreamGoesElsewhereAndComesBack() throws Exception {
    Path file = directory.resolve("file");

    assertThat(ChildJvm.of(ThereAndBack.class).run(file).output())
        .isEqualTo("before\nafter\nterminal false");

    assertThat(java.nio.file.Files.readString(file)).isEqualTo("java\nnative\n");
  }

  static final class ThereAndBack {
    public static void main(String[] args) throws Exception {
      System.out.println("before");
      try (OutputFile file = OutputFile.open(Path.of(args[0]));
          Descriptor before = StandardStream.OUTPUT.duplicate()) {
        StandardStream.OUTPUT.redirect(file.descriptor());
        System.out.println("java");
        Program.at(Path.of("/bin/echo")).arguments("native").spawn().waitFor();
        StandardStream.OUTPUT.redirect(before);
      }
      System.out.println("after");
      System.out.println("terminal " + StandardStream.OUTPUT.isTerminal());
    }
  }

  @Test
  void aDiscardedStreamIsTheNullDeviceEvenIfItWasClosed() throws Exception {
    assertThat(ChildJvm.of(Discarded.class).run().output())
        .isEqualTo("/dev/null /dev/null closed /dev/null inherited");
  }

  static final class Discarded {
    public static void main(String[] args) throws Exception {
      StandardStream.ERROR.discard();
      StandardStream.INPUT.discard();
      String result = link("0") + " " + link("2");
      Files.close(0);
      result += StandardStream.INPUT.duplicate() == null ? " closed " : " open ";
      StandardStream.INPUT.discard();
      boolean inherited = Files.fcntl(0, Files.F_GETFD, 0) == 0;
      System.out.println(result + link("0") + (inherited ? " inherited" : " lost"));
    }

    private static String link(String number) throws IOException {
      return Proc.descriptors("self").get(Integer.valueOf(number));
    }
  }

  /** The JVM's own files have the numbers of streams that were closed before its start. */
  @ParameterizedTest
  @CsvSource({
    "<&-, INPUT, standard input",
    ">&-, OUTPUT, standard output",
    "2>&-, ERROR, standard error"
  })
  void aStreamThatWasClosedIsNotRedirected(String closed, String stream, String words)
      throws Exception {
    Path report = directory.resolve("report");

    ChildJvm.Result result =
        ChildJvm.of(WasClosed.class)
            .startedBy("sh", "-c", "exec \"$@\" " + closed, "sh")
            .run(stream, report);

    assertThat(result.exit()).isZero();
    assertThat(report)
        .hasContent(
            "false true dup2 %s: Bad file descriptor (EBADF, 9); %s was closed when this JVM was"
                    .formatted(stream, words)
                + " started: give it /dev/null");
  }

  /** A log that the JVM writes itself can be printed to, but is no stream either. */
  @Test
  void aLogOfTheJvmIsNoStream() throws Exception {
    Path report = directory.resolve("report");

    ChildJvm.Result result =
        ChildJvm.of(WasClosed.class)
            .option("-Xlog:gc:file=" + directory.resolve("gc.log"))
            .startedBy("sh", "-c", "exec \"$@\" <&- >&-", "sh")
            .run("OUTPUT", report);

    assertThat(result.exit()).isZero();
    assertThat(report).content().startsWith("false true dup2 OUTPUT: Bad file descriptor");
  }

  static final class WasClosed {
    public static void main(String[] args) throws Exception {
      StandardStream stream = StandardStream.valueOf(args[0]);
      String result = stream.isOpen() + " " + (stream.duplicate() == null);
      try {
        stream.discard();
        result += " discarded";
      } catch (IOException refused) {
        result += " " + refused.getMessage();
      }
      // A class that the JVM reads from its own file.
      Class<?> _ = Class.forName("javax.net.ssl.SSLContext");
      java.nio.file.Files.writeString(Path.of(args[1]), result);
    }
  }

  static final class Inherits {
    public static void main(String[] args) throws Exception {
      int number = Integer.parseInt(args[0]);
      // In a subshell: the stream of the shell itself is not redirected.
      Program.at(Path.of("/bin/sh"))
          .arguments("-c", "(readlink /proc/$$/fd/" + number + " >" + args[1] + ")")
          .spawn()
          .waitFor();
    }
  }

  @ParameterizedTest
  @CsvSource({"0, <&-", "1, >&-", "2, 2>&-"})
  void whatWasClosedIsTheNullDeviceInAProgram(int number, String closing) throws Exception {
    Path link = directory.resolve("link");

    ChildJvm.of(Inherits.class)
        .startedBy("sh", "-c", "exec \"$@\" " + closing, "sh")
        .run(number, link);

    assertThat(java.nio.file.Files.readString(link)).isEqualTo("/dev/null\n");
  }

  static final class Reopens {
    public static void main(String[] args) throws Exception {
      Path log = Path.of(args[0]);
      try {
        LogFile.at(log, StandardStream.OUTPUT, StandardStream.ERROR).reopen();
      } catch (IOException failure) {
        System.out.println(java.nio.file.Files.exists(log));
      }
    }
  }

  @Test
  void noStreamIsRedirectedIfOneOfThemCannotBe() throws Exception {
    assertThat(
            ChildJvm.of(Reopens.class)
                .startedBy("sh", "-c", "exec \"$@\" 2>&-", "sh")
                .run(directory.resolve("log"))
                .output())
        .isEqualTo("false");
  }
}
