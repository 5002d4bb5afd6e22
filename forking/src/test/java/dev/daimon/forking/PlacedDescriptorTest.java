package dev.daimon.forking;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Resource;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Limits;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a program has under the numbers of {@link Program#place}, as {@code /proc} shows it. */
class PlacedDescriptorTest {
  private static final ResourceLimit NO_CORE = ResourceLimit.parse("core=0:0");

  @TempDir Path directory;

  /** The ways to start a program as another process. */
  enum Way {
    SPAWNED(false, false),
    SPAWNED_WITH_LIMITS(false, true),
    DETACHED(true, false),
    DETACHED_WITH_LIMITS(true, true);

    private final boolean detached;
    private final boolean limited;

    Way(boolean detached, boolean limited) {
      this.detached = detached;
      this.limited = limited;
    }

    Running start(Program program) throws IOException {
      Program all = limited ? program.limit(NO_CORE) : program;
      return detached ? Running.of(all.detach(022)) : Running.start(all);
    }
  }

  @ParameterizedTest
  @EnumSource
  void eachHasItsNumberWhateverThisJvmHasThere(Way way) throws IOException {
    SortedMap<Integer, String> own = Proc.descriptors("self");
    try (Descriptor a = open("a");
        Descriptor b = open("b");
        Descriptor c = open("c");
        Running running =
            way.start(
                Running.sleeper()
                    .standardInput(Redirect.to(a))
                    .standardOutput(Redirect.truncate(directory.resolve("out")))
                    .standardError(Redirect.to(b))
                    .directory(directory)
                    .place(a, 3)
                    .place(b, 4)
                    .place(c, 5))) {
      assertThat(running.descriptors())
          .isEqualTo(
              Map.of(
                  0,
                  path("a"),
                  1,
                  path("out"),
                  2,
                  path("b"),
                  3,
                  path("a"),
                  4,
                  path("b"),
                  5,
                  path("c")));
      assertThat(running.workingDirectory()).isEqualTo(directory.toRealPath());
    }
    assertThat(Proc.descriptors("self").keySet()).isEqualTo(own.keySet());
  }

  @ParameterizedTest
  @EnumSource
  void numbersOfSourcesAreExchanged(Way way) throws IOException {
    try (Descriptor a = open("a");
        Descriptor b = open("b");
        Descriptor kept = open("kept");
        Running running =
            way.start(
                Running.sleeper()
                    .standardInput(Redirect.to(b))
                    .keep(kept)
                    .place(a, b.number())
                    .place(b, a.number()))) {
      assertThat(running.descriptors())
          .containsEntry(0, path("b"))
          .containsEntry(a.number(), path("b"))
          .containsEntry(b.number(), path("a"))
          .containsEntry(kept.number(), path("kept"))
          .hasSize(6);
      assertThat(Proc.descriptors("self"))
          .containsEntry(a.number(), path("a"))
          .containsEntry(b.number(), path("b"));
    }
  }

  /** The numbers just above those in use are the ones that a start takes for itself. */
  @ParameterizedTest
  @EnumSource
  void withoutASweepTheStartsOwnDescriptorsDoNotCollide(Way way) throws IOException {
    try (Descriptor a = open("a")) {
      int[] open = Descriptors.list();
      Program program = Running.sleeper().closeOtherDescriptors(false);
      int free = 3;
      for (int placed = 0; placed < 8; free++) {
        if (Arrays.binarySearch(open, free) < 0) {
          program.place(a, free);
          placed++;
        }
      }
      try (Running running = way.start(program)) {
        SortedMap<Integer, String> seen = running.descriptors();
        for (int number = 3; number < free; number++) {
          if (Arrays.binarySearch(open, number) < 0) {
            assertThat(seen).containsEntry(number, path("a"));
          }
        }
        assertThat(seen.tailMap(free).values()).doesNotContain(path("a"));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void oneFileHasSeveralNumbersAndIsSharedWithThisJvm(Way way) throws IOException {
    try (Descriptor a = open("a");
        Running running =
            way.start(Running.sleeper().place(a, 7).place(a, 70).place(a, a.number()))) {
      assertThat(running.descriptors().tailMap(3))
          .containsOnlyKeys(Arrays.asList(7, 70, a.number()))
          .doesNotContainValue("/dev/null");
      assertThat(Files.fcntl(a.number(), Files.F_GETFD, 0)).isEqualTo(Files.FD_CLOEXEC);
    }
  }

  /** The JVM's own numbers are above the limit, and so are those that a start uses. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLimitOfDescriptorsIsTheProgramsAlone(boolean detached) throws IOException {
    try (Descriptor a = open("a");
        Descriptor high = a.duplicate(40)) {
      Program program = Running.sleeper().limit(ResourceLimit.parse("nofile=16:16")).place(high, 3);
      try (Running running = detached ? Running.of(program.detach(022)) : Running.start(program)) {
        assertThat(running.descriptors()).containsEntry(3, path("a")).hasSize(4);
      }
    }
  }

  @Test
  void aLimitOfDescriptorsDoesNotKeepTheJvmFromBecomingTheProgram() throws Exception {
    open("a").close();
    assertThat(ChildJvm.of(BecomeLimited.class).run(path("a")).lines())
        .containsExactly("ENOENT", "true", "16", path("a"));
  }

  /** Fails first, which puts everything back. */
  static final class BecomeLimited {
    public static void main(String[] args) throws IOException {
      Descriptor a = openPath(Path.of(args[0]));
      // No number below the limit is left.
      Descriptor last = a;
      while (last.number() < 16) {
        last = last.duplicate();
      }
      String before = Become.own();
      long[] own = new long[2];
      int _ = Limits.getrlimit(0, Resource.NOFILE.number(), own);
      ResourceLimit few = new ResourceLimit(Resource.NOFILE, 16, own[1]);
      try {
        Program.at(Path.of("/no/such")).limit(few).place(a, 3).exec();
      } catch (PosixException failure) {
        System.out.println(failure.errno().name());
      }
      long[] after = new long[2];
      int _ = Limits.getrlimit(0, Resource.NOFILE.number(), after);
      System.out.println(before.equals(Become.own()) && Arrays.equals(own, after));
      Program.at(Path.of("/bin/sh"))
          .arguments("-c", "ulimit -n; readlink /proc/$$/fd/3")
          .limit(few)
          .place(a, 3)
          .exec();
      System.out.println("not reached");
    }
  }

  @Test
  void theShellGetsThemToo() throws IOException {
    Path script = java.nio.file.Files.writeString(directory.resolve("script"), "cat <&3");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    java.nio.file.Files.writeString(directory.resolve("a"), "content");
    try (Descriptor a = open("a")) {
      assertThat(
              Program.at(script)
                  .standardOutput(Redirect.truncate(directory.resolve("out")))
                  .place(a, 3)
                  .spawn()
                  .waitFor()
                  .exitCode())
          .hasValue(0);
    }
    assertThat(directory.resolve("out")).hasContent("content");
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 1, 2})
  void whatIsNoNumberForItIsRefused(int number) throws IOException {
    try (Descriptor a = open("a")) {
      assertThatThrownBy(() -> Running.sleeper().place(a, number))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aNumberHasOneDescriptor() throws IOException {
    try (Descriptor a = open("a")) {
      assertThatThrownBy(() -> Running.sleeper().place(a, 5).place(a, 5))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> Running.sleeper().place(a, 5).keep(5))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> Running.sleeper().keep(5).place(a, 5))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MAX_VALUE - 1, Integer.MAX_VALUE})
  void aNumberOverTheLimitIsAnErrorAndNothingRuns(int number) throws IOException {
    int[] before = Descriptors.list();
    try (Descriptor a = open("a")) {
      Program program = Running.sleeper().place(a, number);
      assertThatThrownBy(program::spawn).hasMessageContaining("EMFILE");
      assertThatThrownBy(() -> program.detach(022)).hasMessageContaining("EMFILE");
      assertThatThrownBy(program::exec).hasMessageContaining("EMFILE");
    }
    assertThat(Descriptors.list()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theJvmThatBecomesTheProgramHasThem(boolean sweep) throws Exception {
    Path script = java.nio.file.Files.writeString(directory.resolve("script"), "");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    java.nio.file.Files.writeString(script, "for n in 3 4 5 6 7; do readlink /proc/$$/fd/$n; done");
    open("a").close();
    open("b").close();

    assertThat(ChildJvm.of(Become.class).run(path("a"), path("b"), script, sweep).lines())
        .containsExactly("ENOENT", "true", path("a"), path("b"), path("a"), path("b"), path("a"));
  }

  /** Numbers from 3 up are the JVM's own: the classes below are loaded through one of them. */
  static final class Become {
    public static void main(String[] args) throws IOException {
      Descriptor a = openPath(Path.of(args[0]));
      Descriptor b = openPath(Path.of(args[1]));
      boolean sweep = Boolean.parseBoolean(args[3]);
      String before = own();
      try {
        exec(Path.of("/no/such"), sweep, a, b);
      } catch (PosixException failure) {
        System.out.println(failure.errno().name());
      }
      System.out.println(Loaded.later(before));
      exec(Path.of(args[2]), sweep, a, b);
    }

    private static void exec(Path path, boolean sweep, Descriptor a, Descriptor b)
        throws IOException {
      Program.at(path)
          .closeOtherDescriptors(sweep)
          .place(a, 3)
          .place(b, 4)
          .place(a, 5)
          .place(b, 6)
          .place(a, 7)
          .exec();
    }

    static String own() throws IOException {
      return Proc.descriptors("self").toString();
    }
  }

  /** Loaded after the failure. */
  static final class Loaded {
    static boolean later(String before) throws IOException {
      return before.equals(Become.own());
    }
  }

  private String path(String name) throws IOException {
    return directory.toRealPath().resolve(name).toString();
  }

  private Descriptor open(String name) throws PosixException {
    return openPath(directory.resolve(name));
  }

  private static Descriptor openPath(Path path) throws PosixException {
    int flags = Files.O_RDWR | Files.O_CREAT | Files.O_CLOEXEC;
    return Descriptor.adopt(
        PosixException.check(
            Files.open(path.toString().getBytes(UTF_8), flags, 0600), "open", path));
  }
}
