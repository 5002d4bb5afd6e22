package dev.daimon.pidfile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

class PidFilePropertyTest {
  private static Path path;

  @BeforeContainer
  static void create() throws IOException {
    path = Files.createTempDirectory("daimon-pidfile").resolve("x.pid");
  }

  @AfterContainer
  static void delete() throws IOException {
    Files.deleteIfExists(path);
    Files.delete(path.getParent());
  }

  @Property
  void everyProcessIdComesBack(@ForAll @LongRange(min = 1, max = 4194304) long pid)
      throws IOException {
    PidFile.at(path).write(pid);
    assertThat(Files.readString(path)).isEqualTo(pid + "\n");
    assertThat(PidFile.at(path).read()).isEqualTo(pid);
  }
}
