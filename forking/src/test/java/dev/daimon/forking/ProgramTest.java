package dev.daimon.forking;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Resource;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Capabilities;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.Processes;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.FaultInjector;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Programs are judged by what they see of themselves, or by what {@code /proc} shows of them. One
 * character of a string stands for one byte here.
 */
class ProgramTest {
  private static final Path SHELL = Path.of("/bin/sh");
  private static final Path NULL = Path.of("/dev/null");
  private static final String WITHOUT = "-Ddev.daimon.posix.without=";
  private static final String[] CLOSED_STREAMS = {"sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"};

  @TempDir Path directory;

  @Nested
  class Spawn {
    @Test
    void theExitStatusIsTheProgramsOwn() throws IOException {
      assertThat(shell("exit 42").spawn().waitFor().exitCode()).hasValue(42);
      assertThat(shell("kill -TERM $$").spawn().waitFor().signal()).hasValue(Signal.TERM);
    }

    @Test
    void aSessionOfItsOwnIsMadeOnlyOnDemand() throws IOException {
      try (Running same = Running.start(Running.sleeper());
          Running own = Running.start(Running.sleeper().newSession())) {
        assertThat(Processes.getsid((int) same.pid())).isEqualTo(Processes.getsid(0));
        assertThat(Processes.getsid((int) own.pid())).isEqualTo((int) own.pid());
      }
    }

    @Test
    void noSignalIsIgnoredOrBlockedWhateverTheParentDoes() throws Exception {
      List<String> lines =
          ChildJvm.of(Signals.class)
              .startedBy(
                  "nohup",
                  "env",
                  "--block-signal=USR1,RTMIN",
                  "--ignore-signal=USR2,TTOU,RTMAX",
                  "--default-signal=PIPE")
              .run()
              .lines();

      // HUP, TTOU and the last real-time signal (HotSpot takes USR2 for itself); USR1.
      assertThat(Long.parseUnsignedLong(lines.get(0), 16))
          .as("the parent's")
          .matches(ignored -> (ignored & 0x8000_0000_0020_0001L) == 0x8000_0000_0020_0001L);
      assertThat(Long.parseUnsignedLong(lines.get(1), 16) & 0x200).isEqualTo(0x200);
      assertThat(lines.subList(2, 4)).containsOnly("0000000000000000");
    }

    static final class Signals {
      public static void main(String[] args) throws IOException {
        System.out.println(Proc.status("thread-self", "SigIgn"));
        System.out.println(Proc.status("thread-self", "SigBlk"));
        try (Running running = Running.start(Running.sleeper())) {
          System.out.println(running.status("SigIgn"));
          System.out.println(running.status("SigBlk"));
        }
      }
    }

    @Test
    void theWorkingDirectoryIsInheritedOrTheOneAskedFor() throws IOException {
      try (Running inherited = Running.start(Running.sleeper());
          Running asked = Running.start(Running.sleeper().directory(directory))) {
        assertThat(inherited.workingDirectory()).isEqualTo(Path.of("").toAbsolutePath());
        assertThat(asked.workingDirectory()).isEqualTo(directory.toRealPath());
      }
    }

    @Test
    void aDirectoryThatCannotBeOneIsAnErrorAboutItAndNothingIsTruncated() throws IOException {
      Path missing = directory.resolve("missing");
      Path file = java.nio.file.Files.writeString(directory.resolve("file"), "kept");

      for (Path path : List.of(missing, file)) {
        assertFails(
            Program.at(Path.of("/bin/true"))
                .directory(path)
                .standardOutput(Redirect.truncate(file)),
            path.equals(file) ? Errno.ENOTDIR : Errno.ENOENT,
            "open",
            path.toString());
      }
      assertThat(file).hasContent("kept");
    }

    @Test
    @Tag("root")
    void aDirectoryWithoutSearchPermissionIsAnErrorAboutIt() throws Exception {
      Path locked = java.nio.file.Files.createDirectory(directory.resolve("locked"));
      java.nio.file.Files.setPosixFilePermissions(
          locked, PosixFilePermissions.fromString("rw-r--r--"));
      Path writeOnly = java.nio.file.Files.createDirectory(directory.resolve("unreadable"));
      java.nio.file.Files.setPosixFilePermissions(
          writeOnly, PosixFilePermissions.fromString("--x--x--x"));

      assertThat(
              ChildJvm.of(Locked.class)
                  .startedBy(ChildJvm.AS_NOBODY)
                  .copied(directory)
                  .run(locked, writeOnly)
                  .lines())
          .containsExactly(
              "open " + locked + " EACCES", "open " + locked + " EACCES", "fine", "exit code 0");
    }

