package dev.daimon.forking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Files;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.FaultInjector;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DescriptorsTest {
  /** With close_range, and the /proc/self/fd way. */
  private static final String NONE = "-Dnone=none";

  private static final String WITHOUT = "-Ddev.daimon.posix.without=close_range";

  @TempDir Path directory;

  @Test
  void theOpenOnesAreListedInOrderAndNoOthers() throws IOException {
    int closed;
    try (Descriptor open = nullDevice(3000)) {
      closed = open.number();
      assertThat(Descriptors.list()).contains(0, 1, 2, closed).isSorted().doesNotHaveDuplicates();
    }
    assertThat(Descriptors.list()).doesNotContain(closed);
  }

  @Test
  void theListIsExact() throws Exception {
    assertThat(ChildJvm.of(Exact.class).run().lines()).containsExactly("true");
  }

  static final class Exact {
    public static void main(String[] args) throws IOException {
      int[] before = Descriptors.list();
      int added = nullDevice(3000).number();
      int[] expected = Arrays.copyOf(before, before.length + 1);
      expected[before.length] = added;
      System.out.println(Arrays.equals(Descriptors.list(), expected));
    }
  }

  @Test
  void whatAnotherProcessHasUnderTheSameNumberIsNotInheritedFromIt() throws IOException {
    try (Descriptor kept = nullDevice(3200);
        Descriptor shared = nullDevice(3210);
        Running running = Running.start(Running.sleeper().keep(kept).keep(shared))) {
      try (MemoryFile other = MemoryFile.create("other", 1)) {
        Files.dup2(other.descriptor().number(), kept.number());
      }

      assertThat(Descriptors.inheritedFrom(running.pid()))
          .contains(shared.number())
          .doesNotContain(kept.number());
    }
  }

  @Test
  void oneThatIsClosedMeanwhileDoesNoHarm() throws IOException {
    String script = "while :; do exec 9</dev/null; exec 9<&-; done";
    Child child = Program.at(Path.of("/bin/sh")).arguments("-c", script).spawn();
    try {
      for (int i = 0; i < 1_000; i++) {
        assertThat(Descriptors.inheritedFrom(child.pid())).startsWith(0, 1, 2);
      }
    } finally {
      child.signal(Signal.KILL);
      child.waitFor();
    }
  }

  @Test
  void aProcessThatDoesNotExistIsAnError() throws IOException {
    Child child = Program.at(Path.of("/bin/true")).spawn();
    child.waitFor();

    assertThatThrownBy(() -> Descriptors.inheritedFrom(child.pid()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("/proc/" + child.pid() + "/fd");
  }

  @ParameterizedTest
  @ValueSource(strings = {NONE, WITHOUT})
  void aRangeIsClosed(String option) throws Exception {
    assertThat(ChildJvm.of(Close.class).option(option).run().lines())
        .containsExactly("3000 3003 3010", "3000 3010", "3000", "3000");
  }

  @ParameterizedTest
  @ValueSource(strings = {"EPERM", "ENOSYS"})
  @Tag("cc")
  void whereAFilterRefusesCloseRangeTheyAreClosedAndMarkedAsWell(String error) throws Exception {
    List<String> refused =
        FaultInjector.compiled(directory).forbidding("close_range", error, List.of());

    assertThat(ChildJvm.of(Close.class).startedBy(refused).run().lines())
        .containsExactly("3000 3003 3010", "3000 3010", "3000", "3000");
    assertThat(ChildJvm.of(Mark.class).startedBy(refused).run().lines())
        .containsExactly("3000 3001 3002 3003 3010", "3000 3003 3010", "3000", "all still open");
  }

  static final class Close {
    public static void main(String[] args) throws IOException {
      openSome();
      Descriptors.close(3001, 3002);
      print();
      Descriptors.close(3003, 3003);
      print();
      Descriptors.close(3001, Descriptors.MAX);
      print();
      Descriptors.close(3001, Descriptors.MAX);
      print();
    }

    private static void print() throws IOException {
      StringBuilder text = new StringBuilder();
      for (int number : Descriptors.list()) {
        if (number >= 3000) {
          text.append(number).append(' ');
        }
      }
      System.out.println(text.toString().strip());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {NONE, WITHOUT})
  void aRangeIsMarkedToBeClosedByAnExec(String option) throws Exception {
    assertThat(ChildJvm.of(Mark.class).option(option).run().lines())
        .containsExactly("3000 3001 3002 3003 3010", "3000 3003 3010", "3000", "all still open");
  }

  static final class Mark {
    public static void main(String[] args) throws IOException {
      openSome();
      print();
      Descriptors.markCloseOnExec(3001, 3002);
      print();
      Descriptors.markCloseOnExec(3003, Descriptors.MAX);
      print();
      List<Integer> open = Arrays.stream(Descriptors.list()).boxed().toList();
      System.out.println(
          open.containsAll(List.of(3000, 3001, 3002, 3003, 3010)) ? "all still open" : open);
    }

    private static void print() throws IOException {
      StringBuilder text = new StringBuilder();
      for (int number : Descriptors.list()) {
        if (number >= 3000 && Files.fcntl(number, Files.F_GETFD, 0) == 0) {
          text.append(number).append(' ');
        }
      }
      System.out.println(text.toString().strip());
    }
  }

  @ParameterizedTest
  @CsvSource({"-1, 5", "-5, -1", "5, 4", "0, -1", "2147483647, 2147483646"})
  void whatIsNoRangeIsRefused(int first, int last) {
    assertThatThrownBy(() -> Descriptors.close(first, last))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(first + " to " + last);
    assertThatThrownBy(() -> Descriptors.markCloseOnExec(first, last))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aDescriptorThatIsNotOpenCannotBeKept() {
    assertThat(new File("/proc/self/fd/3999")).doesNotExist();
    assertThatThrownBy(() -> Descriptors.unmarkCloseOnExec(3999))
        .isInstanceOf(PosixException.class)
        .hasMessageContaining("3999");
  }

  private static void openSome() throws IOException {
    for (int number : new int[] {3000, 3001, 3002, 3003, 3010}) {
      Descriptors.unmarkCloseOnExec(nullDevice(number).number());
    }
  }

  /** A descriptor from this number up, where no other thread opens any; close-on-exec. */
  static Descriptor nullDevice(int lowest) throws PosixException {
    byte[] device = "/dev/null".getBytes(StandardCharsets.US_ASCII);
    try (Descriptor file = Descriptor.adopt(Files.open(device, Files.O_RDWR, 0))) {
      return Descriptor.adopt(
          PosixException.check(
              Files.fcntl(file.number(), Files.F_DUPFD_CLOEXEC, lowest), "fcntl", lowest));
    }
  }
}
