package dev.daimon.forking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Files;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OutputFileTest {
  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"000, rw-r--r--", "022, rw-r--r--", "027, rw-r-----", "077, rw-------"})
  void aMissingFileIsCreatedWithMode0644LessTheUmask(String umask, String mode) throws Exception {
    Path path = directory.resolve("log");
    assertThat(
            ChildJvm.of(Create.class)
                .startedBy("sh", "-c", "umask " + umask + "; exec \"$@\"", "sh")
                .run(path)
                .lines())
        .containsExactly("created true", "created false");
    assertThat(permissions(path)).isEqualTo(mode);
  }

  static final class Create {
    public static void main(String[] args) throws IOException {
      for (int i = 0; i < 2; i++) {
        try (OutputFile output = OutputFile.open(Path.of(args[0]))) {
          System.out.println("created " + output.created());
        }
      }
    }
  }

  /** Users 1 and 2 are neither root nor nobody. */
  @ParameterizedTest
  @CsvSource({
    "a file of root's, 0, root, true",
    "a file of the user's, 1, root, true",
    "a file of another's, 2, root, false",
    "a FIFO of another's, 2, root, false",
    "a device, 2, root, true",
    "a missing file, 2, root, true",
    "a file of the user's, 65534, nobody, true",
    "a file of root's, 0, nobody, true",
    "a file of another's, 2, nobody, true",
    "a file of another's in a sticky directory, 2, nobody, false",
    "a FIFO of another's in a sticky directory, 2, nobody, false",
  })
  @Tag("root")
  @Tag("attack")
  void theFileOfAnotherUserIsRefused(String what, int owner, String caller, boolean accepted)
      throws Exception {
    Path place = java.nio.file.Files.createDirectory(directory.resolve("place"));
    Path path = place.resolve("log");
    if (what.contains("FIFO")) {
      Command.run("mkfifo", path.toString());
    } else if (what.contains("device")) {
      Command.run("mknod", path.toString(), "c", "1", "3");
    } else if (!what.contains("missing")) {
      java.nio.file.Files.createFile(path);
    }
    if (java.nio.file.Files.exists(path)) {
      Command.run("chown", Integer.toString(owner), path.toString());
      Command.run("chmod", "666", path.toString());
    }
    Command.run("chmod", what.contains("sticky") ? "1777" : "777", place.toString());
    ChildJvm jvm = ChildJvm.of(Owned.class).copied(directory);
    if (caller.equals("nobody")) {
      jvm.startedBy(ChildJvm.AS_NOBODY);
    }

    String out = jvm.run(path, caller.equals("root") ? 1 : -1).output();

    assertThat(out)
        .isEqualTo(
            accepted
                ? "accepted accepted"
                : (path
                        + " belongs to user 2, who could read or change the output: remove the file ")
                    .repeat(2)
                    .strip());
  }

  @ParameterizedTest
  @CsvSource({"0, root", "2, nobody"})
  @Tag("root")
  void aRelativePathIsJudgedInADirectoryThatTheLocaleCannotDecode(int owner, String caller)
      throws Exception {
    String prepare = "touch log; chown " + owner + " log; chmod 666 log; chmod 1777 .; exec \"$@\"";
    ChildJvm jvm = ChildJvm.of(Owned.class).copied(directory).inUndecodableDirectory(directory);
    jvm.startedBy("sh", "-c", prepare, "sh");
    if (caller.equals("nobody")) {
      jvm.startedBy(ChildJvm.AS_NOBODY);
    }

    assertThat(jvm.run("log", -1).output())
        .isEqualTo(
            caller.equals("root")
                ? "accepted accepted"
                : "log belongs to user 2, who could read or change the output: remove the file"
                    + " log belongs to user 2, who could read or change the output: remove the"
                    + " file");
  }

  /** Opened, with a reader if it is a FIFO, and by its path alone. */
  static final class Owned {
    public static void main(String[] args) throws IOException {
      Path path = Path.of(args[0]);
      long user = Long.parseLong(args[1]);
      System.out.print(verdict(() -> OutputFile.requireOwner(path, user)) + " ");
      int reader = Files.open(args[0].getBytes(StandardCharsets.US_ASCII), READER, 0);
      try (OutputFile output = OutputFile.open(path)) {
        System.out.print(verdict(() -> output.requireOwner(user)));
      }
      Files.close(reader);
    }

    private static final int READER = Files.O_RDONLY | Files.O_NONBLOCK;

    private interface Check {
      void run() throws IOException;
    }

    private static String verdict(Check check) {
      try {
        check.run();
        return "accepted";
      } catch (IOException refused) {
        return String.valueOf(refused.getMessage());
      }
    }
  }

  @Test
  void anExistingFileIsOpenedAsItIs() throws IOException {
    Path path = java.nio.file.Files.writeString(directory.resolve("log"), "kept\n");
    java.nio.file.Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));

    try (OutputFile output = OutputFile.open(path)) {
      assertThat(output.created()).isFalse();
      assertThat(output.isRegularFile()).isTrue();
      assertThat(output.path()).isEqualTo(path);
    }
    assertThat(path).hasContent("kept");
    assertThat(permissions(path)).isEqualTo("rw-------");
  }

  @Test
  void twoOfOneFileLoseNothingToEachOther() throws IOException {
    Path path = directory.resolve("log");
    try (OutputFile first = OutputFile.open(path);
        OutputFile second = OutputFile.open(path)) {
      write(first, "1\n");
      write(second, "2\n");
      write(first, "3\n");
    }
    assertThat(path).hasContent("1\n2\n3\n");
  }

  @Test
  void whatIsWrittenAfterATruncationStandsAtTheBeginning() throws IOException {
    Path path = java.nio.file.Files.writeString(directory.resolve("log"), "old\n");
    try (OutputFile output = OutputFile.open(path)) {
      write(output, "more\n");
      assertThat(path).hasContent("old\nmore\n");
      output.truncate();
      assertThat(path).isEmptyFile();
      write(output, "new\n");
    }
    assertThat(path).hasContent("new\n");
  }

  @Test
  void aSymbolicLinkIsRefusedAndItsTargetIsNotCreated() throws IOException {
    Path target = directory.resolve("target");
    Path link = java.nio.file.Files.createSymbolicLink(directory.resolve("link"), target);

    assertRefused(link, Errno.ELOOP);
    assertThat(target).doesNotExist();
    java.nio.file.Files.createFile(target);
    assertRefused(link, Errno.ELOOP);
  }

  @Test
  void aLinkInTheMiddleOfThePathIsFollowed() throws IOException {
    Path link = java.nio.file.Files.createSymbolicLink(directory.resolve("link"), directory);

    try (OutputFile output = OutputFile.open(link.resolve("log"))) {
      assertThat(output.created()).isTrue();
    }
    assertThat(directory.resolve("log")).isEmptyFile();
  }

  @Test
  void whatCannotBeWrittenIsAnErrorThatNamesIt() throws IOException {
    Path file = java.nio.file.Files.createFile(directory.resolve("file"));

    assertRefused(directory, Errno.EISDIR);
    assertRefused(directory.resolve("missing/log"), Errno.ENOENT);
    assertRefused(file.resolve("log"), Errno.ENOTDIR);
  }

  @Test
  void aFifoNobodyReadsIsAnErrorAndNoWait() throws Exception {
    assertRefused(fifo(), Errno.ENXIO);
  }

  @Test
  void aFifoWithAReaderIsWrittenAsUsual() throws Exception {
    Path fifo = fifo();
    byte[] bytes = fifo.toString().getBytes(StandardCharsets.UTF_8);
    try (Descriptor reader =
            Descriptor.adopt(Files.open(bytes, Files.O_RDONLY | Files.O_NONBLOCK, 0));
        OutputFile output = OutputFile.open(fifo)) {
      assertThat(output.isRegularFile()).isFalse();
      assertThat(output.created()).isFalse();
      int flags = Files.fcntl(output.descriptor().number(), Files.F_GETFL, 0);
      assertThat(flags & Files.O_NONBLOCK).as("a program expects its output to wait").isZero();
      output.truncate();

      write(output, "through");
      byte[] read = new byte[7];
      assertThat(Files.read(reader.number(), read)).isEqualTo(7);
      assertThat(read).asString().isEqualTo("through");
    }
  }

  @Test
  void itAppendsAndIsClosedByAnExec() throws IOException {
    try (OutputFile output = OutputFile.open(directory.resolve("log"))) {
      int number = output.descriptor().number();
      assertThat(Files.fcntl(number, Files.F_GETFL, 0) & (Files.O_APPEND | Files.O_NONBLOCK))
          .isEqualTo(Files.O_APPEND);
      assertThat(Files.fcntl(number, Files.F_GETFD, 0)).isEqualTo(Files.FD_CLOEXEC);
    }
  }

  @Test
  @Tag("root")
  void anOrdinaryUserOpensTheNullDevice() throws Exception {
    assertThat(
            ChildJvm.of(NullDevice.class)
                .startedBy(ChildJvm.AS_NOBODY)
                .copied(directory)
                .run()
                .lines())
        .containsExactly("created false", "regular false");
  }

  static final class NullDevice {
    public static void main(String[] args) throws IOException {
      Path device = Path.of("/dev/null");
      try (OutputFile output = OutputFile.open(device)) {
        output.truncate();
        output.removeIfCreated();
        System.out.println("created " + output.created());
        System.out.println("regular " + output.isRegularFile());
      }
    }
  }

  @Test
  @Tag("root")
  void aFileWithoutPermissionIsAnError() throws Exception {
    Path path = java.nio.file.Files.createFile(directory.resolve("roots"));
    assertThat(
            ChildJvm.of(Refused.class)
                .startedBy(ChildJvm.AS_NOBODY)
                .copied(directory)
                .run(path, directory.resolve("new"))
                .lines())
        .containsExactly(
            "open " + path + " EACCES", "open " + directory.resolve("new") + " EACCES");
  }

  static final class Refused {
    public static void main(String[] args) throws IOException {
      for (String path : args) {
        try (OutputFile output = OutputFile.open(Path.of(path))) {
          System.out.println("opened " + output.path());
        } catch (PosixException refused) {
          System.out.println(
              refused.call() + " " + refused.subject() + " " + refused.errno().name());
        }
      }
    }
  }

  @Test
  void theSameFileIsKnownByAnyName() throws IOException {
    Path path = directory.resolve("log");
    try (OutputFile output = OutputFile.open(path);
        OutputFile link =
            OutputFile.open(java.nio.file.Files.createLink(directory.resolve("link"), path));
        OutputFile other = OutputFile.open(directory.resolve("other"))) {
      assertThat(output.isSameFile(link.descriptor())).isTrue();
      assertThat(output.isSameFile(output.descriptor())).isTrue();
      assertThat(output.isSameFile(other.descriptor())).isFalse();
    }
  }

  @Test
  void itsCreationIsTakenBackWhileItIsEmpty() throws IOException {
    Path path = directory.resolve("log");
    try (OutputFile output = OutputFile.open(path)) {
      output.removeIfCreated();
      assertThat(path).doesNotExist();
      output.removeIfCreated();
    }
  }

  @Test
  void whatWasThereBeforeIsNotRemoved() throws IOException {
    Path path = java.nio.file.Files.createFile(directory.resolve("log"));
    try (OutputFile output = OutputFile.open(path)) {
      output.removeIfCreated();
    }
    assertThat(path).exists();
  }

  @Test
  void whatWasWrittenIsNotRemoved() throws IOException {
    Path path = directory.resolve("log");
    try (OutputFile output = OutputFile.open(path)) {
      write(output, "said");
      output.removeIfCreated();
    }
    assertThat(path).hasContent("said");
  }

  @Test
  void whatSomebodyPutInItsPlaceIsNotRemoved() throws IOException {
    Path path = directory.resolve("log");
    try (OutputFile output = OutputFile.open(path)) {
      java.nio.file.Files.move(path, directory.resolve("log.1"));
      java.nio.file.Files.createFile(path);
      output.removeIfCreated();
      assertThat(path).exists();
      java.nio.file.Files.delete(path);
      java.nio.file.Files.createSymbolicLink(path, directory.resolve("log.1"));
      output.removeIfCreated();
    }
    assertThat(path).isSymbolicLink();
    assertThat(directory.resolve("log.1")).exists();
  }

  @Test
  void aFileThatComesAndGoesMeanwhileIsOpenedAllTheSame() throws Exception {
    Path path = directory.resolve("log");
    String script = "while :; do : >>\"$0\"; rm -f \"$0\"; done";
    Child other = Program.at(Path.of("/bin/sh")).arguments("-c", script, path.toString()).spawn();
    try {
      for (int i = 0; i < 500; i++) {
        OutputFile.open(path).close();
      }
    } finally {
      other.signal(Signal.KILL);
      other.waitFor();
    }
  }

  @Test
  void aRefusedOpeningLeavesNoDescriptor() throws Exception {
    Path fifo = fifo();
    for (int i = 0; i < 3; i++) {
      assertRefused(fifo, Errno.ENXIO);
      assertRefused(directory, Errno.EISDIR);
    }
    assertThat(Proc.descriptors("self").values())
        .doesNotContain(fifo.toString(), directory.toString());
  }

  private Path fifo() throws Exception {
    Path fifo = directory.resolve("fifo");
    Command.run("mkfifo", fifo.toString());
    return fifo;
  }

  private static void assertRefused(Path path, Errno errno) {
    assertThatThrownBy(() -> OutputFile.open(path))
        .isInstanceOfSatisfying(
            PosixException.class,
            refused -> {
              assertThat(refused.errno()).isEqualTo(errno);
              assertThat(refused.call()).isEqualTo("open");
              assertThat(refused.subject()).isEqualTo(path.toString());
            });
  }

  private static void write(OutputFile output, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    assertThat(Files.write(output.descriptor().number(), bytes)).isEqualTo(bytes.length);
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(java.nio.file.Files.getPosixFilePermissions(path));
  }
}
