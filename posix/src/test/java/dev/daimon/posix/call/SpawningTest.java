package dev.daimon.posix.call;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Capability;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Resource;
import dev.daimon.posix.UserChange;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a child became is read from {@code /proc}: a spawn returns when the program was executed.
 */
class SpawningTest {
  private static final List<byte[]> SLEEP = List.of(bytes("sleep"), bytes("60"));

  @TempDir Path directory;

  private Spawning spawning;

  @BeforeEach
  void begin() {
    spawning = new Spawning();
  }

  @AfterEach
  void end() {
    spawning.close();
  }

  @Test
  void theProgramRunsAndItsExitStatusIsItsOwn() {
    int pid = spawn("/bin/sh", "-c", "exit 42");

    assertThat(pid).isPositive();
    assertThat(await(pid)).isEqualTo(42 << 8);
  }

  @Test
  void argumentsAndEnvironmentArriveByteForByte() throws Exception {
    Path output = directory.resolve("out");
    byte[] odd = {'A', '=', (byte) 0xff, ' ', '\n', (byte) 0x80};
    try (Descriptor file = open(output, Files.O_WRONLY | Files.O_CREAT)) {
      assertThat(spawning.addDup2(file.number(), 1)).isZero();
      int pid =
          spawning.spawn(bytes("/usr/bin/env"), List.of(bytes("env"), bytes("-0")), List.of(odd));
      assertThat(await(pid)).isZero();
    }
    assertThat(java.nio.file.Files.readAllBytes(output)).isEqualTo(Arrays.copyOf(odd, 7));
  }

  @Test
  void aProgramThatCannotBeExecutedIsAnErrorNotAChild() throws IOException {
    Path plain = java.nio.file.Files.writeString(directory.resolve("plain"), "text");

    assertThat(spawn("/no/such/program")).isEqualTo(-Errno.ENOENT.number());
    assertThat(spawn(plain.toString())).isEqualTo(-Errno.EACCES.number());
    assertThat(plain.toFile().setExecutable(true)).isTrue();
    assertThat(spawn(plain.toString())).isEqualTo(-Errno.ENOEXEC.number());
    assertThat(Processes.waitpid(-1, new int[1], Processes.WNOHANG))
        .as("nothing is left to wait for")
        .isNotPositive();
  }

  @Test
  void descriptorsAreMovedAndEveryOtherIsClosed() throws Exception {
    Path file = java.nio.file.Files.createFile(directory.resolve("file"));
    try (Descriptor open = open(file, Files.O_RDONLY | Files.O_CLOEXEC)) {
      assertThat(spawning.addDup2(open.number(), 3)).isZero();
      assertThat(spawning.addCloseFrom(4)).isZero();
      int pid = spawn("/bin/sleep", "60");
      try {
        assertThat(descriptors(pid)).containsExactly(0, 1, 2, 3);
        assertThat(Path.of("/proc/" + pid + "/fd/3").toRealPath()).isEqualTo(file.toRealPath());
      } finally {
        kill(pid);
      }
    }
  }

  @Test
  void oneDescriptorIsClosedAndOneOntoItselfStaysOpenOnExec() throws Exception {
    try (Descriptor inherited = inheritable(600);
        Descriptor closed = inheritable(620);
        Descriptor marked = nullDevice()) {
      assertThat(spawning.addClose(closed.number())).isZero();
      assertThat(spawning.addDup2(marked.number(), marked.number())).isZero();
      int pid = spawn("/bin/sleep", "60");
      try {
        assertThat(descriptors(pid))
            .contains(inherited.number(), marked.number())
            .doesNotContain(closed.number());
      } finally {
        kill(pid);
      }
    }
  }

  @Test
  void theChildStartsInTheDirectoryOfADescriptor() throws Exception {
    try (Descriptor place = open(directory, Files.O_RDONLY | Files.O_DIRECTORY)) {
      assertThat(spawning.addFchdir(place.number())).isZero();
      int pid = spawn("/bin/sleep", "60");
      try {
        assertThat(Path.of("/proc/" + pid + "/cwd").toRealPath()).isEqualTo(directory.toRealPath());
      } finally {
        kill(pid);
      }
    }
  }

  @Test
  void anActionThatFailsInTheChildIsTheErrorOfTheSpawn() {
    assertThat(spawning.addFchdir(9999)).isZero();

    assertThat(spawn("/bin/true")).isEqualTo(-Errno.EBADF.number());
  }

