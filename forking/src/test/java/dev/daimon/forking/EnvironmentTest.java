package dev.daimon.forking;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Signals;
import dev.daimon.posix.call.Spawning;
import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One character of a string stands for one byte here. */
class EnvironmentTest {
  @Test
  void itsOwnIsWhatTheKernelHandedTheJvm() throws Exception {
    List<String> lines =
        ChildJvm.of(Current.class)
            .startedBy("env", "-i", "a.b=c", "=x", "EMPTY=", "TWO==", "UMLAUT=\u00fc")
            .run()
            .lines();

    // The launcher of another JDK may add to what it got, never change or drop it.
    assertThat(lines.get(1)).startsWith(lines.get(0));
    assertThat(lines.get(0)).startsWith("[a.b=c, =x, EMPTY=, TWO==, UMLAUT=");
  }

  static final class Current {
    public static void main(String[] args) throws IOException {
      byte[] block = Files.readAllBytes(Path.of("/proc/self/environ"));
      System.out.println(
          Arrays.toString(new String(block, ISO_8859_1).split("\0")).replaceAll("]$", ""));
      System.out.println(text(Environment.current()));
    }
  }

  @Test
  void thatOfAnotherProcessIsReadByteForByte() throws IOException {
    String[] odd = {
      "a.b=c", "=x", "no equals sign", "", "N\u00c3=\u00ff\u0080\n", "D=1", "D=2", "E="
    };

    assertThat(text(environment(odd))).containsExactly(odd);
  }

  @Test
  void anEmptyOneIsEmpty() throws IOException {
    assertThat(environment().entries()).isEmpty();
  }

  @Test
  void whatWasReadIsHandedOnByteForByte() throws IOException {
    String[] odd = {"a.b=c", "=x", "no equals sign", "\u00ff=\u0080", "D=1", "D=2", "E="};
    Environment environment = environment(odd);

    try (Running running = Running.start(Running.sleeper().environment(environment))) {
      assertThat(text(Environment.of(running.pid()))).containsExactly(odd);
    }
  }

  @Test
  void aZombieHasNoneToRead() throws IOException {
    Child child = Program.at(Path.of("/bin/true")).spawn();
    assertThat(Processes.awaitEnd((int) child.pid())).isZero();
    try {
      assertThat(readOrEmpty(child.pid())).isEmpty();
    } finally {
      child.waitFor();
    }
  }

  /** Kernels differ: an error since some time, nothing before. */
  private static List<byte[]> readOrEmpty(long pid) {
    try {
      return Environment.of(pid).entries();
    } catch (IOException noEnvironment) {
      assertThat(noEnvironment).hasMessageContaining("/proc/" + pid);
      return List.of();
    }
  }

