package dev.daimon.locking;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Resource;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Spawning;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SingletonLockTest {
  private static final long SELF = ProcessHandle.current().pid();

  private static final int O_CLOEXEC = 02000000;

  @TempDir Path directory;
  private Path path;

  @BeforeEach
  void name() {
    path = directory.resolve("x.pid");
  }

  @Test
  @Tag("root")
  void tellsOfWhomItIsAndHowManyNamesItHas() throws Exception {
    Files.createFile(path);
    Files.createLink(directory.resolve("y.pid"), path);
    Command.run("chown", "4294967294", path.toString());
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      assertThat(lock.owner()).isEqualTo(4294967294L);
      assertThat(lock.links()).isEqualTo(2);
    }
  }

  @Test
  void theContentOfAFileThatIsNoPidFileIsReplacedInPlace(@TempDir Path here) throws Exception {
    Path file = Files.writeString(here.resolve("x"), "something longer");
    int owner = (Integer) Files.getAttribute(file, "unix:uid");
    try (SingletonLock lock = SingletonLock.acquire(file)) {
      assertThat(lock.read(4)).asString().isEqualTo("some");
      lock.replace("short".getBytes(StandardCharsets.UTF_8));
      assertThat(lock.read(100)).asString().isEqualTo("short");
      assertThat(lock.owner()).isEqualTo(owner);
    }
    assertThat(file).hasContent("short");
  }

  @Test
  void makesAnEmptyFileAndKnowsIt() throws IOException {
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      assertThat(lock.created()).isTrue();
      assertThat(lock.path()).isEqualTo(path);
      assertThat(lock.isAtPath()).isTrue();
      assertThat(path).isEmptyFile();
      assertThat(Files.getPosixFilePermissions(path))
          .isSubsetOf(PosixFilePermissions.fromString("rw-r--r--"));
    }
    assertThat(path).exists();
  }

  @Test
  void takesAFileThatIsThereAsItIs() throws IOException {
    Files.writeString(path, "12345\n");
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      assertThat(lock.created()).isFalse();
      assertThat(path).hasContent("12345\n");
    }
  }

  @Test
  void aSecondLockInTheSameProcessIsRefusedUntilTheFirstIsClosed() throws IOException {
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      lock.write(4242);
      assertHeld(SELF);
    }
    SingletonLock.acquire(path).close();
  }

  @Test
  void aLockOfAnotherProcessIsRefusedWithThatProcessUntilItEnds() throws Exception {
    Process holder = ChildJvm.of(LockingProgram.class).start("hold", path);
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("held");
      assertHeld(holder.pid());
      assertThat(SingletonLock.isHeld(path)).isTrue();
    } finally {
      end(holder);
    }
    assertThat(SingletonLock.isHeld(path)).isFalse();
    SingletonLock.acquire(path).close();
  }

  @Test
  void aKilledHolderHoldsNothing() throws Exception {
    Process holder = ChildJvm.of(LockingProgram.class).start("hold", path);
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("held");
    } finally {
      holder.destroyForcibly().waitFor();
    }
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      assertThat(lock.created()).isFalse();
    }
  }

  @Test
  void respectsTheLockOfFlock1AndIsRespectedByIt() throws Exception {
    String[] tryFlock = {"flock", "-n", path.toString(), "true"};
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      assertThat(exitOf(tryFlock)).isEqualTo(1);
      lock.prepare();
    }
    assertThat(exitOf(tryFlock)).isZero();
    Process holder =
        new ProcessBuilder("flock", path.toString(), "sh", "-c", "echo; read x").start();
    try {
      assertThat(holder.inputReader().readLine()).isEmpty();
      assertThatExceptionOfType(LockHeldException.class)
          .isThrownBy(() -> SingletonLock.acquire(path))
          .withMessage(path + " is locked by another process")
          .satisfies(e -> assertThat(e.holder()).isEmpty());
    } finally {
      end(holder);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "\n", "0\n", "12", "12\n13\n", "-1\n", "x\n", "4194305\n", "99999999999\n"})
  void aContentThatIsNoProcessIdNamesNobody(String content) throws IOException {
    Files.writeString(path, content);
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      assertThat(lock.created()).isFalse();
      assertThatExceptionOfType(LockHeldException.class)
          .isThrownBy(() -> SingletonLock.acquire(path))
          .satisfies(e -> assertThat(e.holder()).as("found without it").hasValue(SELF));
    }
  }

  @Test
  void theLoserTouchesNeitherTheFileNorItsContent() throws IOException {
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      lock.write(4242);
      Object before = Files.getAttribute(path, "unix:ino");
      Object changed = Files.getAttribute(path, "unix:ctime");
      for (int i = 0; i < 10; i++) {
        assertHeld(SELF);
      }
      assertThat(path).hasContent("4242\n");
      assertThat(Files.getAttribute(path, "unix:ino")).isEqualTo(before);
      assertThat(Files.getAttribute(path, "unix:ctime")).isEqualTo(changed);
      assertThat(lock.isAtPath()).isTrue();
    }
  }

  @Test
  void theLockLivesInAProgramThatInheritsItsDescriptor() throws Exception {
    Path fifo = fifo();
    int child;
    try (SingletonLock lock = SingletonLock.acquire(path);
        Spawning spawning = new Spawning()) {
      int number = lock.descriptor().number();
      assertThat(spawning.addDup2(number, number)).isZero();
      // Waits until somebody opens the FIFO, and then for its end.
      child =
          spawning.spawn(
              bytes("/bin/cat"), List.of(bytes("cat"), bytes(fifo.toString())), List.of());
      assertThat(child).isPositive();
      lock.write(child);
    }
    try {
      assertHeld(child);
      assertThat(SingletonLock.isHeld(path)).isTrue();
    } finally {
      Files.newOutputStream(fifo).close();
      int[] status = new int[1];
      assertThat(Processes.waitpid(child, status, 0)).isEqualTo(child);
    }
    assertThat(SingletonLock.isHeld(path)).isFalse();
    SingletonLock.acquire(path).close();
  }

  @Test
  void aProgramThatDoesNotInheritTheDescriptorDoesNotHoldTheLock() throws Exception {
    Process child;
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      assertThat(lock.isAtPath()).isTrue();
      child = new ProcessBuilder("cat").start();
    }
    try {
      SingletonLock.acquire(path).close();
    } finally {
      end(child);
    }
  }

  @Test
  void anInheritedLockIsTakenOverAndClosesOnExec() throws Exception {
    // The shell opens the file, flock(1) locks it, and Java inherits it in the shell's place.
    Process heir =
        ChildJvm.of(LockingProgram.class)
            .startedBy("sh", "-c", "exec 9<>\"$0\"; flock -n 9 && exec \"$@\"", path.toString())
            .start("adopt", path, 9);
    try {
      assertThat(heir.inputReader().readLine()).isEqualTo("held");
      assertHeld(heir.pid());
      assertThat(flags(heir.pid(), 9) & O_CLOEXEC).isNotZero();
    } finally {
      end(heir);
    }
    SingletonLock.acquire(path).close();
  }

  @Test
  void aLockTakenOverIsHeldWithoutTheOneWhoTookIt() throws IOException {
    SingletonLock first = SingletonLock.acquire(path);
    try (SingletonLock heir = SingletonLock.adopt(path, first.descriptor().duplicate())) {
      first.close();
      heir.write(4242);
      assertHeld(SELF);
      assertThat(heir.created()).isFalse();
      assertThat(heir.path()).isEqualTo(path);
      assertThat(heir.remove()).isTrue();
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void aLockIsNotTakenOverThroughAnotherOpenFileWhichStaysTheCallers() throws IOException {
    try (SingletonLock lock = SingletonLock.acquire(path);
        Descriptor other = open(path)) {
      lock.write(4242);
      assertThatExceptionOfType(LockHeldException.class)
          .isThrownBy(() -> SingletonLock.adopt(path, other))
          .satisfies(e -> assertThat(e.holder()).hasValue(SELF));
      assertThat(flags(ProcessHandle.current().pid(), other.number()) & O_CLOEXEC).isZero();
    }
  }

  /**
   * A daemon has died, and a child of it has the lock: nobody may be told that the dead one has.
   */
  @Test
  void whoReallyHoldsTheLockIsNamedAndThatTheNamedOneHasEnded() throws Exception {
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();
    Files.writeString(path, ended.pid() + "\n");
    Process holder =
        new ProcessBuilder("flock", "--no-fork", path.toString(), "sh", "-c", "echo; read x")
            .start();
    try {
      assertThat(holder.inputReader().readLine()).isEmpty();
      assertThatExceptionOfType(LockHeldException.class)
          .isThrownBy(() -> SingletonLock.acquire(path))
          .withMessage(
              "%s is locked by process %d (sh); process %d, which it names, has ended",
              path, holder.pid(), ended.pid())
          .satisfies(e -> assertThat(e.holder()).hasValue(holder.pid()))
          .satisfies(e -> assertThat(e.ended()).hasValue(ended.pid()));
      Files.writeString(path, SELF + "\n");
      assertThatExceptionOfType(LockHeldException.class)
          .isThrownBy(() -> SingletonLock.acquire(path))
          .withMessage(
              "%s is locked by process %d (sh); it names process %d", path, holder.pid(), SELF)
          .satisfies(e -> assertThat(e.ended()).isEmpty());
    } finally {
      end(holder);
    }
  }

  @Test
  void whatNobodyHoldsIsLockedByTakingItOver() throws IOException {
    Files.writeString(path, "12\n");
    try (SingletonLock heir = SingletonLock.adopt(path, open(path))) {
      assertHeld(SELF);
      assertThat(heir.isAtPath()).isTrue();
    }
  }

  @Test
  void aFileThatWasReplacedBeforeItIsTakenOverIsNoticed() throws IOException {
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      Files.move(Files.createFile(directory.resolve("other")), path, REPLACE_EXISTING);
      try (SingletonLock heir = SingletonLock.adopt(path, lock.descriptor().duplicate())) {
        assertThat(heir.isAtPath()).isFalse();
      }
    }
  }

  @Test
  void aDeviceIsNotTakenOver() throws IOException {
    Path device = Path.of("/dev/null");
    try (Descriptor descriptor = open(device)) {
      assertThatExceptionOfType(NotRegularFileException.class)
          .isThrownBy(() -> SingletonLock.adopt(device, descriptor));
    }
  }

  @Test
  void neverTwoHoldersWhileManyProcessesAcquireAndRemove() throws Exception {
    Path witness = directory.resolve("witness");
    List<Process> processes = new ArrayList<>();
    try {
      for (int i = 0; i < 4; i++) {
        processes.add(ChildJvm.of(LockingProgram.class).start("compete", path, witness, 500));
      }
      for (Process process : processes) {
        assertThat(process.waitFor()).isZero();
      }
    } finally {
      processes.forEach(Process::destroyForcibly);
    }
    assertThat(path).doesNotExist();
    assertThat(witness).doesNotExist();
  }

  @Test
  void neverTwoHoldersWhileManyThreadsAcquireAndRemove() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        running.add(
            threads.submit(() -> {
              LockingProgram.compete(path, directory.resolve("witness"), 500);
              return null;
            }));
      }
      for (Future<?> each : running) {
        each.get(60, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void aReplacedFileIsNoticedAndLeftAlone() throws IOException {
    SingletonLock lock = SingletonLock.acquire(path);
    Path other = Files.writeString(directory.resolve("other"), "other");
    Files.move(other, path, REPLACE_EXISTING);
    assertThat(lock.isAtPath()).isFalse();
    lock.write(4242);
    assertThat(lock.remove()).isFalse();
    assertThat(path).hasContent("other");
    SingletonLock.acquire(path).close();
  }

  @Test
  void aSymbolicLinkToTheLockedFileIsNotTheLockedFile() throws IOException {
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      Path moved = Files.move(path, directory.resolve("moved"));
      Files.createSymbolicLink(path, moved);
      assertThat(lock.isAtPath()).isFalse();
    }
  }

  @Test
  void aFileOrDirectoryThatIsGoneIsNotAtItsPath() throws IOException {
    Path inner = Files.createDirectory(directory.resolve("inner"));
    try (SingletonLock lock = SingletonLock.acquire(inner.resolve("x.pid"))) {
      Files.delete(inner.resolve("x.pid"));
      assertThat(lock.isAtPath()).isFalse();
      Files.delete(inner);
      assertThat(lock.isAtPath()).isFalse();
      Files.createFile(inner);
      assertThat(lock.isAtPath()).isFalse();
      assertThat(lock.remove()).isFalse();
    }
    assertThat(inner).isRegularFile();
  }

  @Test
  void removingTakesTheFileAwayAndReleasesTheLock() throws IOException {
    SingletonLock lock = SingletonLock.acquire(path);
    lock.write(4242);
    assertThat(lock.remove()).isTrue();
    assertThat(path).doesNotExist();
    assertThatThrownBy(lock::remove).isInstanceOf(IllegalStateException.class);
    try (SingletonLock next = SingletonLock.acquire(path)) {
      assertThat(next.created()).isTrue();
    }
  }

  /** Here the close fails since the number is closed; on other file systems with EIO. */
  static final class FailingClose {
    public static void main(String[] args) throws Exception {
      SingletonLock lock = SingletonLock.acquire(Path.of(args[0]));
      int _ = dev.daimon.posix.call.Files.close(lock.descriptor().number());
      System.out.println(lock.remove());
    }
  }

  @Test
  void aFileThatIsRemovedIsRemovedAlthoughItsCloseFails() throws Exception {
    assertThat(ChildJvm.of(FailingClose.class).run(path).output()).isEqualTo("true");
    assertThat(path).doesNotExist();
  }

  @Test
  void aClosedLockDoesNothingMore() throws IOException {
    SingletonLock lock = SingletonLock.acquire(path);
    lock.write(4242);
    lock.close();
    lock.close();
    List<ThrowingCallable> calls =
        List.of(lock::isAtPath, lock::prepare, () -> lock.write(1), lock::empty, lock::remove);
    for (ThrowingCallable call : calls) {
      assertThatThrownBy(call).isInstanceOf(IllegalStateException.class);
    }
    assertThat(path).hasContent("4242\n");
  }

  @Test
  void preparingAndEmptyingLeaveNothingInTheFile() throws IOException {
    Files.writeString(path, "12345\n");
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      lock.prepare();
      assertThat(path).isEmptyFile();
      lock.write(678);
      assertThat(Files.readString(path)).isEqualTo("678\n");
      lock.write(12);
      assertThat(Files.readString(path)).isEqualTo("12\n");
      lock.empty();
      assertThat(path).isEmptyFile();
      assertThat(lock.isAtPath()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MIN_VALUE, -1, 0, 4194305, (1L << 32) + 1, Long.MAX_VALUE})
  void refusesToWriteWhatIsNoProcessIdAndTouchesNothing(long pid) throws IOException {
    Files.writeString(path, "12345\n");
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      assertThatThrownBy(() -> lock.write(pid)).isInstanceOf(IllegalArgumentException.class);
      assertThat(path).hasContent("12345\n");
    }
  }

  @Test
  void readersThatReadTwiceSeeTheFileEmptyOldOrRightAndNeverHalf() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      List<Future<Integer>> readers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        readers.add(
            threads.submit(() -> {
              int agreed = 0;
              try (FileChannel file = FileChannel.open(path)) {
                while (!done.get()) {
                  String first = readOnce(file);
                  if (first.equals(readOnce(file))) {
                    assertThat(first).isIn("", "12345\n", "678\n", "4194304\n");
                    agreed++;
                  }
                }
              }
              return agreed;
            }));
      }
      long[] pids = {12345, 678, 4194304};
      for (int i = 0; i < 20000; i++) {
        lock.write(pids[i % pids.length]);
      }
      done.set(true);
      for (Future<Integer> each : readers) {
        assertThat(each.get(30, TimeUnit.SECONDS)).isPositive();
      }
    } finally {
      done.set(true);
      threads.shutdown();
    }
  }

  @Test
  void refusesASymbolicLinkEvenADanglingOneAndMakesNothing() throws IOException {
    Path target = directory.resolve("target");
    Files.createSymbolicLink(path, target);
    assertErrno(Errno.ELOOP, () -> SingletonLock.acquire(path));
    assertThat(target).doesNotExist();
    Files.createFile(target);
    assertErrno(Errno.ELOOP, () -> SingletonLock.acquire(path));
  }

  @Test
  void refusesADirectoryAFifoAndADeviceWithoutWaiting() throws Exception {
    assertErrno(Errno.EISDIR, () -> SingletonLock.acquire(directory));
    for (Path special : List.of(fifo(), Path.of("/dev/null"))) {
      assertThatExceptionOfType(NotRegularFileException.class)
          .isThrownBy(() -> SingletonLock.acquire(special))
          .withMessage(special + " is not a regular file")
          .satisfies(e -> assertThat(e.path()).isEqualTo(special));
    }
  }

  @Test
  void aMissingDirectoryIsNamedWithTheCallAndTheReason() {
    Path missing = directory.resolve("no/x.pid");
    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(() -> SingletonLock.acquire(missing))
        .withMessage("open " + missing + ": No such file or directory (ENOENT, 2)");
  }

  @Test
  void failuresLeaveNoDescriptorOpen() throws Exception {
    Path fifo = fifo();
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      lock.write(4242);
      List<String> before = Proc.openIn(directory);
      for (int i = 0; i < 20; i++) {
        assertHeld(SELF);
        assertThatThrownBy(() -> SingletonLock.acquire(fifo))
            .isInstanceOf(NotRegularFileException.class);
        assertThat(SingletonLock.isHeld(path)).isTrue();
      }
      assertThat(Proc.openIn(directory)).isEqualTo(before);
    }
  }

  @Test
  @Tag("root")
  void anUnprivilegedProcessIsToldWhatItMayNot() throws Exception {
    Path classes = Files.createDirectory(directory.resolve("classes"));
    ChildJvm jvm = ChildJvm.of(LockingProgram.class).startedBy(ChildJvm.AS_NOBODY).copied(classes);
    String refused = "open " + path + ": Permission denied (EACCES, 13)";
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThat(jvm.run("acquire", path).output()).isEqualTo(refused);
    Files.createFile(path);
    assertThat(jvm.run("acquire", path).output()).isEqualTo(refused);
  }

  /** A ramfs is one. */
  @Test
  @Tag("root")
  void aFileSystemThatCannotReserveSpaceIsWrittenTo() throws Exception {
    mount("-t", "ramfs", "daimon-test");
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      lock.prepare();
      lock.write(4242);
      assertThat(path).hasContent("4242\n");
    } finally {
      unmount();
    }
  }

  @Test
  @Tag("root")
  void aFullDiskIsFoundBeforeAnythingIsStarted() throws Exception {
    // 2 pages: one for the process id or what fills the disk, one for the root itself.
    mount("-t", "tmpfs", "-o", "nr_blocks=2", "daimon-test");
    Path filler = directory.resolve("fill");
    try {
      try (SingletonLock lock = SingletonLock.acquire(path)) {
        lock.prepare();
        fill(filler);
        lock.write(4242);
        assertThat(path).hasContent("4242\n");
      }
      Files.delete(path);
      fill(filler);
      try (SingletonLock lock = SingletonLock.acquire(path)) {
        assertErrno(Errno.ENOSPC, lock::prepare);
        assertErrno(Errno.ENOSPC, () -> lock.write(4242));
        assertThat(path).isEmptyFile();
        assertThat(lock.created()).isTrue();
        assertThat(lock.remove()).isTrue();
      }
    } finally {
      unmount();
    }
  }

  @Test
  void aFreeOrMissingFileIsNotHeldAndAskingMakesNone() throws IOException {
    assertThat(SingletonLock.isHeld(path)).isFalse();
    assertThat(SingletonLock.isHeld(directory.resolve("no/x.pid"))).isFalse();
    assertThat(path).doesNotExist();
    Files.createFile(path);
    assertThat(SingletonLock.isHeld(path)).isFalse();
  }

  @Test
  void aSharedFlockIsHeldARecordLockIsNot() throws Exception {
    Files.createFile(path);
    Process holder =
        new ProcessBuilder("flock", "-s", path.toString(), "sh", "-c", "echo; read x").start();
    try {
      assertThat(holder.inputReader().readLine()).isEmpty();
      // Beside more than a thousand locks of others only an exclusive one is found.
      ProcessSandbox.await("the shared lock to be found", () -> SingletonLock.isHeld(path));
    } finally {
      end(holder);
    }
    try (var channel = FileChannel.open(path, StandardOpenOption.WRITE);
        var lock = channel.lock()) {
      assertThat(lock.isValid()).isTrue();
      assertThat(Files.readString(Path.of("/proc/locks"))).contains("POSIX");
      assertThat(SingletonLock.isHeld(path)).isFalse();
    }
  }

  @Test
  void askingNeverTakesTheLock() throws Exception {
    Files.createFile(path);
    AtomicBoolean done = new AtomicBoolean();
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try {
      Future<Integer> asking =
          thread.submit(() -> {
            int asked = 0;
            for (; !done.get(); asked++) {
              SingletonLock.isHeld(path);
            }
            return asked;
          });
      for (int i = 0; i < 2000; i++) {
        SingletonLock.acquire(path).close();
      }
      done.set(true);
      assertThat(asking.get(30, TimeUnit.SECONDS)).isPositive();
    } finally {
      done.set(true);
      thread.shutdown();
    }
  }

  static final class WithoutProc {
    public static void main(String[] args) throws Exception {
      Path path = Path.of(args[0]);
      try (SingletonLock lock = SingletonLock.acquire(path)) {
        lock.write(ProcessHandle.current().pid());
        Process mount = new ProcessBuilder("mount", "-t", "tmpfs", "x", "/proc").start();
        System.out.println("mount: " + mount.waitFor());
        SingletonLock.acquire(path).close();
      } catch (LockHeldException held) {
        System.out.println(held.getMessage());
      }
    }
  }

  @Test
  @Tag("root")
  void withoutProcItIsHeldByAnotherProcess() throws Exception {
    assertThat(ChildJvm.of(WithoutProc.class).startedBy("unshare", "--mount").run(path).lines())
        .containsExactly("mount: 0", path + " is locked by another process");
  }

  @Test
  @Tag("root")
  void inAContainerALockIsSeenEvenAfterItsTakerEnded() throws Exception {
    Files.createFile(path);
    // flock(1) takes the lock for the shell's descriptor 9 and ends; Java does not inherit it.
    String script = "exec 9<\"$0\"; flock -n 9 || exit; \"$@\" 9<&-";
    assertThat(isHeldInAContainer(script)).isEqualTo("true");
    assertThat(isHeldInAContainer(script.replace("flock -n 9", "true"))).isEqualTo("false");
  }

  private String isHeldInAContainer(String script) throws Exception {
    return ChildJvm.of(LockingProgram.class)
        .startedBy("unshare", "--pid", "--fork", "--mount-proc")
        .startedBy("sh", "-c", script, path.toString())
        .run("isHeld", path)
        .output();
  }

  @Test
  @Tag("root")
  void aLockIsSeenWhereTheFileSystemInventsDevices() throws Exception {
    // Files of the lower layer have a device in stat that no lock's line names.
    Path lower = Files.createDirectory(directory.resolve("lower"));
    Path file = Files.createFile(lower.resolve("x.pid"));
    Path memory = Files.createTempDirectory(Path.of("/dev/shm"), "daimon-test");
    Path upper = Files.createDirectory(memory.resolve("upper"));
    Path work = Files.createDirectory(memory.resolve("work"));
    try {
      mount(
          "-t",
          "overlay",
          "-o",
          "xino=off,lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work,
          "daimon-test");
      try {
        Path merged = directory.resolve(file.getFileName());
        Process holder =
            new ProcessBuilder("flock", "-s", merged.toString(), "sh", "-c", "echo; read x")
                .start();
        try {
          assertThat(holder.inputReader().readLine()).isEmpty();
          ProcessSandbox.await("the shared lock to be found", () -> SingletonLock.isHeld(merged));
          ProcessSandbox.await("the file to be locked", () -> isLocked(merged));
          try (LockedFile opened = LockedFile.open(merged).orElseThrow()) {
            assertThat(opened.isHeldBy(holder.pid())).isTrue();
          }
        } finally {
          end(holder);
        }
        assertThat(SingletonLock.isHeld(merged)).isFalse();
      } finally {
        unmount();
      }
    } finally {
      Command.run("rm", "-r", memory.toString());
    }
  }

  private static boolean isLocked(Path file) throws IOException {
    try (LockedFile opened = LockedFile.open(file).orElseThrow()) {
      return opened.isLocked();
    }
  }

  private void assertHeld(long holder) {
    assertThatExceptionOfType(LockHeldException.class)
        .isThrownBy(() -> SingletonLock.acquire(path))
        .withMessageStartingWith(path + " is locked by process " + holder)
        .satisfies(e -> assertThat(e.path()).isEqualTo(path))
        .satisfies(e -> assertThat(e.holder()).hasValue(holder));
  }

  private static void assertErrno(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
  }

  /** Opened for reading and writing, and not close-on-exec, as an inherited file is. */
  private static Descriptor open(Path path) throws PosixException {
    int flags = dev.daimon.posix.call.Files.O_RDWR;
    int number = dev.daimon.posix.call.Files.open(NativePath.bytes(path), flags, 0);
    return Descriptor.adopt(PosixException.check(number, "open", path));
  }

  /** The flags of a process's descriptor, as open(2) has them. */
  private static int flags(long pid, int number) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/fdinfo/" + number))) {
      if (line.startsWith("flags:")) {
        return Integer.parseInt(line.substring("flags:".length()).strip(), 8);
      }
    }
    throw new AssertionError("no flags");
  }

  /** What a single system call reads. */
  private static String readOnce(FileChannel file) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(64);
    file.read(buffer, 0);
    return new String(buffer.array(), 0, buffer.position(), StandardCharsets.ISO_8859_1);
  }

  private Path fifo() throws Exception {
    Path fifo = directory.resolve("fifo");
    Command.run("mkfifo", fifo.toString());
    return fifo;
  }

  private void mount(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("mount"));
    command.addAll(List.of(arguments));
    command.add(directory.toString());
    Command.run(command.toArray(new String[0]));
  }

  private void unmount() throws Exception {
    Command.run("umount", "-l", directory.toString());
  }

  private static void fill(Path filler) {
    assertThatThrownBy(() -> Files.write(filler, new byte[1 << 20]))
        .hasMessageContaining("No space left");
  }

  /** Ends a process that lives as long as its input. */
  private static void end(Process process) throws Exception {
    OutputStream input = process.getOutputStream();
    input.close();
    process.waitFor();
  }

  private static int exitOf(String... command) throws Exception {
    return new ProcessBuilder(command).inheritIO().start().waitFor();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void aLockThatThisJvmHoldsAlreadyIsSaidToBeItsOwn() throws Exception {
    try (SingletonLock _ = SingletonLock.acquire(path)) {
      assertThatExceptionOfType(LockHeldException.class)
          .isThrownBy(() -> SingletonLock.acquire(path))
          .withMessage(path + " is locked by process " + SELF)
          .satisfies(held -> assertThat(held.holder()).hasValue(SELF));
    }
  }

  @Test
  void whatIsNoRegularFileIsToldByOneException() throws Exception {
    Path socket = directory.resolve("socket");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));

      assertThatThrownBy(() -> SingletonLock.acquire(socket))
          .isInstanceOf(NotRegularFileException.class);
    }
  }

  @Test
  void belowAFileThereIsNone() throws Exception {
    Path below = Files.createFile(directory.resolve("file")).resolve("lock");

    assertThat(SingletonLock.isHeld(below)).isFalse();
    assertThat(LockedFile.open(below)).isEmpty();
  }

  @Test
  void noMoreIsReadThanThereIs() throws Exception {
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      lock.replace(new byte[100_000]);
      assertThat(lock.read(Integer.MAX_VALUE)).hasSize(100_000);
      assertThat(lock.read(70_000)).hasSize(70_000);
      assertThat(lock.read(0)).isEmpty();
      assertThatThrownBy(() -> lock.read(-1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("a negative length: -1");
    }
  }

  static final class Limited {
    public static void main(String[] arguments) throws Exception {
      StringBuilder told = new StringBuilder();
      long[] before = new long[2];
      Limits.getrlimit(0, Resource.FSIZE.number(), before);
      Limits.setrlimit(Resource.FSIZE.number(), 3, before[1]);
      try (SingletonLock lock = SingletonLock.acquire(Path.of(arguments[0]))) {
        try {
          lock.write(12_345);
        } catch (PosixException failure) {
          told.append(failure.errno().name());
        }
        try {
          lock.replace(new byte[4]);
        } catch (PosixException failure) {
          told.append(' ').append(failure.errno().name()).append(lock.read(10).length);
        }
      }
      // The output is a file, too.
      Limits.setrlimit(Resource.FSIZE.number(), before[0], before[1]);
      System.out.println(told);
    }
  }

  @Test
  void whyNotAllIsWrittenIsTheKernelsReason() throws Exception {
    assertThat(ChildJvm.of(Limited.class).run(path).output()).isEqualTo("EFBIG EFBIG0");
  }

  static final class NamesTheHolder {
    public static void main(String[] arguments) throws Exception {
      Path file = Path.of(arguments[0]);
      Process holder = new ProcessBuilder("flock", "-o", file.toString(), "sleep", "1000").start();
      try {
        ProcessSandbox.await("the lock", () -> SingletonLock.isHeld(file));
        SingletonLock.acquire(file).close();
      } catch (LockHeldException held) {
        System.out.println(held.getMessage());
        System.out.println(held.holder().orElseThrow() == holder.pid());
      } finally {
        holder.descendants().forEach(ProcessHandle::destroyForcibly);
        holder.destroyForcibly();
      }
    }
  }

  /**
   * The file names process 1, which nobody may not examine, and which has nothing to do with it.
   */
  @Test
  @Tag("root")
  void whoIsSeenToHoldTheLockIsNamedBeforeWhoIsHidden(@TempDir Path classes) throws Exception {
    Files.writeString(path, "1\n");
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-rw-"));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));

    List<String> lines =
        ChildJvm.of(NamesTheHolder.class)
            .startedBy(ChildJvm.AS_NOBODY)
            .copied(classes)
            .run(path)
            .lines();

    assertThat(lines.getFirst()).contains("(flock)").endsWith("; it names process 1");
    assertThat(lines.getLast()).isEqualTo("true");
  }
}
