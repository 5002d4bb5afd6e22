package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TemporaryFileTest {
  @TempDir Path directory;
  private Path target = Path.of("/nowhere");

  @BeforeEach
  void name() {
    target = directory.resolve("target");
  }

  private Set<String> names() throws IOException {
    try (Stream<Path> names = Files.list(directory)) {
      return names.map(name -> name.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  private TemporaryFile make(boolean locked) throws PosixException {
    return locked ? TemporaryFile.lockedBeside(target, 0600) : TemporaryFile.beside(target, 0600);
  }

  private static boolean isLocked(Path path) throws PosixException {
    int flags = dev.daimon.posix.call.Files.O_RDONLY;
    int number = dev.daimon.posix.call.Files.open(NativePath.bytes(path), flags, 0);
    try (Descriptor file = Descriptor.adopt(PosixException.check(number, "open", path))) {
      int shared = dev.daimon.posix.call.Files.LOCK_SH | dev.daimon.posix.call.Files.LOCK_NB;
      return dev.daimon.posix.call.Files.flock(file.number(), shared) != 0;
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void itReplacesTheOtherFileWhenItIsCommittedAndIsUnlockedThen(boolean locked) throws Exception {
    Files.writeString(target, "old");
    try (TemporaryFile file = make(locked)) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.path())))
          .isEqualTo("rw-------");
      assertThat(isLocked(file.path())).isEqualTo(locked);
      assertThat(target).hasContent("old");

      file.commit();

      assertThat(target).isEmptyFile();
      assertThat(isLocked(target)).isFalse();
      assertThatThrownBy(file::commit).isInstanceOf(IllegalStateException.class);
    }
    assertThat(names()).containsExactly("target");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void withoutACommitNothingIsLeft(boolean locked) throws Exception {
    TemporaryFile file = make(locked);
    file.close();
    file.close();
    assertThat(names()).isEmpty();
    assertThatThrownBy(file::commit).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aCommitThatFailsLeavesOnlyTheClose() throws Exception {
    Files.createDirectory(target);
    try (TemporaryFile file = TemporaryFile.beside(target, 0600)) {
      assertThatThrownBy(file::commit)
          .isInstanceOfSatisfying(
              PosixException.class, failure -> assertThat(failure.errno()).isEqualTo(Errno.EISDIR));
      assertThatThrownBy(file::commit).isInstanceOf(IllegalStateException.class);
    }
    assertThat(names()).containsExactly("target");
  }

  /** Its id tells nothing: a killed process has it until it is waited for, then another one. */
  @Test
  void whatAKilledProcessHasLeftIsRemovedWhoeverHasItsId() throws Exception {
    String left = ".daimon-" + ProcessHandle.current().pid() + "-1";
    Files.createFile(directory.resolve(left));
    // A daemon's files may have such a name.
    Set<String> others = Set.of(left + ".conf", ".daimon-x-1", ".daimon-1", ".daimon-");
    for (String name : others) {
      Files.createFile(directory.resolve(name));
    }

    TemporaryFile.removeAbandoned(directory);

    assertThat(names()).isEqualTo(others);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsOpenIsInUse(boolean locked) throws Exception {
    try (TemporaryFile file = make(locked)) {
      TemporaryFile.removeAbandoned(directory);

      file.commit();
    }
    assertThat(names()).containsExactly("target");
  }

  @Test
  void aMissingDirectoryHasNothingToRemove() {
    TemporaryFile.removeAbandoned(directory.resolve("missing"));
    assertThatThrownBy(() -> TemporaryFile.beside(directory.resolve("missing/file"), 0600))
        .isInstanceOf(PosixException.class);
  }
}
