package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ProcFilesTest {
  private final List<Process> processes = new ArrayList<>();

  @AfterEach
  void end() throws Exception {
    for (Process process : processes) {
      process.destroyForcibly().waitFor();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4060, 4096, 8192, 100_000})
  void aFileIsReadToItsEndHoweverLongItIs(int length) throws Exception {
    String argument = "x".repeat(length);
    Process process = start("cat", "-", argument);

    assertThat(ProcFiles.read("/proc/" + process.pid() + "/cmdline"))
        .isEqualTo("cat\0-\0" + argument + "\0");
  }

  /** A process may write 30 MiB there. */
  @Test
  void aFileIsReadUpToTheLimit() throws Exception {
    String half = "x".repeat(ProcFiles.LIMIT / 2);
    Process process = start("cat", "-", half, half, half);

    String path = "/proc/" + process.pid() + "/cmdline";
    assertThat(ProcFiles.read(path)).hasSize(ProcFiles.LIMIT).startsWith("cat\0-\0xxx");
    assertThat(ProcFiles.readRecord(path)).hasSize(ProcFiles.LIMIT);
  }

  @Test
  void aListComesInWholeLines() throws Exception {
    StringBuilder all = new StringBuilder();
    try (ProcFiles.Lines lines = new ProcFiles.Lines("/proc/self/smaps")) {
      String next;
      while ((next = lines.next()) != null) {
        assertThat(next).endsWith("\n").contains("kB\n").hasSizeLessThan(9000);
        all.append(next);
      }
    }

    assertThat(all.length()).isGreaterThan(ProcFiles.LIMIT / 2);
    assertThat(all.toString().lines()).allMatch(line -> line.matches("[0-9a-f]+-.*|\\w+:.*"));
  }

  @Test
  void aByteIsACharacter() throws Exception {
    Process process = start("sh", "-c", "exec cat - \"$(printf '\\377\\303\\251')\"");

    assertThat(ProcFiles.read("/proc/" + process.pid() + "/cmdline"))
        .isEqualTo("cat\0-\0\u00ff\u00c3\u00a9\0");
  }

  @Test
  void whatCannotBeReadIsToldWithTheCallAndThePath() {
    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(() -> ProcFiles.read("/proc/0/stat"))
        .withMessage("open /proc/0/stat: No such file or directory (ENOENT, 2)");
    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(() -> ProcFiles.read("/proc/self"))
        .withMessage("read /proc/self: Is a directory (EISDIR, 21)");
  }

  @Test
  void allThousandsOfNamesAreListed() throws Exception {
    Process process =
        start(
            "bash",
            "-c",
            "ulimit -n 4000; for ((i = 0; i < 3000; i++)); do exec {fd}</dev/null; done;"
                + " exec cat - x");

    assertThat(ProcFiles.list("/proc/" + process.pid() + "/fd/"))
        .hasSize(3003)
        .contains("0", "1", "2", "3000");
  }

  @Test
  void aProcessThatIsGoneOrAZombieHasNoDescriptors() throws Exception {
    assertThat(ProcFiles.list("/proc/0/fd/")).isEmpty();

    try (Spawning spawning = new Spawning()) {
      byte[] program = "/bin/true".getBytes(StandardCharsets.US_ASCII);
      int pid = spawning.spawn(program, List.of(program), List.of());
      int pidfd = PidFds.open(pid);
      assertThat(Polling.poll(pidfd, Polling.POLLIN, 10_000)).isEqualTo(1);
      assertThat(Proc.status(Integer.toString(pid), "State")).startsWith("Z");

      assertThat(listOf(pid)).isEmpty();
      assertThat(ProcFiles.read("/proc/" + pid + "/cmdline")).isEmpty();

      assertThat(Processes.waitid(pidfd, new ProcessEnd(), Processes.WEXITED)).isZero();
      assertThat(Files.close(pidfd)).isZero();
      assertThat(ProcFiles.list("/proc/" + pid + "/fd/")).isEmpty();
    }
  }

  /** What has ended is root's, so that its list may be refused to everybody else. */
  private static List<String> listOf(long pid) throws PosixException {
    try {
      return ProcFiles.list("/proc/" + pid + "/fd/");
    } catch (PosixException refused) {
      assertThat(refused.errno()).isEqualTo(Errno.EACCES);
      assertThat(user()).isNotZero();
      return List.of();
    }
  }

  private static int user() {
    int[] ids = new int[3];
    Credentials.getresuid(ids);
    return ids[1];
  }

  @Test
  void whatEndsMeanwhileHasNoDescriptorsOrSaysSoByItsErrno() throws Exception {
    for (int i = 0; i < 200; i++) {
      Process process = new ProcessBuilder("true").start();
      String directory = "/proc/" + process.pid();
      while (process.isAlive()) {
        assertThat(listOf(process.pid()).size()).isLessThan(20);
        try {
          assertThat(ProcFiles.read(directory + "/stat")).isNotEmpty();
        } catch (PosixException gone) {
          assertThat(gone.errno()).isIn(Errno.ENOENT, Errno.ESRCH);
        }
      }
      process.waitFor();
    }
  }

  @Test
  @Tag("root")
  void whatAnotherUserHasOpenIsNotForNobody(@TempDir Path classes) throws Exception {
    assertThat(
            ChildJvm.of(ListAsNobody.class)
                .startedBy(ChildJvm.AS_NOBODY)
                .copied(classes)
                .run()
                .output())
        .isEqualTo("open /proc/1/fd/: Permission denied (EACCES, 13)");
  }

  static final class ListAsNobody {
    public static void main(String[] arguments) {
      try {
        System.out.println(ProcFiles.list("/proc/1/fd/").size());
      } catch (PosixException refused) {
        System.out.println(refused.getMessage());
      }
    }
  }

  @Test
  void withoutADescriptorLeftNothingIsMistakenForAnEmptyDirectory() throws Exception {
    assertThat(
            ChildJvm.of(ListWithoutDescriptors.class)
                .startedBy("prlimit", "--nofile=100:100")
                .run()
                .lines())
        .containsExactly(
            "0",
            "none left: Too many open files (EMFILE, 24)",
            "open /proc/self/fd/: Too many open files (EMFILE, 24)");
  }

  static final class ListWithoutDescriptors {
    public static void main(String[] arguments) throws PosixException {
      byte[] path = "/dev/null".getBytes(StandardCharsets.US_ASCII);
      // What is used then is loaded now.
      System.out.println(ProcFiles.list("/proc/0").size());
      System.out.println(new PosixException("none", "left", Errno.of(24)).getMessage());
      while (Files.open(path, Files.O_RDONLY, 0) >= 0) {
        // Until there is none left.
      }
      try {
        System.out.println(ProcFiles.list("/proc/self/fd/").size());
      } catch (PosixException refused) {
        System.out.println(refused.getMessage());
      }
    }
  }

  @Test
  void nothingStaysOpen() throws Exception {
    int before = Proc.openIn(Path.of("/proc")).size();
    for (int i = 0; i < 20; i++) {
      assertThat(ProcFiles.read("/proc/self/stat")).isNotEmpty();
      assertThat(ProcFiles.list("/proc/self/fd")).isNotEmpty();
      assertThat(ProcFiles.list("/proc/0")).isEmpty();
      assertThatExceptionOfType(PosixException.class)
          .isThrownBy(() -> ProcFiles.read("/proc/self"));
    }
    assertThat(Proc.openIn(Path.of("/proc"))).hasSize(before);
  }

  /** Starts what becomes {@code cat - ...}, and goes on until the end of its input. */
  private Process start(String... command) throws Exception {
    Process process = new ProcessBuilder(command).start();
    processes.add(process);
    // It echoes when it is cat.
    process.outputWriter().append("ready\n").flush();
    assertThat(process.inputReader().readLine()).isEqualTo("ready");
    return process;
  }
}
