package dev.daimon.posix.call;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The JDK's entry point makes the same calls as the linker, and is used only if it is asked for.
 */
class EntryPointTest {
  private static final boolean DESCRIBED =
      Runtime.version().feature() == 25 && System.getProperty("os.arch").equals("amd64");

  private static final List<String> ASKING =
      List.of(
          "-Ddev.daimon.posix.entryPoint=true",
          "--add-exports=java.base/jdk.internal.access=ALL-UNNAMED",
          "--add-exports=java.base/jdk.internal.foreign.abi=ALL-UNNAMED");

  private static final String CALLS = "errno 9, arguments 1 -2 3, pid true, wide true";
  private static final String LINKER = "linker: " + CALLS;
  private static final String EITHER = DESCRIBED ? "entry point: " + CALLS : LINKER;

  @TempDir Path directory;

  @Test
  void itIsTakenIfAllOfItIsAskedFor() throws Exception {
    assertThat(look(List.of())).isEqualTo(LINKER);
    for (String one : ASKING) {
      List<String> others = new ArrayList<>(ASKING);
      others.remove(one);
      assertThat(look(others)).as("without %s", one).isEqualTo(LINKER);
    }
    assertThat(look(ASKING)).isEqualTo(EITHER);
  }

  /** The JDK's own flag makes it faster, and does not ask for it. */
  @Test
  void theFlagOfReflectionIsNoSwitch() throws Exception {
    List<String> options = new ArrayList<>(ASKING);
    options.set(0, "-Djdk.reflect.useNativeAccessorOnly=true");

    assertThat(look(options)).isEqualTo(LINKER);
  }

  /** The daemon lives on, and takes back what its launcher was given. */
  @Test
  void theLaunchersOptionsAskForItAndTheDaemonsTakeItBack() throws Exception {
    String launcher = "@../docs/launcher.options";

    assertThat(look(List.of(launcher))).isEqualTo(EITHER);
    assertThat(look(List.of(launcher, "-Xmixed", "-Ddev.daimon.posix.entryPoint=false")))
        .isEqualTo(LINKER);
  }

  /** Not even a class of the linker's is loaded then: that is what it is for. */
  @Test
  void theLinkerIsNotLoadedThen() throws Exception {
    Path log = directory.resolve("classes");
    List<String> options = new ArrayList<>(ASKING);
    options.add("-Xlog:class+load:file=" + log);

    look(options);

    assertThat(Files.readString(log).contains("jdk.internal.foreign.abi.DowncallLinker"))
        .isEqualTo(!DESCRIBED);
  }

  /** As it would be if the numbers of this JDK meant something else. */
  @Test
  void aTrialThatGoesWrongIsNoEntryPoint() throws Exception {
    assertThat(output(WrongTrial.class, ASKING))
        .isEqualTo(DESCRIBED ? "true null null" : "false null null");
  }

  private static String look(List<String> options) throws Exception {
    return output(Calls.class, options);
  }

  private static String output(Class<?> main, List<String> options) throws Exception {
    ChildJvm jvm = ChildJvm.of(main);
    options.forEach(jvm::option);
    return jvm.run().output();
  }

  static final class Calls {
    public static void main(String[] arguments) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment text = arena.allocate(64);
        String way = EntryPoint.find(Libc.address("close")) == null ? "linker" : "entry point";
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
      MethodHandle right = EntryPoint.find(Libc.address("close"));
      // It returns something else; it leaves another errno.
      MethodHandle result = EntryPoint.find(Libc.address("getpid"));
      MethodHandle number = EntryPoint.find(Libc.address("rmdir"));
      System.out.println((right != null) + " " + result + " " + number);
    }
  }
}
