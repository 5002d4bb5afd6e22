package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.testing.Command;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileStatusTest {
  @TempDir Path directory;

  @Test
  void aFilesStatusIsWhatStatSays() throws Exception {
    Path file = java.nio.file.Files.writeString(directory.resolve("file"), "1234567");
    java.nio.file.Files.createLink(directory.resolve("second"), file);
    Command.run("chmod", "4751", file.toString());

    assertThat(text(status(file)))
        .isEqualTo(Command.run("stat", "-c", "%a %h %u %g %i %s %Hd,%Ld", file.toString()))
        .startsWith("4751 2 ");
  }

  @Test
  @Tag("root")
  void idsAreUnsignedAndSizesAreWide() throws Exception {
    Path file = java.nio.file.Files.createFile(directory.resolve("file"));
    Command.run("chown", "4294967294:3000000000", file.toString());
    Command.run("truncate", "-s", "5G", file.toString());

    assertThat(text(status(file)))
        .isEqualTo(Command.run("stat", "-c", "%a %h %u %g %i %s %Hd,%Ld", file.toString()))
        .contains(" 4294967294 3000000000 ")
        .contains(" 5368709120 ");
  }

  @ParameterizedTest
  @ValueSource(longs = {-86400, -1, 0, 1, 4294967297L, 7000000000L})
  void theLastChangeIsInSecondsEvenBefore1970AndBeyond32Bits(long seconds) throws Exception {
    Path file = java.nio.file.Files.createFile(directory.resolve("file"));
    // The fraction is left out, and not rounded.
    Command.run("touch", "-a", file.toString());
    Command.run("touch", "-m", "-d", "@" + seconds + ".9", file.toString());

    assertThat(status(file).modified())
        .isEqualTo(Long.parseLong(Command.run("stat", "-c", "%Y", file.toString())));
  }

  @Test
  void everyKindIsTold() throws Exception {
    Path file = java.nio.file.Files.createFile(directory.resolve("file"));
    Path link = java.nio.file.Files.createSymbolicLink(directory.resolve("link"), file);

    assertThat(kind(status(file))).isEqualTo("regular");
    assertThat(kind(status(directory))).isEqualTo("directory");
    assertThat(kind(status(link))).isEqualTo("link");
    assertThat(kind(status(Path.of("/dev/null")))).isEmpty();
  }

  @Test
  void aLinkIsFollowedByStatAndNotByLstat() throws Exception {
    Path path = java.nio.file.Files.createFile(directory.resolve("file"));
    Path link = java.nio.file.Files.createSymbolicLink(directory.resolve("link"), path);
    Path other = java.nio.file.Files.createFile(directory.resolve("other"));
    FileStatus followed = new FileStatus();
    assertThat(Files.stat(NativePath.bytes(link), followed)).isZero();

    assertThat(followed.isSameFile(status(path))).isTrue();
    assertThat(status(link).isSameFile(status(path))).isFalse();
    assertThat(status(other).isSameFile(status(path))).isFalse();
  }

  @Test
  void aFailedCallLeavesWhatWasThere() throws Exception {
    FileStatus status = status(directory);

    assertThat(Files.stat(NativePath.bytes(directory.resolve("missing")), status))
        .isEqualTo(-Errno.ENOENT.number());
    assertThat(Files.fstat(-1, status)).isEqualTo(-Errno.EBADF.number());

    assertThat(kind(status)).isEqualTo("directory");
  }

  private static FileStatus status(Path path) {
    FileStatus status = new FileStatus();
    assertThat(Files.lstat(NativePath.bytes(path), status)).isZero();
    return status;
  }

  private static String kind(FileStatus status) {
    return (status.isRegularFile() ? "regular" : "")
        + (status.isDirectory() ? "directory" : "")
        + (status.isSymbolicLink() ? "link" : "");
  }

  private static String text(FileStatus status) {
    return "%o %d %s %s %d %d %d,%d"
        .formatted(
            status.permissions(),
            status.links(),
            Integer.toUnsignedString(status.uid()),
            Integer.toUnsignedString(status.gid()),
            status.inode(),
            status.size(),
            status.device() >>> 32,
            status.device() & 0xffffffffL);
  }
}
