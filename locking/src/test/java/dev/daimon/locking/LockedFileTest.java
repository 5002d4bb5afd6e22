package dev.daimon.locking;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LockedFileTest {
  private static final Duration A_MINUTE = Duration.ofMinutes(1);

  private static final long SELF = ProcessHandle.current().pid();

  /** A shell that has the file open as 9 with a lock that flock(1) took and left, and goes on. */
  private static final String HOLD = "exec 9<\"$0\"; flock -n 9 || exit; echo; read x";

  /** By the process that has taken the lock: in a PID namespace others are not in the list. */
  private static final String TAKE = "exec flock -n -o \"$0\" sh -c 'echo; read x'";

  @TempDir Path directory;
  private Path path;
  private final List<ProcessHandle> processes = new ArrayList<>();

  @BeforeEach
  void create() throws IOException {
    path = Files.createFile(directory.resolve("x.pid"));
  }

  @AfterEach
  void end() throws Exception {
    for (ProcessHandle process : processes) {
      process.destroyForcibly();
      process.onExit().get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void aMissingFileOrDirectoryIsNothing() throws IOException {
    assertThat(LockedFile.open(directory.resolve("y.pid"))).isEmpty();
    assertThat(LockedFile.open(directory.resolve("no/y.pid"))).isEmpty();
    assertThat(LockedFile.open(path.resolve("y.pid"))).isEmpty();
    assertThat(directory.toFile().list()).containsExactly("x.pid");
  }

  @Test
  @Tag("attack")
  void whatIsNoRegularFileIsRefusedWithoutWaiting() throws Exception {
    Path fifo = directory.resolve("fifo");
    Command.run("mkfifo", fifo.toString());
    Path socket = directory.resolve("socket");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      List<String> before = Proc.openIn(directory);
      for (Path special : List.of(directory, fifo, socket, Path.of("/dev/null"))) {
        assertThatExceptionOfType(NotRegularFileException.class)
            .isThrownBy(() -> LockedFile.open(special))
            .withMessage(special + " is not a regular file");
      }
      assertThat(Proc.openIn(directory)).isEqualTo(before);
    }
  }

  @Test
  void aSymbolicLinkIsRefusedEvenADanglingOne() throws IOException {
    Path link = Files.createSymbolicLink(directory.resolve("link"), path);
    assertErrno(Errno.ELOOP, () -> LockedFile.open(link));
    Files.delete(path);
    assertErrno(Errno.ELOOP, () -> LockedFile.open(link));
  }

  @Test
  void tellsOfWhomItIsAndWhenItWasChanged() throws Exception {
    Command.run("touch", "-d", "@1234567890.9", path.toString());
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.path()).isEqualTo(path);
      assertThat(file.owner()).isEqualTo(number(Command.run("stat", "-c", "%u", path.toString())));
      assertThat(file.modified()).isEqualTo(1234567890);
      Files.writeString(path, "12\n");
      assertThat(file.modified()).isEqualTo(1234567890);
    }
  }

  @ParameterizedTest
  @CsvSource({"644, false", "755, false", "664, true", "646, true", "602, true"})
  void tellsWhetherOthersMightWriteToIt(String mode, boolean might) throws Exception {
    Command.run("chmod", mode, path.toString());
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.isWritableByOthers()).isEqualTo(might);
    }
  }

  @Test
  @Tag("root")
  void theHighestOwnerIsNotNegative() throws Exception {
    Command.run("chown", "4294967294", path.toString());
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.owner()).isEqualTo(4294967294L);
    }
  }

  @Test
  void aFileThatNobodyHasLockedIsHeldByNobody() throws Exception {
    long opened = start("exec 9<\"$0\"; echo; read x").pid();
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.isLocked()).isFalse();
      assertThat(file.isHeldBy(SELF)).isFalse();
      assertThat(file.isHeldBy(opened)).isFalse();
      assertThat(file.holders(A_MINUTE)).isEmpty();
    }
  }

  @Test
  void tellsThroughWhichDescriptorItIsLocked() throws Exception {
    Process holder = start("exec 8<\"$0\" 9<\"$0\"; flock -n 9 && echo; read x");
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.isLockedThrough(holder.pid(), 9)).isTrue();
      assertThat(file.isLockedThrough(holder.pid(), 8)).isFalse();
      assertThat(file.isLockedThrough(holder.pid(), 777)).isFalse();

      holder.destroyForcibly().waitFor();
      assertThat(file.isLockedThrough(holder.pid(), 9)).isFalse();
      try (SingletonLock lock = SingletonLock.acquire(path);
          SingletonLock other = SingletonLock.acquire(directory.resolve("y.pid"));
          Descriptor copy = lock.descriptor().duplicate()) {
        assertThat(file.isLockedThrough(lock.descriptor())).isTrue();
        assertThat(file.isLockedThrough(copy)).isTrue();
        assertThat(file.isLockedThrough(other.descriptor())).isFalse();
        assertThat(file.isLockedThrough(file.descriptor())).isFalse();
      }
    }
    // A shared lock is no exclusive one.
    Process reader = start("exec 9<\"$0\"; flock -s -n 9 && echo; read x");
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.isLockedThrough(reader.pid(), 9)).isFalse();
      assertThat(file.isHeldBy(reader.pid())).isTrue();
    }
  }

  @Test
  void holdersAreNamedForPeople() throws Exception {
    Process holder = start("exec 9<\"$0\"; flock -n 9 && echo; read x");
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.holders()).extracting(Holder::pid).containsExactly(holder.pid());
      assertThat(file.holdersInWords()).isEqualTo("process " + holder.pid() + " (sh)");
      try (LockedFile other = file.openOther(directory.resolve("no")).orElse(null)) {
        assertThat(other).isNull();
      }
      try (LockedFile same = file.openOther(path).orElseThrow()) {
        assertHeldBy(same, holder.pid());
      }
    }
  }

  @Test
  void tellsWhetherItWasMovedAfterItWasWritten() throws Exception {
    Command.run("touch", "-d", "@1234567890", path.toString());
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.isWhereItWasWritten()).isFalse();
    }
    Files.writeString(path, "12");
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.isWhereItWasWritten()).isTrue();
    }
  }

  /** Who may write to the file is no stranger: a daemon's child has it open like that. */
  @Test
  @Tag("root")
  void aForeignHolderIsAnotherUsersThatMayOnlyRead() throws Exception {
    String stranger = "exec setpriv --reuid=65534 --clear-groups sh -c 'echo; exec sleep 1000'";
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.foreignHolder(0)).isEmpty();

      Process reader = start("exec 9<\"$0\"; flock -n 9; " + stranger);
      assertThat(file.foreignHolder(0)).hasValue(reader.pid());
      assertThat(file.foreignHolder(0, 65534)).isEmpty();
      assertThat(file.foreignHolder(65534)).isEmpty();
      reader.destroyForcibly().waitFor();

      Process writer = start("exec 9<>\"$0\"; flock -n 9; " + stranger);
      assertThat(file.foreignHolder(0)).isEmpty();
      writer.destroyForcibly().waitFor();

      Process own = start("exec 9<\"$0\"; flock -n 9; echo; read x");
      assertThat(file.foreignHolder(0)).isEmpty();
      assertThat(file.foreignHolder(65534)).hasValue(own.pid());
      own.destroyForcibly().waitFor();
    }
  }

  @Test
  void aLockOfThisProcessIsSeenUntilItIsClosed() throws IOException {
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      try (SingletonLock lock = SingletonLock.acquire(path)) {
        assertThat(lock.isAtPath()).isTrue();
        assertHeldBy(file, SELF);
      }
      assertThat(file.isLocked()).isFalse();
      assertThat(file.isHeldBy(SELF)).isFalse();
      assertThat(file.holders(A_MINUTE)).isEmpty();
    }
  }

  @Test
  void aLockOfAnotherProcessIsSeenUntilItEnds() throws Exception {
    Process holder = ChildJvm.of(LockingProgram.class).start("hold", path);
    processes.add(holder.toHandle());
    assertThat(holder.inputReader().readLine()).isEqualTo("held");
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertHeldBy(file, holder.pid());
      assertThat(file.isHeldBy(SELF)).isFalse();

      holder.destroyForcibly().waitFor();
      assertThat(file.isLocked()).isFalse();
      assertThat(file.isHeldBy(holder.pid())).isFalse();
      assertThat(file.holders(A_MINUTE)).isEmpty();
    }
  }

  @Test
  void allWhoShareTheOpenFileHoldItsLock() throws Exception {
    // flock(1) waits for the shell, which has inherited the descriptor.
    Process flock =
        new ProcessBuilder("flock", path.toString(), "sh", "-c", "echo $$; read x").start();
    processes.add(flock.toHandle());
    long heir = number(flock.inputReader().readLine());
    processes.add(ProcessHandle.of(heir).orElseThrow());
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertHeldBy(file, flock.pid(), heir);
      assertThat(file.takenBy(heir)).isEqualTo(flock.pid());
      assertThat(file.takenBy(flock.pid())).isEqualTo(flock.pid());
      assertThat(file.takenBy(SELF)).isZero();
    }
  }

  @Test
  void aDescendantHoldsTheLockWhenItsTakerHasEnded() throws Exception {
    String script = "sleep 1000 >&- & echo $!";
    long heir = number(Command.run("flock", path.toString(), "sh", "-c", script));
    processes.add(ProcessHandle.of(heir).orElseThrow());
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertHeldBy(file, heir);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void aStandardStreamHoldsItToo(int number) throws Exception {
    String take = "exec 3>&1 N<>\"$0\"; flock -n N && echo >&3; exec sleep 1000 3>&-";
    long holder = start(take.replace("N", Integer.toString(number))).pid();
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertHeldBy(file, holder);
    }
  }

  @Test
  void aSharedLockHasSeveralHolders() throws Exception {
    String hold = TAKE.replace("-n", "-s -n");
    long[] holders = {start(hold).pid(), start(hold).pid(), start(hold).pid()};
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertHeldBy(file, holders);
    }
  }

  @Test
  void aRecordLockIsAnotherThing() throws Exception {
    try (LockedFile file = LockedFile.open(path).orElseThrow();
        var channel = FileChannel.open(path, StandardOpenOption.WRITE);
        var lock = channel.lock()) {
      assertThat(lock.isValid()).isTrue();
      assertThat(lockLines(path)).containsExactly("POSIX");
      assertThat(file.isLocked()).isFalse();
      assertThat(file.isHeldBy(SELF)).isFalse();
      assertThat(file.holders(A_MINUTE)).isEmpty();

      long holder = start(HOLD).pid();
      assertHeldBy(file, holder);
      assertThat(file.isHeldBy(SELF)).isFalse();
    }
  }

  @Test
  void whoHasOpenedTheFileByItselfOrWaitsForTheLockIsNoHolder() throws Exception {
    long holder = start(TAKE).pid();
    long onlooker = start("exec 9<\"$0\"; echo; read x").pid();
    Process waiter = new ProcessBuilder("flock", path.toString(), "true").start();
    processes.add(waiter.toHandle());
    ProcessSandbox.await("somebody who waits", () -> lockLines(path).contains("->"));
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertHeldBy(file, holder);
      assertThat(file.isHeldBy(onlooker)).isFalse();
      assertThat(file.isHeldBy(waiter.pid())).isFalse();
    }
  }

  @Test
  void anotherFileThatSomebodyHasLockedIsNotThisOne() throws Exception {
    Path other = Files.createFile(directory.resolve("other"));
    long holder = start("exec 8<\"$0\" 9<\"${0%/*}/other\"; flock -n 9; echo; read x").pid();
    try (LockedFile file = LockedFile.open(path).orElseThrow();
        LockedFile locked = LockedFile.open(other).orElseThrow()) {
      assertThat(file.isHeldBy(holder)).isFalse();
      assertThat(file.holders(A_MINUTE)).isEmpty();
      assertHeldBy(locked, holder);
    }
  }

  @Test
  void aHolderMayHaveAThousandDescriptors() throws Exception {
    String open = "for ((i = 0; i < 1000; i++)); do exec {fd}</dev/null; done; ";
    long holder =
        start("bash", open + HOLD.replace("exec 9<", "exec {fd}<").replace("-n 9", "-n $fd")).pid();
    assertThat(Proc.descriptors(Long.toString(holder)).size()).isGreaterThan(1000);
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertHeldBy(file, holder);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MIN_VALUE, -1, 0, 4194305, Long.MAX_VALUE})
  void whatIsNoProcessHoldsNothing(long pid) throws IOException {
    try (SingletonLock lock = SingletonLock.acquire(path);
        LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(lock.isAtPath()).isTrue();
      assertThat(file.isHeldBy(pid)).isFalse();
    }
  }

  @Test
  void whoEndsMeanwhileOrIsAZombieSimplyHoldsItNoMore() throws Exception {
    LockingProgram.watch(path, 5000);
  }

  @Test
  @Tag("root")
  void ordinaryUsersToo() throws Exception {
    Path classes = Files.createDirectory(directory.resolve("classes"));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    ChildJvm jvm = ChildJvm.of(LockingProgram.class).startedBy(ChildJvm.AS_NOBODY).copied(classes);
    assertThat(jvm.run("watch", path, 2000).output()).isEmpty();
  }

  @Test
  @Tag("root")
  void anOrdinaryUserSeesTheLockButNotInOtherUsersProcesses() throws Exception {
    long holder = start(HOLD).pid();
    Path classes = Files.createDirectory(directory.resolve("classes"));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    ChildJvm jvm = ChildJvm.of(LockingProgram.class).startedBy(ChildJvm.AS_NOBODY).copied(classes);

    assertThat(jvm.run("query", path, holder).lines())
        .containsExactly(
            "true", "[]", "open /proc/" + holder + "/fdinfo/3: Permission denied (EACCES, 13)");

    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    assertThat(jvm.run("query", path, holder).output())
        .isEqualTo("open " + path + ": Permission denied (EACCES, 13)");
  }

  @Test
  @Tag("root")
  void rootThatMayNotTraceIsToldSoAndNotThatNobodyHoldsIt() throws Exception {
    // As in most containers: such a root may list the descriptors, and not follow them.
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    List<String> command = new ArrayList<>(ChildJvm.AS_NOBODY);
    command.addAll(List.of("sh", "-c", HOLD, path.toString()));
    Process holder = started(new ProcessBuilder(command));

    assertThat(
            ChildJvm.of(LockingProgram.class)
                .startedBy("setpriv", "--bounding-set=-sys_ptrace")
                .run("query", path, holder.pid())
                .lines())
        .hasSize(3)
        .startsWith("true", "[]")
        .last()
        .asString()
        .startsWith("open /proc/" + holder.pid() + "/fdinfo/")
        .endsWith(": Permission denied (EACCES, 13)");
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertHeldBy(file, holder.pid());
    }
  }

  @Test
  @Tag("root")
  void inAContainerTheHolderIsFoundWhenTheTakerHasEnded() throws Exception {
    // Java does not inherit the descriptor.
    String script = "exec 9<\"$0\"; flock -n 9 || exit; \"$@\" 9<&-";
    assertThat(queryInAContainer(script)).containsExactly("true", "[1]", "true");
    assertThat(queryInAContainer(script.replace("flock -n 9", "true")))
        .containsExactly("false", "[]", "false");
  }

  /** As two containers that share a volume. */
  @Test
  @Tag("root")
  void aHolderInAnotherContainerIsNotSeenButTheLockIs() throws Exception {
    long holder = start(HOLD).pid();
    assertThat(queryInAContainer("exec \"$@\"")).containsExactly("true", "[]", "false");
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertHeldBy(file, holder);
    }
    assertThat(
            ChildJvm.of(LockingProgram.class)
                .startedBy("unshare", "--pid", "--fork", "--mount-proc")
                .run("isHeld", path)
                .lines())
        .containsExactly("true");
  }

  /** There an id in {@code /proc} is another process, so nobody would seem to hold the lock. */
  @Test
  @Tag("root")
  void noHolderIsSoughtInTheProcOfAnotherNamespace() throws Exception {
    long holder = start(HOLD).pid();
    assertThat(
            ChildJvm.of(LockingProgram.class)
                .startedBy(ChildJvm.WITH_FOREIGN_PROC)
                .run("query", path, holder)
                .lines())
        .containsExactly(
            "true",
            "open /proc: Operation not permitted (EPERM, 1); it is of another PID namespace");
  }

  private List<String> queryInAContainer(String script) throws Exception {
    return ChildJvm.of(LockingProgram.class)
        .startedBy("unshare", "--pid", "--fork", "--mount-proc")
        .startedBy("sh", "-c", script, path.toString())
        .run("query", path, 1)
        .lines();
  }

  /** Any user may take as many record locks as it likes; the kernel takes minutes to list them. */
  @Test
  @Tag("attack")
  void amongAHundredThousandLocksOneIsStillTold() throws Exception {
    Path flood = Files.createDirectory(directory.resolve("flood"));
    String script =
        "for $i (1..100) { open($f[$i], '+>', \"$ARGV[0]/$i\") or die; for ($j = 999; $j >= 0; $j--)"
            + " { fcntl($f[$i], 6, pack('s s x4 q q i x4', 1, 0, 2 * $j, 1, 0)) or die } }"
            + " $| = 1; print \"\\n\"; <STDIN>";
    Process perl = started(new ProcessBuilder("perl", "-e", script, flood.toString()));
    long holder = start(HOLD).pid();
    ChildJvm jvm = ChildJvm.of(LockingProgram.class).option("-Xmx12m");

    assertThat(jvm.run("query", path, holder).lines())
        .containsExactly("true", "[" + holder + "]", "true");
    assertThat(jvm.run("query", directory.resolve("flood/1"), holder).lines())
        .containsExactly("false", "[]", "false");
    perl.destroyForcibly().waitFor();
  }

  /** As many as anybody may open: no list of them is kept, and a search ends when its time does. */
  @Test
  @Tag("attack")
  void amongManyDescriptorsTheLockIsFoundWithinTheTime() throws Exception {
    String script =
        "ulimit -H -n 50000 2>/dev/null; ulimit -n $(ulimit -H -n); n=$(ulimit -n);"
            + " if [ $n = unlimited ] || [ $n -gt 50000 ]; then n=50000; fi;"
            + " exec perl -e 'for $i (1..$ARGV[1]) { open($f[$i], \"<\", \"/dev/null\") or die }"
            + " open($l, \"<\", $ARGV[0]) or die; flock($l, 2) or die; $| = 1; print \"\\n\";"
            + " <STDIN>' \"$0\" $((n - 50))";
    long holder = started(new ProcessBuilder("sh", "-c", script, path.toString())).pid();

    assertThat(
            ChildJvm.of(LockingProgram.class).option("-Xmx12m").run("query", path, holder).lines())
        .containsExactly("true", "[" + holder + "]", "true");
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      // Five thousand are read in any case, and an ordinary user may not be allowed more.
      boolean few = Proc.descriptors(Long.toString(holder)).size() < 5_000;
      assertThat(file.holders(Duration.ZERO)).hasSize(few ? 1 : 0);
      assertThat(file.takenBy(holder)).isEqualTo(holder);
    }
  }

  /** Other processes have more descriptors than are read in any case. */
  @Test
  void amongManyProcessesTheHolderIsSoughtNearTheTaker() throws Exception {
    String crowd =
        "ulimit -n 4000; for ((i = 0; i < 3000; i++)); do exec {fd}</dev/null; done; echo;"
            + " exec sleep 1000";
    for (int i = 0; i < 2; i++) {
      started(new ProcessBuilder("bash", "-c", crowd));
    }
    // flock(1) ends; the shell, which has become sleep, is before it.
    String script = "exec 9<\"$0\"; flock -n 9 && echo; exec sleep 1000";
    long holder = started(new ProcessBuilder("sh", "-c", script, path.toString())).pid();

    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.holders(Duration.ZERO)).extracting(Holder::pid).containsExactly(holder);
    }
  }

  /** Its lock comes after none of them. */
  @Test
  @Tag("attack")
  void aHolderMayHaveManyRecordLocksOnTheSameFile() throws Exception {
    String script =
        "open($f, '+<', $ARGV[0]) or die; flock($f, 2) or die; for ($j = 9999; $j >= 0; $j--)"
            + " { fcntl($f, 6, pack('s s x4 q q i x4', 1, 0, 2 * $j, 1, 0)) or die }"
            + " $| = 1; print \"\\n\"; <STDIN>";
    long holder = started(new ProcessBuilder("perl", "-e", script, path.toString())).pid();
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertHeldBy(file, holder);
    }
  }

  /** The server of such a file may be dead, and a question to it would never be answered. */
  @Test
  @Tag("strace")
  @Tag("attack")
  void nothingThatAProcessHasOpenIsAskedFor() throws Exception {
    Path trace = directory.resolve("trace");
    long holder = start("exec 8<.; " + HOLD).pid();

    assertThat(
            ChildJvm.of(LockingProgram.class)
                .startedBy("strace", "-f", "-qq", "-o", trace.toString())
                .run("query", path, holder)
                .lines())
        .containsExactly("true", "[" + holder + "]", "true");
    assertThat(Files.readString(trace, StandardCharsets.ISO_8859_1))
        .contains("\"/proc/" + holder + "/fdinfo/9\"")
        .doesNotContain("\"/proc/" + holder + "/fd/");
  }

  @Test
  void itStaysTheFileThatWasOpened() throws Exception {
    Files.writeString(path, "12\n");
    long holder = start(HOLD).pid();
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      assertThat(file.isAtPath()).isTrue();

      Path other = Files.writeString(directory.resolve("other"), "other");
      Files.move(other, path, REPLACE_EXISTING);
      assertThat(file.isAtPath()).isFalse();
      assertHeldBy(file, holder);
      byte[] content = new byte[64];
      int number = file.descriptor().number();
      int length = dev.daimon.posix.call.Files.pread(number, content, 0);
      assertThat(new String(content, 0, length, StandardCharsets.US_ASCII)).isEqualTo("12\n");

      Files.delete(path);
      assertThat(file.isAtPath()).isFalse();
      assertHeldBy(file, holder);
      try (LockedFile replaced = LockedFile.open(Files.createFile(path)).orElseThrow()) {
        assertThat(replaced.isAtPath()).isTrue();
        assertThat(replaced.isLocked()).isFalse();
        assertThat(replaced.holders(A_MINUTE)).isEmpty();
      }
    }
  }

  @Test
  void aLinkToTheFileIsNotTheFileAndADirectoryThatIsGoneHasNone() throws IOException {
    Path inner = Files.createDirectory(directory.resolve("inner"));
    Path moved = Files.move(path, inner.resolve("x.pid"));
    try (LockedFile file = LockedFile.open(moved).orElseThrow()) {
      Files.move(moved, path);
      Files.createSymbolicLink(moved, path);
      assertThat(file.isAtPath()).isFalse();
      Files.delete(moved);
      Files.delete(inner);
      assertThat(file.isAtPath()).isFalse();
      Files.createFile(inner);
      assertThat(file.isAtPath()).isFalse();
    }
  }

  /** A read of its descriptor's data keeps a file open, and locked, that its holder has closed. */
  @Test
  void queriesNeverDisturbAProcessThatTakesTheLock() throws Exception {
    Process taking = ChildJvm.of(LockingProgram.class).start("repeat", path, 20_000);
    processes.add(taking.toHandle());
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try {
      List<Future<Integer>> queries =
          List.of(
              threads.submit(() -> query(taking, file -> file.isHeldBy(taking.pid()))),
              threads.submit(() -> query(taking, LockedFile::isLocked)),
              threads.submit(() -> query(taking, file -> !file.holders(A_MINUTE).isEmpty())));
      assertThat(taking.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(taking.exitValue()).isZero();
      for (Future<Integer> each : queries.subList(0, 2)) {
        assertThat(each.get(30, TimeUnit.SECONDS)).isPositive();
      }
      // Whoever goes through all processes may come too late for each of the locks.
      int _ = queries.getLast().get(60, TimeUnit.SECONDS);
    } finally {
      threads.shutdownNow();
    }
  }

  private interface Question {
    boolean ask(LockedFile file) throws IOException;
  }

  /** How often the answer was yes, while the process was there. */
  private int query(Process taking, Question question) throws IOException {
    int seen = 0;
    while (taking.isAlive()) {
      try (LockedFile file = LockedFile.open(path).orElseThrow()) {
        seen += question.ask(file) ? 1 : 0;
      }
    }
    return seen;
  }

  @Test
  void aClosedFileTellsNothingMore() throws Exception {
    LockedFile file = LockedFile.open(path).orElseThrow();
    assertThat(Proc.openIn(directory)).containsExactly(path.toString());
    file.close();
    file.close();
    assertThat(Proc.openIn(directory)).isEmpty();
    List<ThrowingCallable> calls =
        List.of(
            file::isLocked,
            () -> file.isHeldBy(SELF),
            () -> file.isHeldBy(0),
            () -> file.holders(A_MINUTE),
            file::holders,
            file::isAtPath);
    for (ThrowingCallable call : calls) {
      assertThatExceptionOfType(IllegalStateException.class).isThrownBy(call);
    }
  }

  /** In whatever order the kernel gave the ids: the holders come in ascending order. */
  private static void assertHeldBy(LockedFile file, long... holders) throws PosixException {
    List<Long> ascending = new ArrayList<>();
    for (long holder : holders) {
      assertThat(file.isHeldBy(holder)).isTrue();
      ascending.add(holder);
    }
    ascending.sort(null);
    assertThat(file.isLocked()).isTrue();
    assertThat(file.holders(A_MINUTE)).extracting(Holder::pid).isEqualTo(ascending);
  }

  /** The second words of the lines of /proc/locks of that file: the kind, or that one waits. */
  private static List<String> lockLines(Path path) throws IOException {
    String inode = ":" + Files.getAttribute(path, "unix:ino") + " ";
    List<String> kinds = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/locks"))) {
      if (line.contains(inode)) {
        kinds.add(line.split(" +", 3)[1]);
      }
    }
    return kinds;
  }

  /** A shell that has the path as {@code $0}, says something when it is ready, and goes on. */
  private Process start(String script) throws IOException {
    return start("sh", script);
  }

  private Process start(String shell, String script) throws IOException {
    return started(new ProcessBuilder(shell, "-c", script, path.toString()));
  }

  private Process started(ProcessBuilder builder) throws IOException {
    Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    processes.add(process.toHandle());
    assertThat(process.inputReader().readLine()).isEmpty();
    return process;
  }

  private static long number(String text) {
    return Long.parseLong(text);
  }

  private static void assertErrno(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
  }
}