    static final class Locked {
      public static void main(String[] args) throws IOException {
        for (String path : args) {
          try {
            Program.checkDirectory(Path.of(path));
            System.out.println("fine");
          } catch (PosixException refused) {
            System.out.println(describe(refused));
          }
          try {
            System.out.println(
                Program.at(Path.of("/bin/true")).directory(Path.of(path)).spawn().waitFor());
          } catch (PosixException refused) {
            System.out.println(describe(refused));
          }
        }
      }
    }

    @Test
    void streamsAreInheritedUnlessRedirected() throws IOException {
      try (Running running = Running.start(Running.sleeper())) {
        assertThat(running.descriptors())
            .isEqualTo(Proc.descriptors("self").headMap(3))
            .containsOnlyKeys(0, 1, 2);
      }
    }

    @Test
    void theNullDeviceIsThereForEachStream() throws IOException {
      Program program =
          shell("cat; echo out; echo err >&2; exec sleep 120")
              .standardInput(Redirect.nullDevice())
              .standardOutput(Redirect.nullDevice())
              .standardError(Redirect.nullDevice());
      try (Running running = Running.start(program)) {
        assertThat(running.descriptors())
            .isEqualTo(Map.of(0, "/dev/null", 1, "/dev/null", 2, "/dev/null"));
      }
    }

    @Test
    void aFileIsEmptiedOrAppendedTo() throws IOException {
      Path out = java.nio.file.Files.writeString(directory.resolve("out"), "old\n");
      Path err = java.nio.file.Files.writeString(directory.resolve("err"), "old\n");

      run(
          shell("echo out; echo err >&2")
              .standardOutput(Redirect.truncate(out))
              .standardError(Redirect.append(err)));

      assertThat(out).hasContent("out\n");
      assertThat(err).hasContent("old\nerr\n");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void oneFileForBothStreamsLosesNoLine(boolean append) throws IOException {
      Path out = java.nio.file.Files.writeString(directory.resolve("out"), "old\n");
      Redirect redirect = append ? Redirect.append(out) : Redirect.truncate(out);

      run(
          shell("i=0; while [ $i -lt 1000 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done")
              .standardOutput(redirect)
              .standardError(redirect));

      List<String> expected = new ArrayList<>(append ? List.of("old") : List.of());
      for (int i = 0; i < 1000; i++) {
        expected.addAll(List.of("o" + i, "e" + i));
      }
      assertThat(java.nio.file.Files.readAllLines(out)).isEqualTo(expected);
    }

    @Test
    void anOpenDescriptorIsDuplicatedAndStaysTheCallers() throws IOException {
      Path file = java.nio.file.Files.writeString(directory.resolve("file"), "in");
      byte[] path = file.toString().getBytes(ISO_8859_1);
      try (Descriptor open =
          Descriptor.adopt(Files.open(path, Files.O_RDWR | Files.O_CLOEXEC, 0))) {
        run(
            shell("read line; echo $line+out")
                .standardInput(Redirect.to(open))
                .standardOutput(Redirect.to(open)));
        assertThat(Files.fcntl(open.number(), Files.F_GETFD, 0)).isEqualTo(Files.FD_CLOEXEC);
      }
      assertThat(file).hasContent("inin+out\n");
    }

    @Test
    void standardStreamsAreExchanged() throws Exception {
      ChildJvm.Result result = ChildJvm.of(Exchange.class).run();

      assertThat(result.out()).isEqualTo("err\n");
      assertThat(result.err()).isEqualTo("out\n");
    }

    static final class Exchange {
      public static void main(String[] args) throws IOException {
        shell("echo out; echo err >&2")
            .standardOutput(Redirect.to(Descriptor.adopt(2)))
            .standardError(Redirect.to(Descriptor.adopt(1)))
            .spawn()
            .waitFor();
      }
    }

    /** The JVM's own files may have the numbers of streams that were closed before its start. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void closedStandardStreamsDoNoHarm(boolean beforeStart) throws Exception {
      Path in = java.nio.file.Files.writeString(directory.resolve("in"), "given\n");
      Path out = directory.resolve("out");
      Path err = directory.resolve("err");
      Path report = directory.resolve("report");

      ChildJvm jvm = ChildJvm.of(WithClosedStreams.class);
      if (beforeStart) {
        jvm.startedBy(CLOSED_STREAMS);
      }
      jvm.run(in, out, err, report, beforeStart);

      assertThat(report).hasContent("exit code 0\ntrue\n");
      assertThat(out).hasContent("given\n0  1  2\n");
      assertThat(err).hasContent("err\n");
    }

    static final class WithClosedStreams {
      public static void main(String[] args) throws IOException {
        spawn(NULL, NULL, NULL);
        if (!Boolean.parseBoolean(args[4])) {
          Descriptors.close(0, 2);
        }
        String seen = spawn(Path.of(args[0]), Path.of(args[1]), Path.of(args[2]));
        java.nio.file.Files.writeString(Path.of(args[3]), seen);
      }

      private static String spawn(Path in, Path out, Path err) throws IOException {
        try (Descriptor input =
            Descriptor.adopt(Files.open(in.toString().getBytes(ISO_8859_1), Files.O_RDONLY, 0))) {
          int[] before = Descriptors.list();
          ExitStatus status =
              shell("cat; ls -x -w 0 /proc/$$/fd; echo err >&2")
                  .standardInput(Redirect.to(input))
                  .standardOutput(Redirect.truncate(out))
                  .standardError(Redirect.append(err))
                  .spawn()
                  .waitFor();
          return status + "\n" + Arrays.equals(before, Descriptors.list()) + "\n";
        }
      }
    }

    @Test
    void aStreamThatIsClosedHereIsClosedThere() throws Exception {
      Path report = directory.resolve("report");

      ChildJvm.of(InheritClosed.class).run(report);

      assertThat(report).hasContent("closed closed /dev/null");
    }

    static final class InheritClosed {
      public static void main(String[] args) throws IOException {
        spawn();
        Descriptors.close(0, 2);
        String seen = spawn();
        java.nio.file.Files.writeString(Path.of(args[0]), seen);
      }

      /** The null device is opened under number 0 for a moment, but not for the program. */
      private static String spawn() throws IOException {
        Child child = Running.sleeper().standardError(Redirect.nullDevice()).spawn();
        Running.awaitSleep(child.pid());
        byte[] buffer = new byte[100];
        StringBuilder seen = new StringBuilder();
        for (int stream = 0; stream < 3; stream++) {
          byte[] link = ("/proc/" + child.pid() + "/fd/" + stream).getBytes(ISO_8859_1);
          int length = Files.readlink(link, buffer);
          seen.append(length < 0 ? "closed" : new String(buffer, 0, length, ISO_8859_1))
              .append(' ');
        }
        child.signal(Signal.KILL);
        child.waitFor();
        return seen.toString().strip();
      }
    }

