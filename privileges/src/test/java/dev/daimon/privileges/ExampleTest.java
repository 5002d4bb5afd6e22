package dev.daimon.privileges;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.testing.ChildJvm;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of the package's documentation work. */
@Tag("root")
class ExampleTest {
  private static final String NOBODY = "65534";

  @TempDir Path directory;

  @Test
  void filesAreAccessedWithTheUsersPermissions() throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path file = Files.writeString(directory.resolve("file"), "text");

    assertThat(Example.read(NOBODY, file)).isEqualTo("text");

    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    assertThatThrownBy(() -> Example.read(NOBODY, file)).isInstanceOf(AccessDeniedException.class);
  }

  @Test
  void theProcessGivesUpRoot() throws Exception {
    ChildJvm program = ChildJvm.of(Example.Drop.class).copied(directory);

    assertThat(program.run(NOBODY).output()).isEqualTo(NOBODY);
  }
}
