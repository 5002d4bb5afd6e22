package dev.daimon.forking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import java.io.IOException;
import java.nio.file.Path;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExitStatusTest {
  @Property
  void anExitCodeIsToldAsItIs(@ForAll @IntRange(max = 255) int code) {
    ExitStatus status = new ExitStatus(code << 8);

    assertThat(status.exitCode()).hasValue(code);
    assertThat(status.signal()).isEmpty();
    assertThat(status.shellStatus()).isEqualTo(code);
    assertThat(status).hasToString("exit code " + code);
  }

  @Property
  void aSignalIsToldWithOrWithoutACoreDump(
      @ForAll @IntRange(min = 1, max = Signal.MAX_NUMBER) int signal, @ForAll boolean dumped) {
    ExitStatus status = new ExitStatus(signal | (dumped ? 0x80 : 0));

    assertThat(status.exitCode()).isEmpty();
    assertThat(status.signal()).hasValue(Signal.of(signal));
    assertThat(status.shellStatus()).isEqualTo(128 + signal);
    assertThat(status).hasToString("signal " + signal);
  }

  @ParameterizedTest
  @CsvSource({
    "exit 0, exit code 0, 0",
    "exit 1, exit code 1, 1",
    "exit 255, exit code 255, 255",
    "kill -TERM $$, signal 15, 143",
    "kill -KILL $$, signal 9, 137",
    "kill -64 $$, signal 64, 192"
  })
  void aRealProgramEndsAsToldByTheKernel(String script, String text, int shellStatus)
      throws IOException {
    ExitStatus status = Program.at(Path.of("/bin/sh")).arguments("-c", script).spawn().waitFor();

    assertThat(status).hasToString(text);
    assertThat(status.shellStatus()).isEqualTo(shellStatus);
  }
}
