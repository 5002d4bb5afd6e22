package dev.daimon.startup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FilePurposesTest {
  private static final Path PATH = Path.of("/run/x");

  private final FilePurposes purposes = new FilePurposes();

  @Test
  void aPathHasOnePurpose() {
    assertThat(purposes.add("pidfile", PATH, false)).isNull();
    assertThat(purposes.add("log", Path.of("/run/y/../x"), true))
        .isEqualTo(new FilePurposes.Purpose("pidfile", PATH, false));
    assertThat(purposes.add("lock", Path.of("/run/y"), false)).isNull();
  }

  @Test
  void aRelativePathIsAnAbsoluteOneByAnotherName() {
    FilePurposes.Purpose pidFile = new FilePurposes.Purpose("pidfile", Path.of("pid"), false);
    assertThat(purposes.add("pidfile", Path.of("pid"), false)).isNull();

    assertThat(purposes.add("log", Path.of("pid").toAbsolutePath(), true)).isEqualTo(pidFile);
  }

  @Test
  void theOutputsMayShareAPath() {
    assertThat(purposes.add("stdout", PATH, true)).isNull();
    assertThat(purposes.add("stderr", PATH, true)).isNull();
    assertThat(purposes.add("lock", PATH, false))
        .isEqualTo(new FilePurposes.Purpose("stdout", PATH, true));
  }

  @Test
  void aFileIsKnownByEveryPath(@TempDir Path directory) throws Exception {
    Path real = Files.createDirectory(directory.resolve("real"));
    Path linked = Files.createSymbolicLink(directory.resolve("linked"), real);
    Path link = Files.createSymbolicLink(directory.resolve("link"), linked.resolve("pid"));
    Path loop = Files.createSymbolicLink(directory.resolve("loop"), directory.resolve("loop"));
    Path file = real.resolve("pid");
    FilePurposes.Purpose pidFile = new FilePurposes.Purpose("pidfile", file, false);
    assertThat(purposes.add("pidfile", file, false)).isNull();

    // The file is not there yet.
    assertThat(purposes.add("log", linked.resolve("pid"), true)).isEqualTo(pidFile);
    assertThat(purposes.add("log", link, true)).isEqualTo(pidFile);
    assertThat(purposes.add("log", linked.resolve("../real/pid"), true)).isEqualTo(pidFile);
    assertThat(purposes.add("log", loop, true)).isNull();
  }

  @Test
  void missingDirectoriesMayBeBelowALink(@TempDir Path directory) throws Exception {
    Path linked = Files.createSymbolicLink(directory.resolve("linked"), directory);
    Path file = directory.resolve("a/b/pid");
    assertThat(purposes.add("pidfile", file, false)).isNull();

    assertThat(purposes.add("log", linked.resolve("a/b/pid"), true)).isNotNull();
  }

  @Test
  void aHardLinkIsTheFile(@TempDir Path directory) throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    Path link = Files.createLink(directory.resolve("link"), file);
    assertThat(purposes.add("stdout", file, true)).isNull();

    assertThat(purposes.add("stderr", link, true)).isNull();
    assertThat(purposes.add("lock", link, false)).isNotNull();
  }

  @Test
  void noFileIsNoConflict() {
    assertThat(purposes.add("pidfile", null, false)).isNull();
    assertThat(purposes.add("lock", null, false)).isNull();
  }
}
