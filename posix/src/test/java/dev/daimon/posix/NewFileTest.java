package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NewFileTest {
  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"0, 600", "44, 644", "200, 600", "604, 604", "644, 644"})
  void theOwnerMayReadAndWriteItAndOthersAsBefore(String before, String after) throws Exception {
    Path path = Files.createFile(directory.resolve("file"));
    try (Descriptor file = open(path)) {
      Files.setAttribute(path, "unix:mode", Integer.parseInt(before, 8));

      NewFile.openToOwner(file, path);

      int mode = (int) Files.getAttribute(path, "unix:mode") & 07777;
      assertThat(Integer.toOctalString(mode)).isEqualTo(after);
    }
  }

  @Test
  void aClosedFileIsNotChanged() throws Exception {
    Path path = Files.createFile(directory.resolve("file"));
    Descriptor file = open(path);
    file.close();

    assertThatThrownBy(() -> NewFile.openToOwner(file, path))
        .isInstanceOf(IllegalStateException.class);
  }

  private static Descriptor open(Path path) throws PosixException {
    int flags = dev.daimon.posix.call.Files.O_RDWR;
    int number = dev.daimon.posix.call.Files.open(NativePath.bytes(path), flags, 0);
    return Descriptor.adopt(PosixException.check(number, "open", path));
  }
}
