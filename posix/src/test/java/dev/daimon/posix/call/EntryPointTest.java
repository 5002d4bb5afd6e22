package dev.daimon.posix.call;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The JDK's entry point makes the same calls as the linker, and is used only if it is exported. */
class EntryPointTest {
  private static final boolean DESCRIBED = System.getProperty("os.arch").equals("amd64");

  private static final String[] EXPORTED = {
    "--add-exports=java.base/jdk.internal.access=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.foreign.abi=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.foreign.abi.x64=ALL-UNNAMED"
  };

  @TempDir Path directory;

  @Test
  void itIsTakenIfAllOfItIsExported() throws Exception {
    String calls = "errno 9, arguments 1 -2 3, pid true, wide true";

    assertThat(look()).isEqualTo("linker: " + calls);
    assertThat(look(EXPORTED[0], EXPORTED[1])).isEqualTo("linker: " + calls);
    assertThat(look(EXPORTED[0], EXPORTED[2])).isEqualTo("linker: " + calls);
    assertThat(look(EXPORTED[1], EXPORTED[2])).isEqualTo("linker: " + calls);
    assertThat(look(EXPORTED)).isEqualTo((DESCRIBED ? "entry point: " : "linker: ") + calls);
    assertThat(look("@../docs/launcher.options")).isEqualTo(look(EXPORTED));
  }

  /** Not even a class of the linker's is loaded then: that is what it is for. */
  @Test
  void theLinkerIsNotLoadedThen() throws Exception {
    Path log = directory.resolve("classes");

    look(EXPORTED[0], EXPORTED[1], EXPORTED[2], "-Xlog:class+load:file=" + log);

    assertThat(Files.readString(log).contains("jdk.internal.foreign.abi.DowncallLinker"))
        .isEqualTo(!DESCRIBED);
  }

  /** As it would be if the numbers of this JDK meant something else. */
  @Test
  void aTrialThatGoesWrongIsNoEntryPoint() throws Exception {
    ChildJvm jvm = ChildJvm.of(WrongTrial.class);
    for (String option : EXPORTED) {
      jvm.option(option);
    }
    assertThat(jvm.run().output()).isEqualTo(DESCRIBED ? "true null null" : "false null null");
  }

  private static String look(String... options) throws Exception {
    ChildJvm jvm = ChildJvm.of(Calls.class);
    for (String option : options) {
      jvm.option(option);
    }
    return jvm.run().output();
  }

  static final class Calls {
    public static void main(String[] arguments) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment text = arena.allocate(64);
        String way =
            EntryPoint.find(Libc.address("close"), text) == null ? "linker" : "entry point";
        int errno = -Libc.call(Libc.address("close"), -1);
        byte[] format = "%ld %ld %ld".getBytes(US_ASCII);
        long end =
            Libc.raw(
                Libc.address("snprintf"),
                text.address(),
                text.byteSize(),
                Native.string(arena, format).address(),
                1,
                -2,
                3);
        byte[] printed = new byte[(int) end];
        Native.view(text).get(printed);
        boolean pid = Libc.call(Libc.address("getpid")) == ProcessHandle.current().pid();
        // A pointer: all 64 bits come back.
        long found = Libc.raw(Libc.address("strchr"), text.address(), '3', 0, 0, 0, 0);
        boolean wide = found == text.address() + end - 1;
        System.out.println(
            way
                + (": errno " + errno)
                + (", arguments " + new String(printed, US_ASCII))
                + (", pid " + pid)
                + (", wide " + wide));
      }
    }
  }

  static final class WrongTrial {
    public static void main(String[] arguments) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment errno = arena.allocate(Integer.BYTES);
        MethodHandle right = EntryPoint.find(Libc.address("close"), errno);
        // It returns something else; it leaves another errno.
        MethodHandle result = EntryPoint.find(Libc.address("getpid"), errno);
        MethodHandle number = EntryPoint.find(Libc.address("rmdir"), errno);
        System.out.println((right != null) + " " + result + " " + number);
      }
    }
  }
}
