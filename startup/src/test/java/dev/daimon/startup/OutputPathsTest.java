package dev.daimon.startup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.NativePath;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OutputPathsTest {
  @ParameterizedTest
  @CsvSource({
    "/var/log/x.log, /var/log/x.log",
    "/var/log/x.out, /var/log/x.err",
    "/var/log/x.stdout, /var/log/x.stderr",
    "/var/log.out/x, /var/log.out/x",
    "/stdout, /stdout",
    "/ä.out, /ä.err",
    "/.out, /.err",
  })
  void standardErrorFollowsStandardOutput(Path output, Path error) {
    assertThat(OutputPaths.errorBeside(output)).isEqualTo(error);
  }

  @Test
  void aNameKeepsItsBytes() {
    byte[] name = {'/', (byte) 0xff, '.', 'o', 'u', 't'};

    assertThat(NativePath.bytes(OutputPaths.errorBeside(NativePath.of(name))))
        .containsExactly('/', 0xff, '.', 'e', 'r', 'r');
  }

  @Test
  void nothingFollowsNothing() {
    assertThat(OutputPaths.errorBeside(null)).isNull();
  }
}