    @Test
    void aKeptDescriptorHasItsNumberAndItsLock() throws IOException {
      Path file = java.nio.file.Files.createFile(directory.resolve("lock"));
      byte[] path = file.toString().getBytes(ISO_8859_1);
      Running running;
      int number;
      try (Descriptor lock =
          Descriptor.adopt(Files.open(path, Files.O_RDWR | Files.O_CLOEXEC, 0))) {
        assertThat(Files.flock(lock.number(), Files.LOCK_EX | Files.LOCK_NB)).isZero();
        number = lock.number();
        running = Running.start(Running.sleeper().keep(lock));
      }
      try (Descriptor other =
          Descriptor.adopt(Files.open(path, Files.O_RDWR | Files.O_CLOEXEC, 0))) {
        try (running) {
          assertThat(running.descriptors())
              .containsOnlyKeys(0, 1, 2, number)
              .containsEntry(number, file.toRealPath().toString());
          assertThat(Files.flock(other.number(), Files.LOCK_EX | Files.LOCK_NB))
              .isEqualTo(-Errno.EAGAIN.number());
        }
        assertThat(Files.flock(other.number(), Files.LOCK_EX | Files.LOCK_NB)).isZero();
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "posix_spawn_file_actions_addclosefrom_np", "close_range"})
    void everyOtherDescriptorIsClosedHoweverManyThereAre(String without) throws Exception {
      assertThat(ChildJvm.of(Leaky.class).option(WITHOUT + without).run().lines())
          .containsExactly("1000", "[0, 1, 2]", "[0, 1, 2, 500, 503]", "true");
    }

    static final class Leaky {
      public static void main(String[] args) throws IOException {
        for (int i = 0; i < 1000; i++) {
          Descriptors.unmarkCloseOnExec(DescriptorsTest.nullDevice(100).number());
        }
        int[] before = Descriptors.list();
        System.out.println(Arrays.stream(before).filter(number -> number >= 100).count());
        try (Running running = Running.start(Running.sleeper())) {
          System.out.println(running.descriptors().keySet());
        }
        try (Running running = Running.start(Running.sleeper().keep(503).keep(500).keep(503))) {
          System.out.println(running.descriptors().keySet());
        }
        System.out.println(Arrays.equals(before, Descriptors.list()));
      }
    }

