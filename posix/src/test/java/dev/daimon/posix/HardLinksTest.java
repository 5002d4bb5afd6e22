package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("root")
@Tag("attack")
class HardLinksTest {
  private static final int READ = dev.daimon.posix.call.Files.O_RDONLY;

  @TempDir Path directory = Path.of("/");

  @ParameterizedTest
  @CsvSource({
    "755, 0, 1, false",
    "755, 0, 2, false",
    "775, 0, 2, true",
    "757, 0, 2, true",
    "1777, 0, 2, true",
    "1777, 0, 1, false",
    "700, 7001, 2, true",
    "700, 7001, 1, false",
  })
  void aFileOfSeveralNamesIsRefusedWhereOthersCanMakeThem(
      String mode, int owner, int names, boolean refused) throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    if (names == 2) {
      Files.createLink(directory.resolve("other"), file);
    }
    Files.setAttribute(directory, "unix:mode", Integer.parseInt(mode, 8));
    Files.setAttribute(directory, "unix:uid", owner);

    try (Descriptor open = open(file)) {
      if (refused) {
        assertThatThrownBy(() -> HardLinks.refuse(file)).hasMessageStartingWith(file + " was");
        assertThatThrownBy(() -> HardLinks.refuse(file, open))
            .hasMessageStartingWith(file + " was");
      } else {
        assertThatCode(() -> HardLinks.refuse(file)).doesNotThrowAnyException();
        assertThatCode(() -> HardLinks.refuse(file, open)).doesNotThrowAnyException();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0700, 01777})
  void aClosedFileIsRefusedWhoeverCanMakeNames(int mode) throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    Files.setAttribute(directory, "unix:mode", mode);
    Descriptor closed = open(file);
    closed.close();

    assertThatIllegalStateException().isThrownBy(() -> HardLinks.refuse(file, closed));
  }

  /** Who has made the other name may have removed this one since. */
  @Test
  void anOpenFileThatIsNotAtItsPathIsRefused() throws Exception {
    Files.setAttribute(directory, "unix:mode", 01777);
    Path file = Files.createFile(directory.resolve("file"));
    try (Descriptor open = open(file)) {
      Files.move(file, directory.resolve("other"));
      assertThatThrownBy(() -> HardLinks.refuse(file, open)).hasMessageContaining("ENOENT");
      Files.createFile(file);
      assertThatThrownBy(() -> HardLinks.refuse(file, open)).hasMessageContaining("was replaced");
    }
  }

  @Test
  void whatIsMissingOrNoRegularFileIsNotRefused() throws Exception {
    Files.setAttribute(directory, "unix:mode", 01777);
    Path child = Files.createDirectory(directory.resolve("child"));
    try (Descriptor open = open(child)) {
      assertThatCode(() -> HardLinks.refuse(child, open)).doesNotThrowAnyException();
    }
    assertThatCode(() -> HardLinks.refuse(child)).doesNotThrowAnyException();
    assertThatCode(() -> HardLinks.refuse(directory.resolve("none"))).doesNotThrowAnyException();
  }

  @Test
  void aRelativePathIsLookedUpInADirectoryThatTheLocaleCannotDecode() throws Exception {
    assertThat(
            ChildJvm.of(Relative.class)
                .inUndecodableDirectory(directory)
                .startedBy(
                    "sh", "-c", "chmod 1777 .; touch one two; ln two three; exec \"$@\"", "sh")
                .run()
                .lines())
        .containsExactly("accepted", "refused");
  }

  static final class Relative {
    public static void main(String[] args) throws Exception {
      for (String name : List.of("one", "two")) {
        try (Descriptor open = open(Path.of(name))) {
          HardLinks.refuse(Path.of(name));
          HardLinks.refuse(Path.of(name), open);
          System.out.println("accepted");
        } catch (PosixException failure) {
          System.out.println(failure.getMessage());
        } catch (IOException refused) {
          System.out.println("refused");
        }
      }
    }
  }

  private static Descriptor open(Path path) throws PosixException {
    int number = dev.daimon.posix.call.Files.open(NativePath.bytes(path), READ, 0);
    return Descriptor.adopt(PosixException.check(number, "open", path));
  }
}