  @Test
  void aProcessThatDoesNotExistIsAnError() throws IOException {
    Child child = Program.at(Path.of("/bin/true")).spawn();
    child.waitFor();

    assertThatThrownBy(() -> Environment.of(child.pid()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("/proc/" + child.pid());
    assertThatThrownBy(() -> Environment.of(-1)).isInstanceOf(IOException.class);
  }

  /** A gigabyte; and what is short enough, but of nothing but empty entries. */
  @ParameterizedTest
  @ValueSource(ints = {1 << 30, 6 << 20})
  @Tag("python3")
  @Tag("attack")
  void anEnvironmentThatItsProcessHasMadeTooLongIsNotReadToTheEnd(int size) throws Exception {
    String script =
        """
        import ctypes, os, struct, sys
        size = int(sys.argv[1])
        libc = ctypes.CDLL(None, use_errno=True)
        number = ctypes.c_ulong
        libc.mmap.restype = libc.sbrk.restype = number
        libc.mmap.argtypes = [number] * 2 + [ctypes.c_int] * 3 + [number]
        # PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        place = libc.mmap(0, size, 1, 0x4022, -1, 0)
        stat = open('/proc/self/stat').read().rsplit(')', 1)[1].split()
        # struct prctl_mm_map, of which only the environment is another
        fields = [int(stat[n - 3]) for n in (26, 27, 45, 46, 47, 28, 48, 49)]
        fields.insert(5, libc.sbrk(0))
        map = struct.pack('12Q2I', *fields, place, place + size, 0, 0, 0xffffffff)
        libc.prctl.argtypes = [ctypes.c_int, number, ctypes.c_char_p, number, number]
        # PR_SET_MM, PR_SET_MM_MAP
        if libc.prctl(35, 14, map, len(map), 0):
            sys.exit(os.strerror(ctypes.get_errno()))
        print(os.getpid(), flush=True)
        sys.stdin.read()
        """;
    Process other = new ProcessBuilder("python3", "-c", script, "" + size).start();
    try {
      String pid = other.inputReader().readLine();

      assertThat(ChildJvm.of(TooLong.class).option("-Xmx64m").run(pid).output())
          .isEqualTo("/proc/" + pid + "/environ is too long for an environment");
    } finally {
      other.outputWriter().close();
      other.waitFor();
    }
  }

  static final class TooLong {
    public static void main(String[] args) {
      try {
        System.out.println(Environment.of(Long.parseLong(args[0])).entries().size() + " entries");
      } catch (IOException refused) {
        System.out.println(refused.getMessage());
      }
    }
  }

  @Test
  void aLongOneIsRead() throws IOException {
    String[] entries = {"A=" + "x".repeat(100_000), "B="};

    assertThat(text(environment(entries))).containsExactly(entries);
  }

  @Test
  void theLastValueWinsAndEarlierEntriesAreGone() throws IOException {
    Environment environment = environment("D=1", "A=a", "D=2", "DD=3", "D");

    assertThat(text(environment.with("D", "4"))).containsExactly("A=a", "DD=3", "D", "D=4");
    assertThat(text(environment.with("D", "4").with("D", ""))).endsWith("D=").doesNotContain("D=4");
    assertThat(text(environment)).as("the original").contains("D=1", "D=2");
  }

  @Test
  void aVariableIsTakenOutWithAllItsEntries() throws IOException {
    Environment environment = environment("D=1", "A=a", "D=2", "DD=3", "D");

    assertThat(text(environment.without("D"))).containsExactly("A=a", "DD=3", "D");
    assertThat(text(environment.without("missing"))).isEqualTo(text(environment));
  }

  @Test
  void theFirstValueIsTheOneToldAsGetenvDoes() throws IOException {
    Environment environment = environment("DD=0", "D", "D=1=x", "D=2", "E=");

    assertThat(environment.get("D")).isEqualTo(bytes("1=x"));
    assertThat(environment.get("E")).isEmpty();
    assertThat(environment.get("missing")).isNull();
  }

  @Test
  void namesAndValuesBeyondAsciiAreUtf8() throws IOException {
    Environment environment = environment("?=other").with("\u00fc", "\u20ac");

    assertThat(text(environment)).containsExactly("?=other", "\u00c3\u00bc=\u00e2\u0082\u00ac");
    assertThat(environment.get("\u00fc")).isEqualTo(bytes("\u00e2\u0082\u00ac"));
    assertThat(text(environment.without("\u00fc"))).containsExactly("?=other");
  }

  @Test
  void aValueOfAnyBytesIsTaken() throws IOException {
    Environment environment = environment().with(bytes("a.b"), bytes("=\u00ff\n"));

    assertThat(text(environment)).containsExactly("a.b==\u00ff\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "=", "A=", "A=B", "A\0B"})
  void whatIsNoNameIsRefused(String name) {
    assertThatThrownBy(() -> Environment.current().with(name, "value"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aValueWithANulByteIsRefused() {
    assertThatThrownBy(() -> Environment.current().with("A", "b\0c"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("NUL");
  }

  /** An environment that no builder would make: read from a process started with it. */
  static Environment environment(String... entries) throws IOException {
    List<byte[]> envp = new ArrayList<>();
    for (String entry : entries) {
      envp.add(bytes(entry));
    }
    try (Spawning spawning = new Spawning()) {
      int pid = spawning.spawn(bytes("/bin/sleep"), List.of(bytes("sleep"), bytes("120")), envp);
      assertThat(pid).isPositive();
      try {
        Running.awaitSleep(pid);
        return Environment.of(pid);
      } finally {
        Signals.kill(pid, Signal.KILL.number());
        Processes.waitpid(pid, new int[1], 0);
      }
    }
  }

  static List<String> text(Environment environment) {
    return environment.entries().stream().map(entry -> new String(entry, ISO_8859_1)).toList();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(ISO_8859_1);
  }

  @Test
  void itsEntriesCannotBeTakenOutOfIt() {
    Environment environment = Environment.current().with("A", "1");

    assertThatThrownBy(() -> environment.entries().clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void aNameHasNoEqualsSign() {
    Environment environment = Environment.current().with("A", "B=C");

    for (ThrowingCallable call :
        List.<ThrowingCallable>of(() -> environment.get("A=B"), () -> environment.without("A=B"))) {
      assertThatThrownBy(call)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("not the name of a variable: A=B");
    }
  }
}
