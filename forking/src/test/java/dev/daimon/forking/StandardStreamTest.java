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

class StandardStreamTest {
  @Test
  void aStreamGoesElsewhereAndComesBack(@TempDir Path directory) throws Exception {
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
}
