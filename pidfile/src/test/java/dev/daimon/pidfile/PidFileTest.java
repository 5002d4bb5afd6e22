package dev.daimon.pidfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PidFileTest {
  private static final int READ = dev.daimon.posix.call.Files.O_RDONLY;

  @TempDir Path directory;
  private Path path;
  private PidFile file;

  @BeforeEach
  void create() {
    path = directory.resolve("x.pid");
    file = PidFile.at(path);
  }

  @ParameterizedTest
  @ValueSource(strings = {"123", "123\n", " 123", "\t\r\n\u000b\f 123 \n\n", "00123\n"})
  void readsOneNumberWithWhiteSpaceAndZeros(String content) throws IOException {
    Files.writeString(path, content);
    assertThat(file.read()).isEqualTo(123);
  }

  @Test
  void readsTheLimitsOfLinux() throws IOException {
    Files.writeString(path, "1\n");
    assertThat(file.read()).isEqualTo(1);
    Files.writeString(path, "4194304\n");
    assertThat(file.read()).isEqualTo(4194304);
  }

  @ParameterizedTest
  @CsvSource({
    "'', is empty",
    "' \n', is empty",
    "0, no process id",
    "000, no process id",
    "4194305, no process id",
    "99999999999999999999999999, no process id",
    "-1, something else",
    "+1, something else",
    "1.5, something else",
    "0x10, something else",
    "'12 13', something else",
    "'12 13\n14\n', something else",
    "'bind 127.0.0.1\n7\n', something else",
    "abc, something else",
    "'12\u0000', something else",
    "\u0661\u0662, something else",
  })
  void refusesWhatIsNotOneProcessId(String content, String reason) throws IOException {
    Files.writeString(path, content);
    assertThatExceptionOfType(MalformedPidFileException.class)
        .isThrownBy(file::read)
        .withMessageStartingWith(path + " is no pidfile: it ")
        .withMessageContaining(reason)
        .satisfies(e -> assertThat(e.path()).isEqualTo(path))
        .satisfies(e -> assertThat(e.reason()).contains(reason))
        .satisfies(e -> assertThat(e.isEmpty()).isEqualTo(content.isBlank()));
  }

  /** As sendmail and PostgreSQL write them. */
  @ParameterizedTest
  @ValueSource(strings = {"12\n/usr/sbin/sendmail -bd -q30m\n", " 12 \n13", "12\nx\n\n", "LONG"})
  void furtherLinesAreIgnoredUnlessTheIdIsToBeAlone(String content) throws IOException {
    Files.writeString(path, content.replace("LONG", "12\n" + "/var/lib/postgresql\n".repeat(9)));

    assertThat(file.read()).isEqualTo(12);
    try (Descriptor descriptor = open(path, READ)) {
      assertThatExceptionOfType(MalformedPidFileException.class)
          .isThrownBy(() -> file.readSole(descriptor))
          .withMessage(path + " is no pidfile: it has further lines");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"12", "12\n", " \n 12 \n \n"})
  void anIdAloneIsReadAsSuch(String content) throws IOException {
    Files.writeString(path, content);
    try (Descriptor descriptor = open(path, READ)) {
      assertThat(file.readSole(descriptor)).isEqualTo(12);
    }
  }

  @Test
  void readsUpTo64BytesAndNotMore() throws IOException {
    Files.writeString(path, "7" + " ".repeat(63));
    assertThat(file.read()).isEqualTo(7);
    Files.writeString(path, "7" + " ".repeat(64));
    assertThatThrownBy(file::read)
        .isInstanceOf(MalformedPidFileException.class)
        .hasMessageContaining("more than 64 bytes");
    Files.writeString(path, " ".repeat(65));
    assertThatThrownBy(file::read).isInstanceOf(MalformedPidFileException.class);
  }

  @Test
  void neitherWaitsForAFifoNorReadsADirectoryOrADevice() throws Exception {
    Path fifo = directory.resolve("fifo");
    Command.run("mkfifo", fifo.toString());
    for (Path special : List.of(fifo, directory, Path.of("/dev/null"))) {
      assertThatThrownBy(() -> PidFile.at(special).read())
          .isInstanceOf(MalformedPidFileException.class)
          .hasMessage(special + " is no pidfile: it is not a regular file");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"123\n", " 0123", "", "0\n", "-1\n", "4194305\n", "12\n13\n"})
  void anOpenFileIsReadAsByItsPath(String content) throws IOException {
    Files.writeString(path, content);
    try (Descriptor descriptor = open(path, READ)) {
      for (int i = 0; i < 2; i++) {
        assertThat(read(() -> file.read(descriptor))).isEqualTo(read(file::read));
      }
    }
  }

  private static String read(Callable<Long> reader) {
    try {
      return reader.call().toString();
    } catch (Exception e) {
      return e.toString();
    }
  }

  @Test
  void anOpenFileStaysTheSameWhateverIsAtItsPath() throws IOException {
    file.write(123);
    try (Descriptor descriptor = open(path, READ)) {
      file.write(45);
      assertThat(file.read(descriptor)).isEqualTo(123);
      assertThat(file.read()).isEqualTo(45);
      file.remove();
      assertThat(file.read(descriptor)).isEqualTo(123);
    }
  }

  @Test
  void anOpenFileIsReadFromItsBeginningAndStaysWhereItIs() throws IOException {
    file.write(123);
    try (Descriptor descriptor = open(path, READ)) {
      byte[] one = new byte[1];
      assertThat(dev.daimon.posix.call.Files.read(descriptor.number(), one)).isEqualTo(1);
      assertThat(file.read(descriptor)).isEqualTo(123);
      assertThat(dev.daimon.posix.call.Files.read(descriptor.number(), one)).isEqualTo(1);
      assertThat(one).containsExactly('2');
    }
  }

  @Test
  void whatIsOpenAndNoReadableFileIsRefused() throws Exception {
    for (Path special : List.of(directory, Path.of("/dev/null"))) {
      try (Descriptor descriptor = open(special, READ)) {
        assertThatThrownBy(() -> file.read(descriptor))
            .isInstanceOf(MalformedPidFileException.class)
            .hasMessage(path + " is no pidfile: it is not a regular file");
      }
    }
    file.write(123);
    try (Descriptor descriptor = open(path, dev.daimon.posix.call.Files.O_WRONLY)) {
      assertErrno(Errno.EBADF, () -> file.read(descriptor));
    }
    Descriptor closed = open(path, READ);
    closed.close();
    assertThatThrownBy(() -> file.read(closed)).isInstanceOf(IllegalStateException.class);
  }

  private static Descriptor open(Path path, int flags) throws PosixException {
    int number = dev.daimon.posix.call.Files.open(NativePath.bytes(path), flags, 0);
    return Descriptor.adopt(PosixException.check(number, "open", path));
  }

  @Test
  void readingAMissingFileSaysWhichCallFailedOnWhat() {
    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(file::read)
        .withMessage("open " + path + ": No such file or directory (ENOENT, 2)");
  }

  @Test
  void writesTheNumberAndALineFeedReadableByAll() throws IOException {
    file.write(123);
    assertThat(path).hasContent("123\n");
    file.write(45);
    assertThat(Files.readString(path)).isEqualTo("45\n");
    assertThat(Files.getPosixFilePermissions(path))
        .isSubsetOf(PosixFilePermissions.fromString("rw-r--r--"));
    assertThat(names()).containsExactly("x.pid");
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MIN_VALUE, -1, 0, 4194305, (1L << 32) + 1, Long.MAX_VALUE})
  void refusesToWriteWhatIsNoProcessIdAndTouchesNothing(long pid) throws IOException {
    assertThatThrownBy(() -> file.write(pid)).isInstanceOf(IllegalArgumentException.class);
    assertThat(names()).isEmpty();
  }

  @Test
  void writingReplacesASymbolicLinkAndLeavesItsTarget() throws IOException {
    Path target = Files.writeString(directory.resolve("target"), "keep");
    Files.createSymbolicLink(path, target);
    file.write(123);
    assertThat(path).isRegularFile().hasContent("123\n");
    assertThat(Files.isSymbolicLink(path)).isFalse();
    assertThat(target).hasContent("keep");
  }

  @Test
  void writingOverADirectoryFailsAndLeavesNothing() throws IOException {
    Files.createDirectory(path);
    assertErrno(Errno.EISDIR, () -> file.write(123));
    assertThat(names()).containsExactly("x.pid");
  }

  @Test
  void writingIntoAMissingDirectoryFails() {
    PidFile missing = PidFile.at(directory.resolve("no/x.pid"));
    assertErrno(Errno.ENOENT, () -> missing.write(123));
  }

  @Test
  void writesANameOfTheLongestLength() throws IOException {
    Path longest = directory.resolve("x".repeat(255));
    PidFile.at(longest).write(123);
    assertThat(longest).hasContent("123\n");
  }

  @Test
  void aPendingFileIsInvisibleUntilItIsCommitted() throws IOException {
    file.write(1);
    try (PidFile.Pending pending = file.prepare()) {
      assertThat(file.read()).isEqualTo(1);
      assertThat(names()).hasSize(2);
      assertThat(pending.descriptor().number()).isGreaterThan(2);
      pending.commit(2);
      assertThat(file.read()).isEqualTo(2);
      assertThatThrownBy(() -> pending.commit(3)).isInstanceOf(IllegalStateException.class);
    }
    assertThat(file.read()).isEqualTo(2);
    assertThat(names()).containsExactly("x.pid");
  }

  @Test
  void aPendingFileThatIsClosedLeavesEverythingAsItWas() throws IOException {
    PidFile.Pending pending = file.prepare();
    pending.close();
    pending.close();
    assertThat(names()).isEmpty();
    assertThatThrownBy(() -> pending.commit(3)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aPendingFileSurvivesAWrongNumber() throws IOException {
    try (PidFile.Pending pending = file.prepare()) {
      assertThatThrownBy(() -> pending.commit(0)).isInstanceOf(IllegalArgumentException.class);
      pending.commit(4);
    }
    assertThat(file.read()).isEqualTo(4);
  }

  @Test
  void twoPendingFilesDoNotDisturbEachOther() throws IOException {
    try (PidFile.Pending first = file.prepare();
        PidFile.Pending second = file.prepare()) {
      second.commit(2);
      assertThat(file.read()).isEqualTo(2);
      first.commit(1);
      assertThat(file.read()).isEqualTo(1);
    }
  }

  @Test
  void removesTheFileAndSaysWhetherItWasThere() throws IOException {
    file.write(123);
    assertThat(file.remove()).isTrue();
    assertThat(names()).isEmpty();
    assertThat(file.remove()).isFalse();
  }

  @Test
  void removesALinkButNoDirectory() throws IOException {
    Path target = Files.writeString(directory.resolve("target"), "keep");
    Files.createSymbolicLink(path, target);
    assertThat(file.remove()).isTrue();
    assertThat(target).hasContent("keep");
    Files.createDirectory(path);
    assertErrno(Errno.EISDIR, file::remove);
  }

  @Test
  void failuresLeaveNoDescriptorOpen() throws IOException {
    Path notThere = directory.resolve("no/x.pid");
    Files.writeString(path, "nothing");
    Path taken = Files.createDirectory(directory.resolve("taken"));
    List<String> before = Proc.openIn(directory);
    for (int i = 0; i < 20; i++) {
      assertThatThrownBy(file::read).isInstanceOf(MalformedPidFileException.class);
      assertThatThrownBy(() -> PidFile.at(notThere).write(1)).isInstanceOf(PosixException.class);
      assertThatThrownBy(() -> PidFile.at(taken).write(1)).isInstanceOf(PosixException.class);
    }
    assertThat(Proc.openIn(directory)).isEqualTo(before);
  }

  @Test
  void readersSeeTheOldOrTheNewNumberAndNeverHalfOfOne() throws Exception {
    long[] pids = {12345, 678, 4194304};
    file.write(pids[0]);
    AtomicBoolean done = new AtomicBoolean();
    Callable<Integer> reader =
        () -> {
          int reads = 0;
          for (; !done.get(); reads++) {
            // One plain read, as a shell script does it.
            assertThat(Files.readString(path)).isIn("12345\n", "678\n", "4194304\n");
            assertThat(file.read()).isIn(12345L, 678L, 4194304L);
          }
          return reads;
        };
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<Integer>> readers = List.of(threads.submit(reader), threads.submit(reader));
      for (int i = 0; i < 5000; i++) {
        file.write(pids[i % pids.length]);
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
  @Tag("root")
  void aFullDiskIsFoundBeforeAnythingIsWritten() throws Exception {
    // 3 pages: one for the old pidfile, one for what fills the rest, one for the root itself.
    Command.run("mount", "-t", "tmpfs", "-o", "nr_blocks=3", "daimon-test", directory.toString());
    try {
      file.write(1);
      fill(directory.resolve("fill"));
      assertErrno(Errno.ENOSPC, file::prepare);
      assertThat(file.read()).isEqualTo(1);
      assertThat(names()).containsExactlyInAnyOrder("x.pid", "fill");

      Files.delete(directory.resolve("fill"));
      try (PidFile.Pending pending = file.prepare()) {
        fill(directory.resolve("fill"));
        pending.commit(2);
      }
      assertThat(file.read()).isEqualTo(2);
    } finally {
      Command.run("umount", "-l", directory.toString());
    }
  }

  /** A ramfs is one. */
  @Test
  @Tag("root")
  void aFileSystemThatCannotReserveSpaceIsWrittenTo() throws Exception {
    Command.run("mount", "-t", "ramfs", "daimon-test", directory.toString());
    try {
      file.write(1);

      assertThat(file.read()).isEqualTo(1);
      assertThat(names()).containsExactly("x.pid");
    } finally {
      Command.run("umount", "-l", directory.toString());
    }
  }

  private static void fill(Path filler) {
    assertThatThrownBy(() -> Files.write(filler, new byte[1 << 20]))
        .hasMessageContaining("No space left");
  }

  private static void assertErrno(
      Errno errno, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
  }

  private List<String> names() throws IOException {
    List<String> names = new ArrayList<>();
    try (var entries = Files.newDirectoryStream(directory)) {
      entries.forEach(entry -> names.add(entry.getFileName().toString()));
    }
    return names;
  }

  @Test
  void belowAFileThereIsNothingToRemove(@TempDir Path directory) throws Exception {
    Path file = java.nio.file.Files.createFile(directory.resolve("file"));

    assertThat(PidFile.at(file.resolve("pid")).remove()).isFalse();
  }

  @Test
  void aPathOfAnArchiveIsRefused(@TempDir Path directory) throws Exception {
    URI archive = URI.create("jar:" + directory.resolve("a.zip").toUri());
    try (FileSystem system = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
      Path inside = system.getPath(directory + "/pid");

      assertThatThrownBy(() -> PidFile.at(inside).write(7))
          .isInstanceOf(ProviderMismatchException.class)
          .hasMessageEndingWith("/pid is no path of the default file system");
    }
    assertThat(directory.resolve("pid")).doesNotExist();
  }
}