    /** In another root directory, for instance. */
    @ParameterizedTest
    @ValueSource(strings = {"EPERM", "ENOSYS"})
    @Tag("root")
    @Tag("cc")
    void nothingIsStartedWhereDescriptorsCannotBeClosed(String error) throws Exception {
      String missing = "posix_spawn /no/such: No such file or directory (ENOENT, 2)";
      List<String> refused =
          FaultInjector.compiled(directory).forbidding("close_range", error, List.of());

      assertThat(ChildJvm.of(InRootDirectory.class).startedBy(refused).run(directory).lines())
          .startsWith(missing, missing, missing, missing)
          .endsWith(UNLISTED, UNLISTED, UNLISTED, UNLISTED)
          .hasSize(8);
      assertThat(ChildJvm.of(InRootDirectory.class).run(directory).lines())
          .containsOnly(missing)
          .hasSize(8);
    }

    private static final String UNLISTED = "cannot list /proc/self/fd";

    /** Starts what is missing, with and without a limit; then once more where all is missing. */
    static final class InRootDirectory {
      public static void main(String[] args) {
        Program plain = Program.at(Path.of("/no/such"));
        Program limited = plain.limit(ResourceLimit.parse("nofile=100"));
        for (int round = 0; round < 2; round++) {
          for (Program program : List.of(plain, limited)) {
            try {
              program.spawn();
            } catch (IOException failure) {
              System.out.println(failure.getMessage());
            }
            try {
              program.detach(022);
            } catch (IOException failure) {
              System.out.println(failure.getMessage());
            }
          }
          if (round == 0 && Processes.chroot(args[0].getBytes(US_ASCII)) != 0) {
            throw new AssertionError("chroot");
          }
        }
      }
    }

