package dev.daimon.posix.call;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import dev.daimon.posix.UserChange;
import dev.daimon.testing.ChildJvm;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessesTest {
  @Test
  void theProcessAndItsParentAreThoseThatJavaKnows() {
    ProcessHandle self = ProcessHandle.current();

    assertThat(Processes.getpid()).isEqualTo((int) self.pid());
    assertThat(Processes.getppid()).isEqualTo((int) self.parent().orElseThrow().pid());
  }

  @Test
  void groupAndSessionAreThoseOfTheKernelsTable() throws IOException {
    String stat = java.nio.file.Files.readString(Path.of("/proc/self/stat"));
    List<String> fields = List.of(stat.substring(stat.lastIndexOf(')') + 2).split(" ", 5));

    assertThat(Processes.getpgrp()).hasToString(fields.get(2));
    assertThat(Processes.getsid(0)).hasToString(fields.get(3));
    assertThat(Processes.getsid(Processes.getpid())).hasToString(fields.get(3));
    assertThat(Processes.getsid(NO_PID)).isEqualTo(-Errno.ESRCH.number());
  }

  @Test
  void theMaskIsSetAndTheOldOneComesBack(@TempDir Path directory) throws IOException {
    int before = Processes.umask(0137);
    try {
      Path file = java.nio.file.Files.createFile(directory.resolve("file"));
      assertThat(java.nio.file.Files.getPosixFilePermissions(file))
          .isEqualTo(PosixFilePermissions.fromString("rw-r-----"));
    } finally {
      assertThat(Processes.umask(before)).isEqualTo(0137);
    }
  }

  @Test
  void theEnvironmentIsTheKernelsByteForByte() throws Exception {
    assertThat(
            ChildJvm.of(Environment.class)
                .startedBy(
                    "sh", "-c", "A=$(printf '\\377\\200=x y') exec env 'a.b=c' EMPTY= \"$@\"", "sh")
                .run()
                .output())
        .isEqualTo("true");
  }

  static final class Environment {
    public static void main(String[] args) throws IOException {
      ByteArrayOutputStream joined = new ByteArrayOutputStream();
      for (byte[] entry : Processes.environ()) {
        joined.writeBytes(entry);
        joined.write(0);
      }
      byte[] kernels = java.nio.file.Files.readAllBytes(Path.of("/proc/self/environ"));
      System.out.println(Arrays.equals(joined.toByteArray(), kernels));
    }
  }

  @Test
  void anEmptyEnvironmentIsAnEmptyList() throws Exception {
    assertThat(ChildJvm.of(Environment.class).startedBy("env", "-i").run().output())
        .isEqualTo("true");
  }

  @Test
  void aChildIsWaitedForAndItsStatusTold() {
    int[] status = new int[1];
    int pid = spawn("/bin/sh", "-c", "exit 7");

    assertThat(Processes.waitpid(pid, status, 0)).isEqualTo(pid);

    assertThat(status[0]).isEqualTo(7 << 8);
    assertThat(Processes.waitpid(pid, status, 0)).isEqualTo(-Errno.ECHILD.number());
  }

  @Test
  void aChildThatRunsIsNotWaitedForIfSoAsked() {
    int[] status = new int[1];
    int pid = spawn("/bin/sleep", "60");
    try {
      assertThat(Processes.waitpid(pid, status, Processes.WNOHANG)).isZero();
    } finally {
      assertThat(Signals.kill(pid, 9)).isZero();
      assertThat(Processes.waitpid(pid, status, 0)).isEqualTo(pid);
    }
    assertThat(status[0]).as("killed by SIGKILL").isEqualTo(9);
  }

  @Test
  void theWorkingDirectoryOfTheProcessChangesAndJavasDoesNot(@TempDir Path directory)
      throws Exception {
    assertThat(ChildJvm.of(Chdir.class).run(directory.toString()).output())
        .isEqualTo("-2 0 " + directory.toRealPath() + " " + Path.of("").toAbsolutePath());
  }

  static final class Chdir {
    public static void main(String[] args) throws IOException {
      int missing = Processes.chdir(bytes(args[0] + "/missing"));
      int result = Processes.chdir(bytes(args[0]));
      Path cwd = Path.of("/proc/self/cwd").toRealPath();
      System.out.println(missing + " " + result + " " + cwd + " " + Path.of("").toAbsolutePath());
    }
  }

  @Test
  @Tag("root")
  void aThreadCanHaveARootDirectoryOfItsOwn(@TempDir Path directory) throws Exception {
    java.nio.file.Files.createFile(directory.resolve("here"));

    assertThat(ChildJvm.of(Chroot.class).run(directory).output())
        .isEqualTo("-2 0 0 0 true, others false");
  }

  static final class Chroot {
    public static void main(String[] args) throws Exception {
      Thread thread =
          new Thread(() ->
              System.out.print(
                  Processes.chroot(bytes("/no/such"))
                      + " "
                      + Processes.unshareDirectories()
                      + " "
                      + Processes.chroot(bytes(args[0]))
                      + " "
                      + Processes.chdir(bytes("/"))
                      + " "
                      + new File("/here").exists()));
      thread.start();
      thread.join();
      System.out.println(", others " + new File("/here").exists());
    }
  }

  @Test
  void aNewSessionIsLedByThisProcessWhichCannotLeadAnother() throws Exception {
    assertThat(ChildJvm.of(Setsid.class).run().output()).isEqualTo("true true true -1");
  }

  static final class Setsid {
    public static void main(String[] args) {
      int pid = Processes.getpid();
      boolean session = Processes.setsid() == pid;
      boolean own = Processes.getsid(0) == pid;
      boolean group = Processes.getpgrp() == pid;
      System.out.println(session + " " + own + " " + group + " " + Processes.setsid());
    }
  }

  @Test
  void anExecutedProgramHasThisPidAndTheGivenArgumentsAndEnvironment() throws Exception {
    List<String> lines = ChildJvm.of(Execve.class).run().lines();

    assertThat(lines).hasSize(2);
    assertThat(lines.get(1)).isEqualTo("-2 " + lines.get(0) + " zero one two A=1");
  }

  static final class Execve {
    public static void main(String[] args) {
      List<byte[]> argv =
          strings("sh", "-c", "echo $0 $$ zero \"$@\" $(tr '\\0' ' ' </proc/$$/environ)");
      int missing = execve(bytes("/missing"), argv, List.of());
      System.out.println(Processes.getpid());
      System.exit(
          execve(
              bytes("/bin/sh"),
              List.of(argv.get(0), argv.get(1), argv.get(2), bytes("" + missing), bytes("one two")),
              strings("A=1")));
    }
  }

  /** Executes a program as it is. */
  static int execve(byte[] path, List<byte[]> argv, List<byte[]> envp) {
    return Processes.execve(UserChange.NONE, new long[0][], new int[0][], path, argv, envp);
  }

  /** Above every {@code pid_max}. */
  private static final int NO_PID = 1 << 30;

  static int spawn(String... argv) {
    try (Spawning spawning = new Spawning()) {
      int pid = spawning.spawn(bytes(argv[0]), strings(argv), List.of());
      assertThat(pid).isPositive();
      return pid;
    }
  }

  private static List<byte[]> strings(String... strings) {
    return Arrays.stream(strings).map(ProcessesTest::bytes).toList();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }
}