  @Test
  void anActionOnNoDescriptorIsRefusedAtOnce() {
    assertThat(spawning.addDup2(-1, 1)).isEqualTo(-Errno.EBADF.number());
    assertThat(spawning.addClose(-1)).isEqualTo(-Errno.EBADF.number());
    assertThat(spawning.addCloseFrom(-1)).isEqualTo(-Errno.EBADF.number());
    assertThat(spawning.setFlags(0x4000)).isEqualTo(-Errno.EINVAL.number());
  }

  @Test
  void theChildLeadsASessionOnlyIfSoAsked() throws IOException {
    int same = spawn("/bin/sleep", "60");
    assertThat(spawning.setFlags(Spawning.POSIX_SPAWN_SETSID)).isZero();
    int own = spawn("/bin/sleep", "60");
    try {
      assertThat(Processes.getsid(same)).isEqualTo(Processes.getsid(0));
      assertThat(Processes.getsid(own)).isEqualTo(own);
    } finally {
      kill(same);
      kill(own);
    }
  }

  @Test
  void theChildIgnoresAndBlocksNoSignalWhateverItsParentDoes() throws Exception {
    List<String> lines =
        ChildJvm.of(SpawnWithCleanSignals.class)
            .startedBy("nohup", "env", "--block-signal=USR1", "--ignore-signal=USR2,RTMAX")
            .run()
            .lines();

    // HUP and the last real-time signal (HotSpot takes USR2 for itself); USR1.
    assertThat(Long.parseUnsignedLong(lines.get(0), 16) & 0x8000_0000_0000_0001L)
        .as("what the parent ignores")
        .isEqualTo(0x8000_0000_0000_0001L);
    assertThat(Long.parseUnsignedLong(lines.get(1), 16) & 0x200)
        .as("what the parent blocks")
        .isEqualTo(0x200);
    assertThat(lines.get(2)).as("what the child ignores").isEqualTo("0000000000000000");
    assertThat(lines.get(3)).as("what the child blocks").isEqualTo("0000000000000000");
  }

  static final class SpawnWithCleanSignals {
    public static void main(String[] args) throws IOException {
      int pid;
      try (Spawning spawning = new Spawning()) {
        int flags = Spawning.POSIX_SPAWN_SETSIGDEF | Spawning.POSIX_SPAWN_SETSIGMASK;
        if (spawning.setFlags(flags) != 0
            || spawning.setAllSignalsDefault() != 0
            || spawning.setEmptySignalMask() != 0) {
          throw new AssertionError("attributes");
        }
        pid = spawning.spawn(bytes("/bin/sleep"), List.of(bytes("sleep"), bytes("60")), List.of());
      }
      System.out.println(Proc.status("thread-self", "SigIgn"));
      System.out.println(Proc.status("thread-self", "SigBlk"));
      System.out.println(Proc.status(Integer.toString(pid), "SigIgn"));
      System.out.println(Proc.status(Integer.toString(pid), "SigBlk"));
      Signals.kill(pid, 9);
      Processes.waitpid(pid, new int[1], 0);
    }
  }

  @Test
  void aDetachedProgramIsInASessionWhoseLeaderHasEnded() throws IOException {
    assertThat(spawning.setFlags(Spawning.POSIX_SPAWN_SETSIGMASK)).isZero();
    assertThat(spawning.setEmptySignalMask()).isZero();
    int[] leader = new int[1];

    int pid = spawning.detach(027, bytes("/bin/sleep"), SLEEP, List.of(), leader);

    try {
      assertThat(Processes.getsid(pid)).isEqualTo(leader[0]).isNotEqualTo(pid);
      assertThat(Proc.status(Integer.toString(pid), "Umask")).isEqualTo("0027");
      assertThat(Proc.status(Integer.toString(pid), "SigBlk")).isEqualTo("0000000000000000");
      assertThat(Processes.waitpid(leader[0], new int[1], 0)).isEqualTo(-Errno.ECHILD.number());
    } finally {
      assertThat(Signals.kill(-leader[0], 9)).isZero();
    }
    int[] status = {-1};
    assertThat(Processes.waitpid(leader[0], status, Processes.__WALL)).isEqualTo(leader[0]);
    assertThat(status[0]).as("ended before the signal").isZero();
  }

