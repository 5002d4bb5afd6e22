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
}
