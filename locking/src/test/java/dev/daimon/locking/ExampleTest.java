package dev.daimon.locking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExampleTest {
  /** Works under the lock, and there sees who holds it, and that it is refused a second time. */
  static final class Program {
    public static void main(String[] arguments) throws IOException {
      Path path = Path.of(arguments[0]);
      Example.acquire(
          path,
          () -> {
            System.out.println("working");
            try {
              Example.holders(path);
              Example.acquire(path, () -> System.out.println("working again"));
            } catch (IOException failure) {
              throw new UncheckedIOException(failure);
            }
          });
    }
  }

  @Test
  void theExamplesSayWhoHoldsTheLock(@TempDir Path directory) throws Exception {
    Path path = directory.resolve("x.pid");

    ChildJvm.Result program = ChildJvm.of(Program.class).run(path);

    assertThat(program.exit()).isZero();
    assertThat(program.out().lines())
        .containsExactly("working", "locked by process " + program.pid() + " (java)");
    assertThat(program.err().lines())
        .containsExactly(path + " is locked by process " + program.pid());
  }
}
