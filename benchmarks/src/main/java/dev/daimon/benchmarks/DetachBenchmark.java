package dev.daimon.benchmarks;

import dev.daimon.forking.Detached;
import dev.daimon.forking.Program;
import java.io.IOException;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** A double fork, until the process id is known and the program is executed. */
@State(Scope.Benchmark)
public class DetachBenchmark {
  private static final int UMASK = 022;

  @Benchmark
  public long daimon() throws IOException {
    try (Detached program = Program.at(Path.of("/bin/true")).detach(UMASK)) {
      return program.pid();
    }
  }
}