  @Test
  void aDetachedProgramHasLimitsThatNobodyElseHas() throws IOException {
    int core = Resource.CORE.number();
    long[] own = limit(0, core);
    int[] leader = new int[1];
    long[][] limits = {{core, 0, 0}, {Resource.NOFILE.number(), 500, 600}};

    spawning.setLimits(limits);
    int pid = spawning.detach(027, bytes("/bin/sleep"), SLEEP, List.of(), leader);

    try {
      assertThat(limit(pid, core)).containsExactly(0, 0);
      assertThat(limit(pid, Resource.NOFILE.number())).containsExactly(500, 600);
      assertThat(limit(leader[0], core)).containsExactly(own);
      assertThat(limit(0, core)).containsExactly(own);
      assertThat(Processes.getsid(pid)).isEqualTo(leader[0]).isNotEqualTo(pid);
      assertThat(Proc.status(Integer.toString(pid), "Umask")).isEqualTo("0027");
      assertThat(Proc.status(Integer.toString(pid), "SigBlk")).isEqualTo("0000000000000000");
      assertThat(Proc.status(Integer.toString(pid), "SigIgn")).isEqualTo("0000000000000000");
      assertThat(Processes.waitpid(leader[0], new int[1], 0)).isEqualTo(-Errno.ECHILD.number());
    } finally {
      assertThat(Signals.kill(-leader[0], 9)).isZero();
    }
    assertThat(Processes.waitpid(leader[0], new int[1], Processes.__WALL)).isEqualTo(leader[0]);
  }

  @ParameterizedTest
  @CsvSource({"9999, 0, 0, /bin/sleep, 9", "-1, 5, 4, /bin/sleep, 22", "-1, 0, 0, /no/such, 2"})
  void aLimitedProgramIsGoneIfAnythingFails(
      int directory, long soft, long hard, String path, int errno) {
    if (directory >= 0) {
      assertThat(spawning.addFchdir(directory)).isZero();
    }
    // That there is nothing to close is no failure. (The C library refuses what no limit allows.)
    assertThat(spawning.addClose(998)).isZero();
    spawning.setLimits(new long[][] {{Resource.CORE.number(), soft, hard}});
    int[] leader = new int[1];

    assertThat(spawning.detach(027, bytes(path), SLEEP, List.of(), leader)).isEqualTo(-errno);
    assertThat(spawning.spawn(bytes(path), SLEEP, List.of())).isEqualTo(-errno);

    assertThat(leader[0]).isZero();
    assertThat(Processes.waitpid(-1, new int[1], Processes.WNOHANG | Processes.__WALL))
        .as("nothing is left to wait for")
        .isNotPositive();
  }

  @Test
  void nothingOfAFailedStartIsLeftToAJvmThatIsASubreaper() throws Exception {
    assertThat(ChildJvm.of(FailAsSubreaper.class).run().output())
        .isEqualTo("22 left false 2 left false");
  }

