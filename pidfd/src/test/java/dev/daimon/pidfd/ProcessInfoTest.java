package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ProcessInfoTest {
  private static final long SELF = ProcessHandle.current().pid();

  /** What the kernel counts the time of a start in. */
  private static final Duration HUNDREDTH = Duration.ofMillis(10);

  @TempDir Path directory;
  private final Children children = new Children();

  @AfterEach
  void end() {
    children.close();
  }

  @Test
  void aChildIsWhatItWasStartedAs() throws Exception {
    int pid = running(children.sleeper());

    ProcessInfo info = info(pid);

    assertThat(info.name()).isEqualTo("sleep");
    assertThat(info.commandLine()).containsExactly("/bin/sleep", "1000");
    assertThat(info.parent()).isEqualTo(SELF);
    assertThat(info.group()).isEqualTo(ProcessSandbox.stat(SELF, 5));
    assertThat(info.session()).isEqualTo(ProcessSandbox.stat(SELF, 6));
    assertThat(info.user()).isEqualTo(Long.parseLong(Command.run("id", "-u")));
  }

  @Test
  @Tag("kernel-threads")
  void aThreadOfTheKernelIsTold() throws Exception {
    try (PidFd kthreadd = PidFd.open(2)) {
      assertThat(kthreadd.info().kernelThread()).isTrue();
      assertThat(kthreadd.info().ending()).isFalse();
    }
  }

  @Test
  @Tag("python3")
  void theEndBeginsWithTheFirstThread() throws Exception {
    String script =
        """
        import ctypes, threading
        threading.Thread(target=input).start()
        ctypes.CDLL(None).pthread_exit(None)
        """;
    Process child = new ProcessBuilder("python3", "-c", script).start();
    try {
      ProcessSandbox.await("the end of the first thread", () -> info(child.pid()).ending());
      assertThat(info(child.pid()).kernelThread()).isFalse();
    } finally {
      child.destroyForcibly().waitFor();
    }
  }

  /** It is no sign of an end. */
  @Test
  void aCommandLineMayBeEmpty() throws Exception {
    Process child = new ProcessBuilder("bash", "-c", "exec -a '' cat").start();
    try {
      ProcessSandbox.await("the program", () -> info(child.pid()).name().equals("cat"));

      ProcessInfo info = info(child.pid());
      assertThat(info.commandLine()).isEmpty();
      assertThat(info.ending()).isFalse();
      assertThat(info.kernelThread()).isFalse();
    } finally {
      child.destroyForcibly().waitFor();
    }
  }

  @Test
  @Tag("root")
  void whoMaySignalItIsToldByTheRealAndTheSavedUser() throws Exception {
    int pid = children.spawn("/usr/bin/perl", "-e", "$> = 65534; sleep 1000");
    try (PidFd process = PidFd.open(pid)) {
      while (process.info().user() == 0) {
        Thread.onSpinWait();
      }
    }

    ProcessInfo info = info(pid);

    assertThat(info.user()).isEqualTo(65534);
    assertThat(info.realUser()).isZero();
    assertThat(info.savedUser()).isZero();
    assertThat(info.mayBeSignalledBy(65534)).isFalse();
    assertThat(info.mayBeSignalledBy(0)).isTrue();
    int users = children.spawn("/usr/bin/setpriv", "--ruid", "65534", "sleep", "1000");
    awaitState(users, "sleep", "S");
    assertThat(info(users).mayBeSignalledBy(65534)).isTrue();
    assertThat(info(users).mayBeSignalledBy(1)).isFalse();
  }

  @Test
  void aLeaderOfItsOwnSessionIsTold() throws Exception {
    int pid = children.spawn("/usr/bin/setsid", "sleep", "1000");
    awaitState(pid, "sleep", "S");

    ProcessInfo info = info(pid);

    assertThat(info.parent()).isEqualTo(SELF);
    assertThat(info.group()).isEqualTo(pid);
    assertThat(info.session()).isEqualTo(pid);
  }

  @Test
  void whatWasStartedByAnotherOneHasThatOneAsParent() throws Exception {
    int pid = children.foreign();

    assertThat(info(pid).parent())
        .isEqualTo(ProcessHandle.of(pid).orElseThrow().parent().orElseThrow().pid())
        .isNotEqualTo(SELF);
  }

  @Test
  void theTimeOfTheStartIsTheOneOfTheClockAndOfJava() throws Exception {
    Instant before = Instant.now();
    int pid = children.sleeper();
    Instant after = Instant.now();

    ProcessInfo info = info(pid);
    Duration old = Duration.between(before, Instant.now()).plus(HUNDREDTH);

    // The kernel tells the machine's start in whole seconds.
    assertThat(info.startTime())
        .isBetween(before.minus(HUNDREDTH).minusSeconds(1), after.plus(HUNDREDTH));
    assertThat(info.uptime()).isBetween(Duration.ZERO, old);
    assertThat(info(pid).uptime()).isGreaterThan(info.uptime());
    for (int i = 0; i < 1000; i++) {
      assertThat(info(pid).startTime()).isEqualTo(info.startTime());
    }
    // As Java tells it, in hundredths.
    ProcessInfo self = info(SELF);
    Instant start = ProcessHandle.current().info().startInstant().orElseThrow();
    assertThat(self.startTime()).isCloseTo(start, within(1100, ChronoUnit.MILLIS));
    assertThat(self.startTime().plus(self.uptime()))
        .isCloseTo(Instant.now(), within(5, ChronoUnit.SECONDS));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a b",
        "(",
        ")",
        ") S 1 2 3 (",
        "x) Z 7 7 7",
        "x\nUid:\t7\t7",
        "\\n\\",
        "12345678901234",
        "ünïcode"
      })
  void aNameMayHoldAnything(String name) throws Exception {
    int pid = sleeperNamed(name);
    ProcessInfo info = info(pid);

    assertThat(info.name()).isEqualTo(name);
    try (PidFd process = PidFd.open(pid)) {
      assertThat(process.name()).isEqualTo(name);
    }
    assertThat(info.parent()).isEqualTo(SELF);
    assertThat(info.user()).isEqualTo(Long.parseLong(Command.run("id", "-u")));
    assertThat(info.commandLine()).containsExactly(directory + "/" + name, "1000");
  }

  @ParameterizedTest
  @CsvSource({
    "a-name-of-16-byt, a-name-of-16-by",
    "a-very-very-very-long-name, a-very-very-ver",
    // The last letter has two bytes, and one of them is left.
    "a-name-of-14-bü, a-name-of-14-b\ufffd",
  })
  void aNameIsCutTo15Bytes(String name, String cut) throws Exception {
    assertThat(info(sleeperNamed(name)).name()).isEqualTo(cut);
  }

  @Test
  void theWordsOfACommandLineAreItsOwn() throws Exception {
    String[] command = {"/bin/sh", "-c", "kill -STOP $$; :", "", "a b", "", "ü\n\t"};
    int pid = children.spawn(command);
    awaitState(pid, "sh", "T");

    assertThat(info(pid).commandLine()).containsExactly(command);
  }

  @Test
  void whatIsNotUtf8IsReplaced() throws Exception {
    int pid = children.shell("exec /bin/sh -c 'kill -STOP $$; :' \"$(printf 'a\\377\\303\\251')\"");
    awaitState(pid, "sh", "T");

    assertThat(info(pid).commandLine())
        .containsExactly("/bin/sh", "-c", "kill -STOP $$; :", "a\ufffdé");
  }

  @Test
  void aLongCommandLineIsTakenWhole() throws Exception {
    String[] command = new String[4000];
    Arrays.fill(command, "0".repeat(20));
    command[0] = "/bin/sleep";
    command[1] = "1000";

    assertThat(info(running(children.spawn(command))).commandLine()).containsExactly(command);
  }

  /** Of 16 bytes: {@code "/bin/sleep 1000 "}. */
  @ParameterizedTest
  @CsvSource({
    "'sleeper: waiting', 'sleeper: waiting'",
    "'sleeper:00000000', 'sleeper:'",
    "'a0b0000000000000', 'a,b'",
    "'0000000000000000', ''",
    "'0a00000000000000', ',a'",
  })
  void anOverwrittenCommandLineIsWhatIsThereNowWithoutItsPadding(String bytes, String words)
      throws Exception {
    int pid = running(children.sleeper());
    // By then it has read its arguments, and needs them no more.
    awaitState(pid, "sleep", "S");
    // Field 48 of stat is where the arguments are.
    try (RandomAccessFile memory = new RandomAccessFile("/proc/" + pid + "/mem", "rw")) {
      memory.seek(ProcessSandbox.stat(pid, 48));
      memory.write(bytes.replace('0', '\0').getBytes(StandardCharsets.US_ASCII));
    }

    List<String> commandLine = info(pid).commandLine();
    assertThat(String.join(",", commandLine)).startsWith(words);
    assertThat(commandLine).hasSize(words.isEmpty() ? 0 : words.split(",", -1).length);
  }

  @Test
  void whatHasEndedIsNotToldOf() throws Exception {
    int pid = children.shell("exit 0");
    try (PidFd process = PidFd.open(pid)) {
      process.awaitExit();
      assertThat(Proc.status(Integer.toString(pid), "State")).startsWith("Z");
      assertGone(process);

      process.waitFor();
      assertGone(process);
      assertThat(process.name()).isEmpty();
    }
  }

  @Test
  void aClosedHandleTellsNothing() throws Exception {
    PidFd process = PidFd.open(SELF);
    process.close();
    assertThatIllegalStateException().isThrownBy(process::info);

    PidFd ended = PidFd.open(children.shell("exit 0"));
    ended.waitFor();
    ended.close();
    assertThatIllegalStateException().isThrownBy(ended::info);
  }

  @Test
  void whoEndsMeanwhileIsToldOfOrIsGone() throws Exception {
    int told = 0;
    for (int i = 0; i < 500; i++) {
      try (PidFd process = PidFd.open(children.spawn("/bin/true"))) {
        var end = process.exited();
        try {
          while (true) {
            assertThat(process.info().parent()).isEqualTo(SELF);
            told++;
          }
        } catch (PosixException gone) {
          assertThat(gone.errno()).isEqualTo(Errno.ESRCH);
        }
        assertThat(end.get(30, TimeUnit.SECONDS).exitCode()).hasValue(0);
      }
    }
    assertThat(told).isPositive();
  }

  @Test
  void everyProcessOfTheMachineCanBeToldOfTheKernelsOwnToo() throws Exception {
    int told = 0;
    for (ProcessHandle handle : ProcessHandle.allProcesses().toList()) {
      try (PidFd process = PidFd.of(handle)) {
        boolean kernels = isOfTheKernel(handle.pid());
        ProcessInfo info = process.info();
        told++;
        assertThat(info.name()).isNotEmpty();
        assertThat(info.uptime()).isGreaterThanOrEqualTo(Duration.ZERO);
        if (kernels) {
          // There are none to be seen in a container.
          assertThat(info.commandLine()).isEmpty();
          assertThat(info.user()).isZero();
        }
      } catch (PosixException gone) {
        assertThat(gone.errno()).isEqualTo(Errno.ESRCH);
      }
    }
    assertThat(told).isPositive();
  }

  private static boolean isOfTheKernel(long pid) {
    try {
      // PF_KTHREAD
      return (ProcessSandbox.stat(pid, 9) & 0x00200000) != 0;
    } catch (IOException gone) {
      return false;
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {65534, 3000000000L, 4294967294L})
  @Tag("root")
  void theUserIsTheOneItHasBecome(long user) throws Exception {
    int pid = children.spawn("/usr/bin/setpriv", "--reuid=" + user, "/bin/sleep", "1000");
    awaitState(pid, "sleep", "S");

    assertThat(info(pid).user()).isEqualTo(user);
  }

  @Test
  @Tag("root")
  void theUserIsTheEffectiveOne() throws Exception {
    int pid =
        children.spawn("/usr/bin/setpriv", "--ruid=65534", "--euid=65533", "/bin/sleep", "1000");
    awaitState(pid, "sleep", "S");

    assertThat(info(pid).user()).isEqualTo(65533);
    ChildJvm older = ChildJvm.of(Tell.class).option("-Ddev.daimon.posix.without=ioctl");
    assertThat(older.run(pid).output()).isEqualTo("sleep 65533 [/bin/sleep, 1000]");
  }

  @Test
  @Tag("root")
  void anOrdinaryUserIsToldOfOthersUnlessTheyAreHidden() throws Exception {
    int pid = running(children.sleeper());
    ChildJvm nobody = ChildJvm.of(Tell.class).startedBy(ChildJvm.AS_NOBODY).copied(directory);
    assertThat(nobody.run(pid).output()).isEqualTo("sleep 0 [/bin/sleep, 1000]");

    assertThat(whereOthersAre("hidepid=0")).isEqualTo("sleep 0 [sleep, 1000]");
    assertThat(whereOthersAre("hidepid=1")).isEqualTo("open: Operation not permitted (EPERM, 1)");
    assertThat(whereOthersAre("hidepid=2"))
        .isEqualTo("open: No such file or directory (ENOENT, 2)");
  }

  /** What nobody is told of a process of root's, in a PID namespace that ends with the JVM. */
  private String whereOthersAre(String option) throws Exception {
    String script =
        "mount -t proc -o " + option + " proc /proc || exit; sleep 1000 & exec \"$@\" $!";
    return ChildJvm.of(Tell.class)
        .startedBy("unshare", "--mount", "--pid", "--fork", "sh", "-c", script, "sh")
        .startedBy(ChildJvm.AS_NOBODY)
        .copied(directory)
        .run()
        .output();
  }

  @Test
  @Tag("root")
  void whatIsOutsideOfTheNamespaceHasNoId() throws Exception {
    assertThat(
            ChildJvm.of(Ids.class)
                .startedBy("unshare", "--pid", "--fork", "--mount-proc")
                .run()
                .output())
        .isEqualTo("1 0 0 0");
  }

  static final class Tell {
    public static void main(String[] arguments) throws IOException {
      try (PidFd process = PidFd.open(Long.parseLong(arguments[0]))) {
        ProcessInfo info = process.info();
        System.out.println(info.name() + " " + info.user() + " " + info.commandLine());
      } catch (PosixException refused) {
        System.out.println(refused.call() + ": " + refused.errno());
      }
    }
  }

  static final class Ids {
    public static void main(String[] arguments) throws IOException {
      long pid = ProcessHandle.current().pid();
      try (PidFd process = PidFd.open(pid)) {
        ProcessInfo info = process.info();
        System.out.println(pid + " " + info.parent() + " " + info.group() + " " + info.session());
      }
    }
  }

  private static ProcessInfo info(long pid) throws PosixException {
    try (PidFd process = PidFd.open(pid)) {
      return process.info();
    }
  }

  /** A program of that name that goes on; the name's bytes, whatever the locale. */
  private int sleeperNamed(String name) throws Exception {
    String program = directory + "/" + name;
    try (PidFd copy = PidFd.open(children.spawn("/bin/cp", "/bin/sleep", program))) {
      assertThat(copy.waitFor().exitCode()).hasValue(0);
    }
    return running(children.spawn(program, "1000"));
  }

  /** A spawn returns in the midst of the exec: the name and the command line come a bit later. */
  private static int running(int pid) throws Exception {
    Path commandLine = Path.of("/proc/" + pid + "/cmdline");
    ProcessSandbox.await("a command line", () -> Files.readAllBytes(commandLine).length > 0);
    return pid;
  }

  private static void awaitState(int pid, String name, String state) throws Exception {
    ProcessSandbox.await(
        name + " in state " + state,
        () ->
            ProcessSandbox.status(pid, "Name").equals(name)
                && ProcessSandbox.status(pid, "State").startsWith(state));
  }

  private static void assertGone(PidFd process) {
    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(process::info)
        .withMessage("pidfd_open " + process.pid() + ": No such process (ESRCH, 3)");
  }
}
