package dev.daimon.startup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

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
  void theOutputsMayShareAPath() {
    assertThat(purposes.add("stdout", PATH, true)).isNull();
    assertThat(purposes.add("stderr", PATH, true)).isNull();
    assertThat(purposes.add("lock", PATH, false))
        .isEqualTo(new FilePurposes.Purpose("stdout", PATH, true));
  }

  @Test
  void noFileIsNoConflict() {
    assertThat(purposes.add("pidfile", null, false)).isNull();
    assertThat(purposes.add("lock", null, false)).isNull();
  }
}