  /** As init of a container, such a JVM becomes the parent of what the leader leaves. */
  static final class FailAsSubreaper {
    public static void main(String[] args) {
      StringBuilder said = new StringBuilder();
      if (Processes.adoptOrphans() != 0) {
        throw new AssertionError("not a subreaper");
      }
      for (long soft : new long[] {5, 0}) {
        int result;
        try (Spawning spawning = new Spawning()) {
          spawning.setLimits(new long[][] {{Resource.CORE.number(), soft, 0}});
          result = spawning.detach(0, bytes("/no/such"), SLEEP, List.of(), new int[1]);
        }
        int left = Processes.waitpid(-1, new int[1], Processes.__WALL);
        said.append(-result).append(" left ").append(left > 0).append(' ');
      }
      System.out.println(said);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noProgramRunsIfOneOfItsLimitsCannotBeSet(boolean wrongOneFirst) {
    long[] wrong = {Resource.CORE.number(), 5, 4};
    long[] right = {Resource.MEMLOCK.number(), 0, 0};
    spawning.setLimits(wrongOneFirst ? new long[][] {wrong, right} : new long[][] {right, wrong});
    Path ran = directory.resolve("ran");
    List<byte[]> argv = List.of(bytes("touch"), bytes(ran.toString()));
    int refused = -Errno.EINVAL.number();

    assertThat(spawning.spawn(bytes("/bin/touch"), argv, List.of())).isEqualTo(refused);
    assertThat(spawning.detach(027, bytes("/bin/touch"), argv, List.of(), new int[1]))
        .isEqualTo(refused);

    assertThat(ran).doesNotExist();
  }

  @Test
  @Tag("root")
  void aProgramCanBecomeAUserAndKeepCapabilitiesOrNone() throws Exception {
    long bind = 1L << Capability.NET_BIND_SERVICE.number();

    assertThat(Capabilities.keepCapabilities(true)).isZero();
    try {
      for (long kept : new long[] {0, bind}) {
        spawning.setUser(new UserChange(OptionalLong.of(1001), OptionalLong.of(kept)));
        int[] leader = new int[1];
        int child = spawning.spawn(bytes("/bin/sleep"), SLEEP, List.of());
        int detached = spawning.detach(027, bytes("/bin/sleep"), SLEEP, List.of(), leader);
        try {
          for (int pid : new int[] {child, detached}) {
            String process = Integer.toString(pid);
            assertThat(Proc.status(process, "Uid")).isEqualTo("1001\t1001\t1001\t1001");
            for (String set : List.of("CapInh", "CapPrm", "CapEff", "CapAmb")) {
              assertThat(Long.parseLong(Proc.status(process, set), 16)).as(set).isEqualTo(kept);
            }
          }
        } finally {
          kill(child);
          assertThat(Signals.kill(detached, 9)).isZero();
          assertThat(Processes.waitpid(leader[0], new int[1], Processes.__WALL)).isPositive();
        }
      }
    } finally {
      assertThat(Capabilities.keepCapabilities(false)).isZero();
    }
    assertThat(Proc.status("thread-self", "Uid")).isEqualTo("0\t0\t0\t0");
  }

  @ParameterizedTest
  @CsvSource({"1001, 0", "-1, 1024", "1001, 1024"})
  @Tag("root")
  void noProgramRunsIfAStepBeforeItHasFailed(long uid, long kept) throws Exception {
    everybodyMayWrite();
    // Root, but without the right to become anybody, and without the capability to keep.
    assertThat(
            ChildJvm.of(Unable.class)
                .startedBy("setpriv", "--bounding-set=-setuid,-net_bind_service")
                .run(uid, kept, directory)
                .lines())
        .containsExactly("-1 -1", "-1 -1", "[]", "nothing is left");
  }

  private void everybodyMayWrite() throws IOException {
    java.nio.file.Files.setPosixFilePermissions(
        directory, PosixFilePermissions.fromString("rwxrwxrwx"));
  }

  static final class Unable {
    public static void main(String[] args) throws IOException {
      long uid = Long.parseLong(args[0]);
      UserChange change =
          new UserChange(
              uid < 0 ? OptionalLong.empty() : OptionalLong.of(uid),
              OptionalLong.of(Long.parseLong(args[1])));
      Path ran = Path.of(args[2], "ran");
      List<byte[]> argv = List.of(bytes("touch"), bytes(ran.toString()));
      int[] leader = new int[1];
      for (long[][] limits : new long[][][] {{}, {{Resource.CORE.number(), 0, 0}}}) {
        try (Spawning spawning = new Spawning()) {
          spawning.setUser(change);
          spawning.setLimits(limits);
          System.out.println(
              spawning.spawn(bytes("/bin/touch"), argv, List.of())
                  + " "
                  + spawning.detach(0, bytes("/bin/touch"), argv, List.of(), leader));
        }
      }
      System.out.println(Arrays.toString(Path.of(args[2]).toFile().list()));
      int left = Processes.waitpid(-1, new int[1], Processes.WNOHANG | Processes.__WALL);
      System.out.println(left < 0 ? "nothing is left" : "left");
    }
  }

  @Test
  @Tag("root")
  @Tag("strace")
  @Tag("attack")
  void aProgramThatIsStoppedBeforeItRunsIsKilledInTime() throws Exception {
    // Whoever has the user's id can do that from the change of user on.
    ChildJvm jvm = ChildJvm.of(Stopped.class);
    jvm.startedBy("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=setresuid");
    jvm.startedBy("-e", "inject=setresuid:signal=SIGSTOP");
    everybodyMayWrite();

    assertThat(jvm.run(directory).out()).isEqualTo("-110 -110\n[]\nnothing is left\n");
  }

  static final class Stopped {
    public static void main(String[] args) throws Exception {
      Path ran = Path.of(args[0], "ran");
      List<byte[]> argv = List.of(bytes("touch"), bytes(ran.toString()));
      UserChange change = new UserChange(OptionalLong.of(1001), OptionalLong.of(0));
      // At the same time: each takes ten seconds.
      FutureTask<Integer> spawned =
          new FutureTask<>(() -> {
            try (Spawning spawning = new Spawning()) {
              spawning.setUser(change);
              return spawning.spawn(bytes("/bin/touch"), argv, List.of());
            }
          });
      Thread.ofPlatform().start(spawned);
      try (Spawning spawning = new Spawning()) {
        spawning.setUser(change);
        int detached = spawning.detach(0, bytes("/bin/touch"), argv, List.of(), new int[1]);
        System.out.println(spawned.get() + " " + detached);
      }
      System.out.println(Arrays.toString(Path.of(args[0]).toFile().list()));
      int left = Processes.waitpid(-1, new int[1], Processes.WNOHANG | Processes.__WALL);
      System.out.println(left < 0 ? "nothing is left" : "left");
    }
  }

  private static long[] limit(int process, int resource) {
    long[] limit = new long[2];
    assertThat(Limits.getrlimit(process, resource, limit)).isZero();
    return limit;
  }

  @Test
  void aProgramThatCannotBeDetachedIsAnErrorAndItsSessionIsGone() {
    assertThat(spawning.addFchdir(9999)).isZero();
    int[] leader = new int[1];

    assertThat(spawning.detach(027, bytes("/bin/sleep"), SLEEP, List.of(), leader))
        .isEqualTo(-Errno.EBADF.number());

    assertThat(leader[0]).isZero();
    assertThat(Processes.waitpid(-1, new int[1], Processes.WNOHANG | Processes.__WALL))
        .as("nothing is left to wait for")
        .isNotPositive();
  }

  @Test
  void oneObjectSpawnsAsOftenAsAsked() {
    assertThat(await(spawn("/bin/true"))).isZero();
    assertThat(await(spawn("/bin/false"))).isEqualTo(1 << 8);
  }

  @Test
  void aClosedSpawnIsRefusedAndClosedAgainInPeace() throws Exception {
    assertThat(ChildJvm.of(CloseTwice.class).run().output())
        .isEqualTo("refused refused refused closed");
  }

  static final class CloseTwice {
    public static void main(String[] args) {
      StringBuilder said = new StringBuilder();
      Spawning spawning = new Spawning();
      for (int fd = 0; fd < 100; fd++) {
        spawning.addClose(fd);
      }
      spawning.close();
      try {
        spawning.addClose(3);
      } catch (IllegalStateException e) {
        said.append("refused ");
      }
      try {
        spawning.spawn(bytes("/bin/true"), List.of(bytes("true")), List.of());
      } catch (IllegalStateException e) {
        said.append("refused ");
      }
      try {
        spawning.detach(0, bytes("/bin/true"), List.of(bytes("true")), List.of(), new int[1]);
      } catch (IllegalStateException e) {
        said.append("refused ");
      }
      spawning.close();
      System.out.println(said + "closed");
    }
  }

  private int spawn(String... argv) {
    return spawning.spawn(
        bytes(argv[0]), Arrays.stream(argv).map(SpawningTest::bytes).toList(), List.of());
  }

  private static int await(int pid) {
    int[] status = new int[1];
    assertThat(Processes.waitpid(pid, status, 0)).isEqualTo(pid);
    return status[0];
  }

  private static void kill(int pid) {
    assertThat(Signals.kill(pid, 9)).isZero();
    assertThat(await(pid)).isEqualTo(9);
  }

  /** Of a program that sleeps: while it is being loaded, its libraries are open. */
  private static Set<Integer> descriptors(int pid) throws IOException {
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (java.nio.file.Files.readAllBytes(Path.of("/proc/" + pid + "/cmdline")).length == 0
        || !Proc.status(Integer.toString(pid), "State").startsWith("S")) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("process " + pid + " does not sleep");
      }
      Thread.onSpinWait();
    }
    Set<Integer> numbers = new TreeSet<>();
    try (var files = java.nio.file.Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
      files.forEach(file -> numbers.add(Integer.valueOf(file.getFileName().toString())));
    }
    return numbers;
  }

  private static Descriptor nullDevice() throws PosixException {
    return open(Path.of("/dev/null"), Files.O_RDWR | Files.O_CLOEXEC);
  }

  /** A descriptor that a child inherits, numbered where no other thread opens any. */
  private static Descriptor inheritable(int lowest) throws PosixException {
    try (Descriptor file = nullDevice()) {
      Descriptor copy = Descriptor.adopt(Files.fcntl(file.number(), Files.F_DUPFD_CLOEXEC, lowest));
      PosixException.check(Files.fcntl(copy.number(), Files.F_SETFD, 0), "fcntl", copy);
      return copy;
    }
  }

  private static Descriptor open(Path path, int flags) throws PosixException {
    return Descriptor.adopt(
        PosixException.check(Files.open(NativePath.bytes(path), flags, 0600), "open", path));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