    @Test
    void withoutASweepWhatIsInheritableIsInherited() throws IOException {
      try (Descriptor marked = DescriptorsTest.nullDevice(3300);
          Descriptor inherited = DescriptorsTest.nullDevice(3301);
          Descriptor kept = DescriptorsTest.nullDevice(3302)) {
        Descriptors.unmarkCloseOnExec(inherited.number());
        try (Running running =
            Running.start(Running.sleeper().closeOtherDescriptors(false).keep(kept))) {
          assertThat(running.descriptors().keySet())
              .contains(0, 1, 2, inherited.number(), kept.number())
              .doesNotContain(marked.number());
        }
      }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1, 2, Integer.MIN_VALUE})
    void whatIsNoDescriptorToKeepIsRefused(int number) {
      assertThatThrownBy(() -> Running.sleeper().keep(number))
          .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aClosedDescriptorCannotBeKept() {
      assertFails(Running.sleeper().keep(3999), Errno.EBADF, "posix_spawn", "/bin/sleep");
    }

    @Test
    void itsNameIsThePathOrAnyOther() throws IOException {
      try (Running path = Running.start(Running.sleeper());
          Running name =
              Running.start(Running.sleeper().name("an \u00ffodd name".getBytes(ISO_8859_1)))) {
        assertThat(path.commandLine()).containsExactly("/bin/sleep", "120");
        assertThat(name.commandLine()).containsExactly("an \u00ffodd name", "120");
      }
    }

    @Test
    void argumentsArriveByteForByte() throws IOException {
      List<String> odd = List.of("", "\u00ff\u0080", "two words", "\n", "*", "-\\", "\u00c3\u00bc");
      List<byte[]> arguments = new ArrayList<>(List.of("%s\\0".getBytes(ISO_8859_1)));
      odd.forEach(argument -> arguments.add(argument.getBytes(ISO_8859_1)));

      assertThat(output(Program.at(Path.of("/usr/bin/printf")).arguments(arguments)))
          .isEqualTo(String.join("\0", odd) + "\0");
      assertThat(output(Program.at(Path.of("/usr/bin/printf")).arguments("%s", "\u00fc")))
          .as("text is UTF-8")
          .isEqualTo("\u00c3\u00bc");
    }

    @Test
    void theEnvironmentArrivesByteForByte() throws IOException {
      Environment environment =
          EnvironmentTest.environment("a.b=c", "=x", "no equals sign", "\u00ff=\u0080\n", "E=");

      assertThat(
              output(Program.at(Path.of("/usr/bin/env")).arguments("-0").environment(environment)))
          .isEqualTo("a.b=c\0=x\0no equals sign\0\u00ff=\u0080\n\0E=\0");
    }

    @Test
    void withoutAnEnvironmentItsOwnIsThisJvms() throws IOException {
      try (Running running = Running.start(Running.sleeper())) {
        assertThat(EnvironmentTest.text(Environment.of(running.pid())))
            .isEqualTo(EnvironmentTest.text(Environment.current()));
      }
    }

    @Test
    void whatCannotBeExecutedIsAnErrorAndNothingRuns() throws IOException {
      Path plain = java.nio.file.Files.createFile(directory.resolve("plain"));
      Path script = executable("script", "#!/no/such/interpreter\n");
      Path loop = directory.resolve("loop");
      executable("loop", "#!" + loop + "\n");

      assertFails(Program.at(Path.of("/no/such")), Errno.ENOENT, "posix_spawn", "/no/such");
      assertFails(Program.at(script), Errno.ENOENT, "posix_spawn", script.toString());
      assertFails(Program.at(plain), Errno.EACCES, "posix_spawn", plain.toString());
      assertFails(Program.at(directory), Errno.EACCES, "posix_spawn", directory.toString());
      assertFails(Program.at(loop), Errno.ELOOP, "posix_spawn", loop.toString());
      assertFails(
          Program.at(Path.of("/bin/true")).arguments("x".repeat(1 << 20)),
          Errno.E2BIG,
          "posix_spawn",
          "/bin/true");
      assertFails(
          Program.at(Path.of("/bin/true"))
              .environment(Environment.current().with("X", "x".repeat(1 << 20))),
          Errno.E2BIG,
          "posix_spawn",
          "/bin/true");
    }

    @Test
    void aProgramThatIsStillWrittenIsBusy() throws IOException {
      Path copy = directory.resolve("copy");
      java.nio.file.Files.copy(Path.of("/bin/true"), copy);
      try (OutputFile writing = OutputFile.open(copy)) {
        assertFails(Program.at(copy), Errno.ETXTBSY, "posix_spawn", copy.toString());
        assertThat(writing.created()).isFalse();
      }
    }

    @Test
    void aNulByteIsRefusedWhenItIsGiven() {
      Program program = Program.at(Path.of("/bin/true"));

      assertThatThrownBy(() -> program.arguments("a\0b"))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> program.name(new byte[1]))
          .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void argumentsAreThoseAtTheTimeOfTheCall() throws IOException {
      byte[] argument = {'a'};
      Program program =
          Program.at(Path.of("/bin/echo")).arguments(List.of("-n".getBytes(US_ASCII), argument));
      argument[0] = 'b';

      assertThat(output(program)).isEqualTo("a");
    }

    @Test
    void aFormatTheKernelDoesNotKnowIsRunByTheShell() throws IOException {
      Path script =
          executable("script", "printf '%s\\n' \"$0\" \"$@\"\ntr '\\0' '\\n' </proc/$$/cmdline");

      assertThat(output(Program.at(script).arguments("-a", "b c")))
          .isEqualTo(script + "\n-a\nb c\n/bin/sh\n" + script + "\n-a\nb c\n");
      assertThat(output(Program.at(script).name("named".getBytes(ISO_8859_1))))
          .isEqualTo(script + "\nnamed\n" + script + "\n");
    }

    @Test
    void noProgramSeesADescriptorThatOtherThreadsOpenAndClose() throws Exception {
      AtomicBoolean over = new AtomicBoolean();
      byte[] device = NULL.toString().getBytes(ISO_8859_1);
      try (Descriptor kept = DescriptorsTest.nullDevice(60);
          ExecutorService threads = Executors.newFixedThreadPool(12)) {
        List<Future<?>> openers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          openers.add(
              threads.submit(() -> {
                while (!over.get()) {
                  int[] open = new int[50];
                  Arrays.setAll(open, _ -> Files.open(device, Files.O_RDWR, 0));
                  Arrays.stream(open).forEach(Files::close);
                }
              }));
        }
        List<Future<Void>> spawners = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
          spawners.add(
              threads.submit(() -> {
                for (int j = 0; j < 25; j++) {
                  try (Running running = Running.start(Running.sleeper().keep(kept))) {
                    assertThat(running.descriptors()).containsOnlyKeys(0, 1, 2, kept.number());
                  }
                }
                return null;
              }));
        }
        try {
          for (Future<Void> spawner : spawners) {
            spawner.get();
          }
        } finally {
          over.set(true);
        }
        for (Future<?> opener : openers) {
          opener.get();
        }
      }
    }

    @Test
    void theDescriptorsOfThisProcessAreAsBefore() throws Exception {
      Path fifo = directory.resolve("fifo");
      run(Program.at(Path.of("/usr/bin/mkfifo")).arguments(fifo.toString()));

      assertThat(ChildJvm.of(Unchanged.class).run(directory, fifo).lines())
          .containsExactly("6 failures", "true");
    }

    static final class Unchanged {
      public static void main(String[] args) throws IOException {
        Path directory = Path.of(args[0]);
        Redirect fine = Redirect.truncate(directory.resolve("out"));
        Redirect link = Redirect.append(directory.resolve("out"));
        Program.at(Path.of("/bin/true")).spawn().waitFor();
        int[] before = Descriptors.list();
        Program.at(Path.of("/bin/true"))
            .standardInput(Redirect.nullDevice())
            .standardOutput(fine)
            .standardError(Redirect.to(Descriptor.adopt(1)))
            .directory(directory)
            .spawn()
            .waitFor();
        Program[] failing = {
          Program.at(Path.of("/no/such")).standardOutput(fine).standardError(link),
          Program.at(Path.of("/bin/true")).standardOutput(fine).directory(Path.of("/no/such")),
          Program.at(Path.of("/bin/true"))
              .standardInput(Redirect.nullDevice())
              .standardOutput(fine)
              .standardError(Redirect.truncate(Path.of(args[1]))),
          Program.at(Path.of("/bin/true")).standardOutput(Redirect.append(directory)),
          Program.at(Path.of("/bin/true")).standardOutput(fine).keep(3999),
          Program.at(directory).standardOutput(fine).newSession()
        };
        int failures = 0;
        for (Program program : failing) {
          try {
            program.spawn();
          } catch (PosixException expected) {
            failures++;
          }
        }
        System.out.println(failures + " failures");
        System.out.println(Arrays.equals(before, Descriptors.list()));
      }
    }

    @Test
    void aFileIsEmptiedOnlyWhenEveryStreamIsOpen() throws IOException {
      Path log = java.nio.file.Files.writeString(directory.resolve("log"), "kept");

      assertFails(
          Program.at(Path.of("/bin/true"))
              .standardOutput(Redirect.truncate(log))
              .standardError(Redirect.append(directory)),
          Errno.EISDIR,
          "open",
          directory.toString());
      assertThat(log).hasContent("kept");
    }

    @Test
    void oneProgramIsSpawnedAsOftenAsAsked() throws IOException {
      Path log = directory.resolve("log");
      Program program =
          Program.at(Path.of("/bin/echo")).arguments("x").standardOutput(Redirect.append(log));

      run(program);
      run(program);

      assertThat(log).hasContent("x\nx\n");
    }
  }

  @Nested
  class Exec {
    @ParameterizedTest
    @ValueSource(strings = {"none", "close_range"})
    void theJvmBecomesTheProgram(String without) throws Exception {
      Path out = java.nio.file.Files.writeString(directory.resolve("out"), "old\n");
      Path lock = java.nio.file.Files.createFile(directory.resolve("lock"));

      ChildJvm.Result result =
          ChildJvm.of(Become.class).option(WITHOUT + without).run(directory, out, lock);

      assertThat(result.exit()).isEqualTo(7);
      assertThat(result.out()).isEmpty();
      assertThat(result.err()).isEqualTo("err\n");
      assertThat(java.nio.file.Files.readAllLines(out))
          .containsExactly(
              Long.toString(result.pid()),
              directory.toRealPath().toString(),
              "\u00fc\u00fc",
              "/dev/null",
              "0  1  2  500  503",
              lock.toRealPath().toString());
    }

    static final class Become {
      public static void main(String[] args) throws IOException {
        for (int i = 0; i < 1000; i++) {
          Descriptors.unmarkCloseOnExec(DescriptorsTest.nullDevice(100).number());
        }
        int lock = Files.open(args[2].getBytes(ISO_8859_1), Files.O_RDONLY | Files.O_CLOEXEC, 0);
        if (Files.dup2(lock, 503) != 503) {
          throw new AssertionError("dup2");
        }
        Program.at(SHELL)
            .arguments(
                "-c",
                "echo $$; pwd; echo $VALUE$0; readlink /proc/$$/fd/0; ls -x -w 0 /proc/$$/fd;"
                    + " readlink /proc/$$/fd/503; echo err >&2; exit 7",
                "\u00fc")
            .environment(Environment.current().with("VALUE", "\u00fc"))
            .directory(Path.of(args[0]))
            .standardInput(Redirect.nullDevice())
            .standardOutput(Redirect.truncate(Path.of(args[1])))
            .keep(500)
            .keep(503)
            .exec();
      }
    }

    @Test
    void withoutASweepWhatIsInheritableIsInherited() throws Exception {
      assertThat(ChildJvm.of(NoSweep.class).run().lines()).containsExactly("3000", "3002");
    }

    static final class NoSweep {
      public static void main(String[] args) throws IOException {
        Descriptors.unmarkCloseOnExec(DescriptorsTest.nullDevice(3000).number());
        DescriptorsTest.nullDevice(3001);
        Descriptor kept = DescriptorsTest.nullDevice(3002);
        shell("ls /proc/$$/fd | grep ....; true").closeOtherDescriptors(false).keep(kept).exec();
      }
    }

    @Test
    void limitsAreTheProgramsAlsoBelowWhatAJvmNeeds() throws Exception {
      assertThat(ChildJvm.of(Limited.class).run().lines())
          .containsExactly("100000", "200000", "17", "0");
    }

    static final class Limited {
      public static void main(String[] args) throws IOException {
        shell("ulimit -Sv; ulimit -Hv; ulimit -n; ulimit -c")
            .limit(ResourceLimit.parse("as=102400000:204800000"))
            .limit(ResourceLimit.parse("nofile=17"))
            .limit(ResourceLimit.parse("core=0"))
            .exec();
      }
    }

    @Test
    void afterAFailureTheSoftLimitsAreAsBefore() throws Exception {
      assertThat(ChildJvm.of(LimitedInVain.class).startedBy("prlimit", "--core=7").run().lines())
          .containsExactly("execve /no/such ENOENT", "2 6", "prlimit core=0:8 EPERM", "2 6");
    }

    /** Without the right to raise them, whoever runs the tests. */
    static final class LimitedInVain {
      public static void main(String[] args) {
        int core = Resource.CORE.number();
        int _ = Limits.setrlimit(core, 2, 7);
        int _ = Capabilities.capset(0, 0);
        for (String limit : List.of("core=1:6", "core=0:8")) {
          try {
            Program.at(Path.of("/no/such")).limit(ResourceLimit.parse(limit)).exec();
          } catch (IOException failure) {
            System.out.println(describe((PosixException) failure));
          }
          long[] own = new long[2];
          int _ = Limits.getrlimit(0, core, own);
          System.out.println(own[0] + " " + own[1]);
        }
      }
    }

    @Test
    void theShellRunsWhatTheKernelDoesNotKnow() throws Exception {
      Path script = executable("script", "echo $$ $0 $1\n");

      ChildJvm.Result result = ChildJvm.of(ExecFile.class).run(script);

      assertThat(result.lines()).containsExactly(result.pid() + " " + script + " argument");
    }

    static final class ExecFile {
      public static void main(String[] args) throws IOException {
        Program.at(Path.of(args[0])).arguments("argument").exec();
      }
    }

    @Test
    void afterAFailureTheStreamsAreAsBeforeAndTheReasonIsTold() throws Exception {
      Path log = directory.resolve("log");
      List<String> lines =
          ChildJvm.of(Fail.class).run(directory, log, directory.resolve("report")).lines();

      assertThat(lines)
          .containsExactly(
              "execve /no/such ENOENT",
              "execve /bin/true E2BIG",
              "chdir /no/directory ENOENT",
              "open " + directory + " EISDIR",
              "fcntl F_SETFD 3999 EBADF",
              "true");
      assertThat(log).isEmptyFile();
    }

    static final class Fail {
      public static void main(String[] args) throws IOException {
        Path log = Path.of(args[1]);
        System.out.flush();
        Map<Integer, String> before = streams();
        int[] descriptors = Descriptors.list();
        Program[] failing = {
          Program.at(Path.of("/no/such")),
          Program.at(Path.of("/bin/true")).arguments("x".repeat(1 << 20)),
          Program.at(Path.of("/bin/true")).directory(Path.of("/no/directory")),
          Program.at(Path.of("/bin/true")),
          Program.at(Path.of("/bin/true")).keep(3999)
        };
        for (int i = 0; i < failing.length; i++) {
          failing[i]
              .standardInput(Redirect.nullDevice())
              .standardOutput(Redirect.truncate(log))
              .standardError(i == 3 ? Redirect.append(Path.of(args[0])) : Redirect.append(log));
          try {
            failing[i].exec();
          } catch (PosixException failure) {
            System.out.println(describe(failure));
          }
        }
        System.out.println(
            before.equals(streams()) && Arrays.equals(descriptors, Descriptors.list()));
      }

      private static Map<Integer, String> streams() throws IOException {
        return Map.copyOf(Proc.descriptors("self").headMap(3));
      }
    }

    /** The JVM's own files have the numbers of streams that were closed before its start. */
    @ParameterizedTest
    @ValueSource(strings = {"<&-", ">&-", "2>&-", "<&- >&- 2>&-"})
    void streamsThatWereClosedAreReplacedAtTheLastMoment(String closed) throws Exception {
      Path log = directory.resolve("log");

      ChildJvm.Result result =
          ChildJvm.of(ExecClosed.class)
              .option("-Xshare:off")
              .startedBy("sh", "-c", "exec \"$@\" " + closed, "sh")
              .run(log);

      assertThat(result.exit()).isZero();
      assertThat(log).hasContent("/dev/null\nerr\n");
    }

    static final class ExecClosed {
      public static void main(String[] args) throws IOException {
        shell("readlink /proc/self/fd/0; echo err >&2")
            .standardInput(Redirect.nullDevice())
            .standardOutput(Redirect.append(Path.of(args[0])))
            .standardError(Redirect.append(Path.of(args[0])))
            .exec();
      }
    }

    @Test
    void afterAFailureAClosedStreamIsClosedAgain() throws Exception {
      Path report = directory.resolve("report");

      ChildJvm.of(FailClosed.class).run(report, directory.resolve("log"));

      assertThat(report).hasContent("ENOENT true\n");
    }

    /**
     * All classes are loaded by a first try: Java leaves the null device open where it closes a
     * file that had the number of a standard stream.
     */
    static final class FailClosed {
      public static void main(String[] args) throws IOException {
        exec(args[1]);
        Descriptors.close(0, 2);
        String seen = exec(args[1]);
        java.nio.file.Files.writeString(Path.of(args[0]), seen);
      }

      private static String exec(String log) throws IOException {
        int[] before = Descriptors.list();
        String reason = "none";
        try (Descriptor device = DescriptorsTest.nullDevice(3)) {
          Program.at(Path.of("/no/such"))
              .standardInput(Redirect.to(device))
              .standardOutput(Redirect.append(Path.of(log)))
              .standardError(Redirect.to(device))
              .exec();
        } catch (PosixException failure) {
          reason = failure.errno().name();
        }
        return reason + " " + Arrays.equals(before, Descriptors.list()) + "\n";
      }
    }
  }

  @Test
  void aDirectoryIsCheckedWithoutATrace() throws IOException {
    int[] before = Descriptors.list();
    Program.checkDirectory(directory);
    Program.checkDirectory(Path.of("/"));
    Path file = java.nio.file.Files.createFile(directory.resolve("file"));
    for (Path path : List.of(directory.resolve("missing"), file)) {
      assertThatThrownBy(() -> Program.checkDirectory(path))
          .isInstanceOf(PosixException.class)
          .hasMessageStartingWith("open " + path + ": ");
    }
    assertThat(Descriptors.list()).isEqualTo(before);
  }

  private static Program shell(String script) {
    return Program.at(SHELL).arguments("-c", script);
  }

  private static void run(Program program) throws IOException {
    assertThat(program.spawn().waitFor().exitCode()).hasValue(0);
  }

  private String output(Program program) throws IOException {
    Path out = directory.resolve("output");
    run(program.standardOutput(Redirect.truncate(out)));
    return java.nio.file.Files.readString(out, ISO_8859_1);
  }

  private static void assertFails(Program program, Errno errno, String call, String subject) {
    assertThatThrownBy(program::spawn)
        .isInstanceOfSatisfying(
            PosixException.class,
            failure ->
                assertThat(describe(failure)).isEqualTo(call + " " + subject + " " + errno.name()));
    assertThat(Processes.waitpid(-1, new int[1], Processes.WNOHANG))
        .as("nothing is left to wait for")
        .isNotPositive();
  }

  private static String describe(PosixException failure) {
    return failure.call() + " " + failure.subject() + " " + failure.errno().name();
  }

  private Path executable(String name, String content) throws IOException {
    Path path = java.nio.file.Files.writeString(directory.resolve(name), content);
    java.nio.file.Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    return path;
  }

  @Test
  void standardInputIsNoFileToWriteTo(@TempDir Path place) throws Exception {
    Path file = java.nio.file.Files.writeString(place.resolve("input"), "text");
    Program cat = Program.at(Path.of("/bin/cat"));

    for (Redirect redirect : List.of(Redirect.truncate(file), Redirect.append(file))) {
      assertThatThrownBy(() -> cat.standardInput(redirect))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageEndingWith("a file that is opened for writing: " + file);
    }
    assertThat(file).hasContent("text");
  }

  @Test
  @SuppressWarnings("NullAway") // It is what is tested.
  void anElementThatIsNullIsRefusedByItsParametersName() {
    Program program = Program.at(Path.of("/bin/true"));
    List<byte[]> bytes = Arrays.asList(new byte[0], null);

    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> program.arguments("a", null), () -> program.arguments(bytes))) {
      assertThatThrownBy(call).isInstanceOf(NullPointerException.class).hasMessage("arguments");
    }
    assertThatThrownBy(() -> Descendants.signal(Signal.TERM, null))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("signals");
    assertThatThrownBy(() -> LogFile.at(Path.of("/x"), StandardStream.OUTPUT, null))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("streams");
  }
}
