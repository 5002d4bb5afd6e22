package dev.daimon.forking;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.testing.Proc;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MemoryFileTest {
  private static String print(MemoryFile file, String command) throws Exception {
    Program.at(Path.of("/bin/sh"))
        .arguments("-c", command)
        .standardOutput(Redirect.to(file.descriptor()))
        .standardError(Redirect.nullDevice())
        .spawn()
        .waitFor();
    return new String(file.content(), US_ASCII);
  }

  @Test
  void itHoldsWhatProgramsPrinted() throws Exception {
    try (MemoryFile file = MemoryFile.create("daimon-test", 100_000)) {
      assertThat(file.content()).isEmpty();
      assertThat(print(file, "echo one")).isEqualTo("one\n");
      assertThat(print(file, "echo two")).isEqualTo("one\ntwo\n");
      assertThat(print(file, "printf %020000d 0")).hasSize(20_008);
    }
  }

  @Test
  void whatIsWrittenFollowsWhatProgramsPrintedAsFarAsItFits() throws Exception {
    try (MemoryFile file = MemoryFile.create("daimon-test", 10_000)) {
      assertThat(print(file, "echo one")).isEqualTo("one\n");
      file.write("two\n".getBytes(US_ASCII));
      assertThat(print(file, "echo three")).isEqualTo("one\ntwo\nthree\n");

      assertThatExceptionOfType(PosixException.class)
          .isThrownBy(() -> file.write("0".repeat(20_000).getBytes(US_ASCII)))
          .returns(Errno.EPERM, PosixException::errno);
      assertThat(file.content()).startsWith("one\ntwo\nthree\n".getBytes(US_ASCII));
      assertThat(file.content()).as("the part that fits").hasSizeBetween(9_900, 10_000);
    }
  }

  /** Those who share it write at once, in system calls of one byte. */
  @Test
  void whatProgramsPrintAtOnceIsAllThere() throws Exception {
    String print = "while [ $i -lt 2000 ]; do printf x; i=$((i + 1)); done";
    for (int round = 0; round < 5; round++) {
      try (MemoryFile file = MemoryFile.create("daimon-test", 20_000)) {
        assertThat(print(file, "i=0; (" + print + ") & (" + print + ") & (" + print + ") & wait"))
            .hasSize(6_000);
      }
    }
  }

  /** It would empty the file, which could not grow again. */
  @Test
  void aProgramThatOpensItAnewLosesNothing() throws Exception {
    try (MemoryFile file = MemoryFile.create("daimon-test", 10_000)) {
      assertThat(print(file, "echo one; echo two >/dev/stdout; echo three"))
          .isEqualTo("one\nthree\n");
    }
  }

  @Test
  void noDescriptorOfItsMakingIsLeft() throws Exception {
    try (MemoryFile file = MemoryFile.create("daimon-test-once", 100)) {
      assertThat(Proc.descriptors("self"))
          .containsEntry(file.descriptor().number(), "/memfd:daimon-test-once (deleted)");
      assertThat(Proc.descriptors("self").values())
          .containsOnlyOnce("/memfd:daimon-test-once (deleted)");
    }
  }

  @Test
  void itDoesNotGrowBeyondItsCapacity() throws Exception {
    try (MemoryFile file = MemoryFile.create("daimon-test", 4096)) {
      String content = print(file, "while echo line; do :; done");

      assertThat(content).hasSizeBetween(4090, 4096).startsWith("line\nline\n");
    }
  }
}
