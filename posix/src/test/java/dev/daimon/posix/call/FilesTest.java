package dev.daimon.posix.call;

import static dev.daimon.posix.call.Files.CLOSE_RANGE_CLOEXEC;
import static dev.daimon.posix.call.Files.FALLOC_FL_KEEP_SIZE;
import static dev.daimon.posix.call.Files.FD_CLOEXEC;
import static dev.daimon.posix.call.Files.F_DUPFD_CLOEXEC;
import static dev.daimon.posix.call.Files.F_GETFD;
import static dev.daimon.posix.call.Files.F_GETFL;
import static dev.daimon.posix.call.Files.F_SETFD;
import static dev.daimon.posix.call.Files.F_SETFL;
import static dev.daimon.posix.call.Files.LOCK_EX;
import static dev.daimon.posix.call.Files.LOCK_NB;
import static dev.daimon.posix.call.Files.LOCK_UN;
import static dev.daimon.posix.call.Files.O_APPEND;
import static dev.daimon.posix.call.Files.O_CLOEXEC;
import static dev.daimon.posix.call.Files.O_CREAT;
import static dev.daimon.posix.call.Files.O_DIRECTORY;
import static dev.daimon.posix.call.Files.O_EXCL;
import static dev.daimon.posix.call.Files.O_NOCTTY;
import static dev.daimon.posix.call.Files.O_NOFOLLOW;
import static dev.daimon.posix.call.Files.O_NONBLOCK;
import static dev.daimon.posix.call.Files.O_PATH;
import static dev.daimon.posix.call.Files.O_RDONLY;
import static dev.daimon.posix.call.Files.O_RDWR;
import static dev.daimon.posix.call.Files.O_TRUNC;
import static dev.daimon.posix.call.Files.O_WRONLY;
import static dev.daimon.posix.call.Files.X_OK;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.FaultInjector;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FilesTest {
  @TempDir Path directory;

  @Test
  void aFailedCallReturnsItsOwnErrno() {
    assertThat(Files.open(path("missing"), O_RDONLY, 0)).isEqualTo(-Errno.ENOENT.number());
    assertThat(Files.open(bytes("/"), O_WRONLY, 0)).isEqualTo(-Errno.EISDIR.number());
    assertThat(Files.close(-1)).isEqualTo(-Errno.EBADF.number());
    assertThat(Files.flock(-1, LOCK_EX)).isEqualTo(-Errno.EBADF.number());
    assertThat(Files.dup2(-1, 1)).isEqualTo(-Errno.EBADF.number());
    assertThat(Files.unlink(path("missing"))).isEqualTo(-Errno.ENOENT.number());
    assertThat(Files.readlink(bytes("/"), new byte[9])).isEqualTo(-Errno.EINVAL.number());
  }

  @Test
  void aCreatedFileHasTheModeThatTheMaskLeaves() throws Exception {
    create("file", 0640).close();

    assertThat(java.nio.file.Files.getPosixFilePermissions(directory.resolve("file")))
        .isEqualTo(PosixFilePermissions.fromString("rw-r-----"));
  }

  @Test
  void aDirectoryIsMadeAndRemovedIfItIsEmpty() throws Exception {
    assertThat(Files.mkdir(path("made"), 0500)).isZero();
    assertThat(Files.mkdir(path("made"), 0700)).isEqualTo(-Errno.EEXIST.number());
    assertThat(Files.chmod(path("made"), 0710)).isZero();
    assertThat(java.nio.file.Files.getPosixFilePermissions(directory.resolve("made")))
        .isEqualTo(PosixFilePermissions.fromString("rwx--x---"));
    create("made/file", 0600).close();

    assertThat(Files.rmdir(path("made"))).isEqualTo(-Errno.ENOTEMPTY.number());
    assertThat(Files.unlink(path("made/file"))).isZero();
    assertThat(Files.rmdir(path("made"))).isZero();
    assertThat(Files.rmdir(path("made"))).isEqualTo(-Errno.ENOENT.number());
    assertThat(Files.chmod(path("made"), 0700)).isEqualTo(-Errno.ENOENT.number());
  }

  @Test
  void theFlagsOfOpenAreTheKernels() throws Exception {
    create("file", 0600).close();
    java.nio.file.Files.createSymbolicLink(directory.resolve("link"), Path.of("file"));

    assertThat(Files.open(path("file"), O_RDWR | O_CREAT | O_EXCL, 0600))
        .isEqualTo(-Errno.EEXIST.number());
    assertThat(Files.open(path("link"), O_RDONLY | O_NOFOLLOW, 0)).isEqualTo(-Errno.ELOOP.number());
    assertThat(Files.open(path("file"), O_RDONLY | O_DIRECTORY, 0))
        .isEqualTo(-Errno.ENOTDIR.number());
    try (Descriptor file = open("file", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {
      assertThat(Files.fcntl(file.number(), F_GETFL, 0) & (O_WRONLY | O_APPEND | O_NONBLOCK))
          .isEqualTo(O_WRONLY | O_APPEND | O_NONBLOCK);
      assertThat(Files.fcntl(file.number(), F_GETFD, 0)).isEqualTo(FD_CLOEXEC);
    }
    try (Descriptor place = open("file", O_PATH)) {
      assertThat(Files.read(place.number(), new byte[1])).isEqualTo(-Errno.EBADF.number());
    }
  }

  @Test
  void aFifoThatNobodyReadsIsNotWaitedFor() throws Exception {
    Command.run("mkfifo", directory.resolve("fifo").toString());

    assertThat(Files.open(path("fifo"), O_WRONLY | O_NONBLOCK, 0)).isEqualTo(-Errno.ENXIO.number());
  }

  @Test
  void truncationTakesPlaceAtOpenAndAtFtruncate() throws Exception {
    try (Descriptor file = create("file", 0600)) {
      assertThat(Files.write(file.number(), bytes("12345"))).isEqualTo(5);
      assertThat(Files.ftruncate(file.number(), 3)).isZero();
      assertThat(directory.resolve("file")).hasContent("123");
      assertThat(Files.ftruncate(file.number(), 5L << 30)).isZero();
      assertThat(directory.resolve("file")).hasSize(5L << 30);
    }
    open("file", O_WRONLY | O_TRUNC).close();
    assertThat(directory.resolve("file")).isEmptyFile();
  }

  @Test
  void readingAndWritingMoveThePositionAndTheirPositionedKinDoNot() throws Exception {
    try (Descriptor file = create("file", 0600)) {
      int fd = file.number();
      byte[] buffer = new byte[4];
      assertThat(Files.write(fd, bytes("abc"))).isEqualTo(3);
      assertThat(Files.pwrite(fd, bytes("X"), 1)).isEqualTo(1);
      assertThat(Files.write(fd, bytes("def"))).isEqualTo(3);
      assertThat(directory.resolve("file")).hasContent("aXcdef");

      assertThat(Files.read(fd, buffer)).isZero();
      assertThat(Files.pread(fd, buffer, 1)).isEqualTo(4);
      assertThat(buffer).isEqualTo(bytes("Xcde"));
      assertThat(Files.pread(fd, buffer, 5)).isEqualTo(1);
      assertThat(buffer).as("what was not read stays").isEqualTo(bytes("fcde"));
      assertThat(Files.pread(fd, buffer, 6)).isZero();

      assertThat(Files.write(fd, new byte[0])).isZero();
      assertThat(Files.read(fd, new byte[0])).isZero();
    }
  }

  /** However much memory of its own the thread has for calls. */
  @Test
  void aLargeBufferIsFilled() throws Exception {
    byte[] content = new byte[20_000];
    new Random(1).nextBytes(content);
    java.nio.file.Files.write(directory.resolve("file"), content);
    try (Descriptor file = open("file", O_RDONLY)) {
      byte[] buffer = new byte[content.length + 1];
      assertThat(Files.pread(file.number(), buffer, 0)).isEqualTo(content.length);
      assertThat(Arrays.copyOf(buffer, content.length)).isEqualTo(content);
      assertThat(Files.read(file.number(), buffer)).isEqualTo(content.length);
    }
  }

  @Test
  void anOffsetBeyondFourGigabytesArrives() throws Exception {
    try (Descriptor file = create("file", 0600)) {
      long offset = (5L << 30) + 1;
      byte[] buffer = new byte[2];
      assertThat(Files.pwrite(file.number(), bytes("x"), offset)).isEqualTo(1);
      assertThat(Files.pread(file.number(), buffer, offset)).isEqualTo(1);
      assertThat(buffer[0]).isEqualTo((byte) 'x');
    }
  }

  @Test
  void aLockIsOfTheOpenFileNotOfTheProcess() throws Exception {
    create("file", 0600).close();
    try (Descriptor first = open("file", O_RDWR);
        Descriptor second = open("file", O_RDWR)) {
      assertThat(Files.flock(first.number(), LOCK_EX | LOCK_NB)).isZero();
      assertThat(Files.flock(second.number(), LOCK_EX | LOCK_NB)).isEqualTo(-Errno.EAGAIN.number());
      assertThat(Files.flock(first.number(), LOCK_UN)).isZero();
      assertThat(Files.flock(second.number(), LOCK_EX | LOCK_NB)).isZero();
    }
  }

  @Test
  @Timeout(60)
  void aLockThatIsWaitedForIsTakenOnceItIsFree() throws Exception {
    create("file", 0600).close();
    try (Descriptor holder = open("file", O_RDWR);
        Descriptor waiter = open("file", O_RDWR)) {
      assertThat(Files.flock(holder.number(), LOCK_EX)).isZero();
      int number = waiter.number();
      int[] result = {1};
      String waitingFor = "(?s).*-> FLOCK [^\\n]*:" + stat("%i", "file") + " .*";
      Thread thread = new Thread(() -> result[0] = Files.flock(number, LOCK_EX));
      thread.start();
      while (!java.nio.file.Files.readString(Path.of("/proc/locks")).matches(waitingFor)) {
        Thread.onSpinWait();
      }
      assertThat(Files.flock(holder.number(), LOCK_UN)).isZero();
      thread.join();
      assertThat(result[0]).isZero();
    }
  }

  @Test
  void reservedSpaceIsThereAndTheSizeIsAsBefore() throws Exception {
    try (Descriptor file = create("file", 0600)) {
      assertThat(Files.fallocate(file.number(), FALLOC_FL_KEEP_SIZE, 0, 65536)).isZero();

      assertThat(directory.resolve("file")).isEmptyFile();
      assertThat(stat("%b", "file")).isNotEqualTo("0");
      assertThat(Files.fallocate(file.number(), FALLOC_FL_KEEP_SIZE, 0, 0))
          .isEqualTo(-Errno.EINVAL.number());
    }
  }

  @Test
  void renamingReplacesWhatHasTheName() throws Exception {
    java.nio.file.Files.writeString(directory.resolve("new"), "new");
    java.nio.file.Files.writeString(directory.resolve("old"), "old");

    assertThat(Files.rename(path("new"), path("old"))).isZero();

    assertThat(directory.resolve("old")).hasContent("new");
    assertThat(directory.resolve("new")).doesNotExist();
    assertThat(Files.rename(path("new"), path("old"))).isEqualTo(-Errno.ENOENT.number());
  }

  @Test
  void aFileIsSynced() throws Exception {
    try (Descriptor file = create("file", 0600)) {
      assertThat(Files.fsync(file.number())).isZero();
    }
    assertThat(Files.fsync(-1)).isEqualTo(-Errno.EBADF.number());
  }

  @Test
  void anUnlinkedNameIsGone() throws Exception {
    create("file", 0600).close();

    assertThat(Files.unlink(path("file"))).isZero();

    assertThat(directory.resolve("file")).doesNotExist();
    assertThat(Files.unlink(NativePath.bytes(directory))).isEqualTo(-Errno.EISDIR.number());
  }

  @Test
  void aLinksTargetIsReadAndCutAtTheBuffersEnd() throws Exception {
    java.nio.file.Files.createSymbolicLink(directory.resolve("link"), Path.of("target"));
    byte[] buffer = new byte[10];
    byte[] small = new byte[3];

    assertThat(Files.readlink(path("link"), buffer)).isEqualTo(6);
    assertThat(buffer).startsWith(bytes("target"));
    assertThat(Files.readlink(path("link"), small)).isEqualTo(3);
    assertThat(small).isEqualTo(bytes("tar"));
  }

  @Test
  void permissionsAreChangedThroughTheDescriptor() throws Exception {
    try (Descriptor file = create("file", 0600)) {
      assertThat(Files.fchmod(file.number(), 0640)).isZero();
      assertThat(stat("%a", "file")).isEqualTo("640");
      assertThat(Files.fchmod(-1, 0640)).isEqualTo(-Errno.EBADF.number());
    }
  }

  @Test
  @Tag("root")
  void anOwnerIsChangedThroughTheDescriptorAndMinusOneLeavesAnId() throws Exception {
    try (Descriptor file = create("file", 0600)) {
      assertThat(Files.fchown(file.number(), 1234, -1)).isZero();
      assertThat(stat("%u:%g", "file")).isEqualTo("1234:0");
      assertThat(Files.fchown(file.number(), -1, 0xfffffffe)).isZero();
      assertThat(stat("%u:%g", "file")).isEqualTo("1234:4294967294");

      FileStatus status = new FileStatus();
      assertThat(Files.fstat(file.number(), status)).isZero();
      assertThat(status.uid()).isEqualTo(1234);
      assertThat(Integer.toUnsignedString(status.gid())).isEqualTo("4294967294");
    }
  }

  @Test
  @Tag("root")
  void aHandleOfASymbolicLinkIsTheLinksOwn() throws Exception {
    java.nio.file.Files.createFile(directory.resolve("file"));
    java.nio.file.Files.createSymbolicLink(directory.resolve("link"), Path.of("file"));
    byte[] link = bytes(directory.resolve("link").toString());
    int flags = Files.O_PATH | Files.O_NOFOLLOW | Files.O_CLOEXEC;
    try (Descriptor handle = Descriptor.adopt(Files.open(link, flags, 0))) {
      assertThat(Files.fchown(handle.number(), 1234, 5678)).isEqualTo(-Errno.EBADF.number());
      assertThat(Files.chownHandle(handle.number(), 1234, 5678)).isZero();
    }
    assertThat(stat("%u:%g", "link")).isEqualTo("1234:5678");
    assertThat(stat("%u:%g", "file")).isEqualTo("0:0");
  }

  @Test
  @Tag("root")
  void permissionIsJudgedByTheEffectiveIds() throws Exception {
    java.nio.file.Files.writeString(directory.resolve("program"), "");
    java.nio.file.Files.setPosixFilePermissions(
        directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path program = directory.resolve("program");

    assertThat(Files.eaccess(path("program"), X_OK)).isEqualTo(-Errno.EACCES.number());
    java.nio.file.Files.setPosixFilePermissions(
        program, PosixFilePermissions.fromString("rwx------"));
    assertThat(Files.eaccess(path("program"), X_OK)).isZero();
    assertThat(ChildJvm.of(AccessAsSomebodyElse.class).run(program.toString()).output())
        .isEqualTo("0 -13");
    assertThat(Files.eaccess(path("missing"), X_OK)).isEqualTo(-Errno.ENOENT.number());
  }

  static final class AccessAsSomebodyElse {
    public static void main(String[] args) {
      // Every class is loaded by root: the other may have no way to them.
      String said = Files.eaccess(bytes(args[0]), X_OK) + " ";
      if (Credentials.setresuid(-1, 65534, -1) == 0) {
        System.out.println(said + Files.eaccess(bytes(args[0]), X_OK));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"EPERM", "ENOSYS"})
  @Tag("cc")
  void permissionIsToldWhereAFilterRefusesTheNewerCall(String error) throws Exception {
    FaultInjector injector = FaultInjector.compiled(directory);
    Path program = java.nio.file.Files.writeString(directory.resolve("program"), "");

    for (String permissions : List.of("rwx------", "rw-------")) {
      java.nio.file.Files.setPosixFilePermissions(
          program, PosixFilePermissions.fromString(permissions));
      assertThat(
              ChildJvm.of(Access.class)
                  .startedBy(injector.forbidding("faccessat2", error, List.of()))
                  .run(program)
                  .output())
          .isEqualTo(permissions.equals("rwx------") ? "0" : "-13");
    }
  }

  static final class Access {
    public static void main(String[] args) {
      System.out.println(Files.eaccess(bytes(args[0]), X_OK));
    }
  }

  /** The policy on signals, decided once: a call is made again, {@code close} never. */
  @Test
  @Tag("strace")
  void anInterruptedCallIsMadeAgainButAnInterruptedCloseIsNot() throws Exception {
    create("file", 0600).close();
    Path trace = directory.resolve("trace");

    assertThat(
            ChildJvm.of(LockAndClose.class)
                .startedBy("strace", "-f", "-qq", "-o", trace.toString())
                .startedBy("-P", directory.resolve("file").toString())
                .startedBy("-e", "trace=flock,close")
                .startedBy("-e", "inject=flock:error=EINTR:when=1..3")
                .startedBy("-e", "inject=close:error=EINTR")
                .run(directory.resolve("file").toString())
                .output())
        .isEqualTo("0 -4");
    assertThat(trace).content().containsPattern("(?s)(flock.*EINTR.*){3}flock.*= 0");
    assertThat(java.nio.file.Files.readAllLines(trace))
        .filteredOn(line -> line.contains("close("))
        .hasSize(1);
  }

  static final class LockAndClose {
    public static void main(String[] args) {
      int fd = Files.open(bytes(args[0]), O_RDWR, 0);
      System.out.println(Files.flock(fd, LOCK_EX) + " " + Files.close(fd));
    }
  }

  @Test
  void dup2PutsAFileUnderAChosenNumberWithoutCloseOnExec() throws Exception {
    try (Descriptor file = create("file", 0600);
        Descriptor taken = Descriptor.adopt(Files.fcntl(file.number(), F_DUPFD_CLOEXEC, 600))) {
      assertThat(taken.number()).isGreaterThanOrEqualTo(600);

      assertThat(Files.dup2(file.number(), taken.number())).isEqualTo(taken.number());

      assertThat(Files.fcntl(taken.number(), F_GETFD, 0)).isZero();
      assertThat(Files.fcntl(taken.number(), F_SETFD, FD_CLOEXEC)).isZero();
      assertThat(Files.fcntl(taken.number(), F_GETFD, 0)).isEqualTo(FD_CLOEXEC);
    }
  }

  @Test
  void statusFlagsAreSetOnTheOpenFile() throws Exception {
    try (Descriptor file = create("file", 0600)) {
      assertThat(Files.fcntl(file.number(), F_SETFL, O_APPEND)).isZero();
      assertThat(Files.pwrite(file.number(), bytes("1"), 0)).isEqualTo(1);
      assertThat(Files.pwrite(file.number(), bytes("2"), 0)).isEqualTo(1);
      assertThat(directory.resolve("file")).hasContent("12");
    }
  }

  @Test
  void aRangeIsMarkedThenClosed() throws Exception {
    assertThat(ChildJvm.of(CloseRange.class).run().output()).isEqualTo("0 0 1 1 0 0 -9 -9");
  }

  static final class CloseRange {
    public static void main(String[] args) {
      StringBuilder said = new StringBuilder();
      for (int fd : new int[] {700, 701, 702}) {
        Files.dup2(0, fd);
      }
      said.append(Files.closeRange(701, -1, CLOSE_RANGE_CLOEXEC));
      for (int fd : new int[] {700, 701, 702}) {
        said.append(' ').append(Files.fcntl(fd, F_GETFD, 0));
      }
      said.append(' ').append(Files.closeRange(701, -1, 0));
      for (int fd : new int[] {700, 701, 702}) {
        said.append(' ').append(Files.fcntl(fd, F_GETFD, 0));
      }
      System.out.println(said);
    }
  }

  @Test
  void aPathWithANulIsRefusedBeforeTheKernelWouldCutIt() {
    assertThatIllegalArgumentException().isThrownBy(() -> Files.unlink(bytes("/a\0b")));
  }

  @Test
  void everyThreadHasItsOwnErrno() throws Exception {
    int[] results = new int[2];
    Thread other =
        new Thread(() -> {
          for (int i = 0; i < 2000 && results[1] == 0; i++) {
            int result = Files.close(-1);
            results[1] = result == -Errno.EBADF.number() ? 0 : result;
          }
        });
    other.start();
    for (int i = 0; i < 2000 && results[0] == 0; i++) {
      int result = Files.unlink(path("missing"));
      results[0] = result == -Errno.ENOENT.number() ? 0 : result;
    }
    other.join();
    assertThat(results).containsOnly(0);
  }

  private Descriptor create(String name, int mode) throws PosixException {
    return Descriptor.adopt(
        PosixException.check(
            Files.open(path(name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode), "open", name));
  }

  private Descriptor open(String name, int flags) throws PosixException {
    return Descriptor.adopt(PosixException.check(Files.open(path(name), flags, 0), "open", name));
  }

  private byte[] path(String name) {
    return NativePath.bytes(directory.resolve(name));
  }

  private String stat(String format, String name) throws IOException, InterruptedException {
    return Command.run("stat", "-c", format, directory.resolve(name).toString());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  @Test
  void whatIsWrittenIntoAPipeComesOutOfIt() {
    int[] pipe = new int[2];
    assertThat(Files.pipe(Files.O_CLOEXEC, pipe)).isZero();
    try {
      assertThat(Files.fcntl(pipe[0], Files.F_GETFD, 0)).isEqualTo(Files.FD_CLOEXEC);
      assertThat(Files.write(pipe[1], new byte[] {7})).isEqualTo(1);
      byte[] read = new byte[1];
      assertThat(Files.read(pipe[0], read)).isEqualTo(1);
      assertThat(read).containsExactly(7);
    } finally {
      Files.close(pipe[0]);
      Files.close(pipe[1]);
    }
  }

  @Test
  void aFileInMemoryCanBeForbiddenToGrow() {
    byte[] name = "daimon-test".getBytes(US_ASCII);
    int file = Files.memfdCreate(name, Files.MFD_CLOEXEC | Files.MFD_ALLOW_SEALING);
    try {
      assertThat(Files.ftruncate(file, 2)).isZero();
      assertThat(Files.fcntl(file, Files.F_ADD_SEALS, Files.F_SEAL_GROW)).isZero();
      assertThat(Files.write(file, new byte[2])).isEqualTo(2);
      assertThat(Files.write(file, new byte[1])).isEqualTo(-Errno.EPERM.number());
      assertThat(Files.isatty(file)).isFalse();
      assertThat(Files.columns(file)).isNegative();
    } finally {
      Files.close(file);
    }
  }

  @Test
  void anOpenFileIsComparedAndNotWhereItLeads() throws Exception {
    byte[] path = "/dev/null".getBytes(US_ASCII);
    int one = Files.open(path, Files.O_RDONLY | Files.O_CLOEXEC, 0);
    int own = Processes.getpid();
    Process other = new ProcessBuilder("sleep", "600").start();
    try {
      assertThat(Files.compare(own, own, one)).isZero();
      assertThat(Files.compare(own, other.pid(), 0)).isPositive();
      assertThat(Files.compare(own, other.pid(), one)).isEqualTo(-Errno.EBADF.number());
      assertThat(Files.compare(own, 0, one)).isEqualTo(-Errno.ESRCH.number());
    } finally {
      Files.close(one);
      other.destroyForcibly().waitFor();
    }
  }

  @Test
  void aTerminalIsOne() {
    byte[] path = "/dev/ptmx".getBytes(US_ASCII);
    int terminal = Files.open(path, Files.O_RDWR | Files.O_NOCTTY | Files.O_CLOEXEC, 0);
    try {
      assertThat(Files.isatty(terminal)).isTrue();
      assertThat(Files.columns(terminal)).as("none was set").isZero();
    } finally {
      Files.close(terminal);
    }
  }
}
