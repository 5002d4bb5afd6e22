package dev.daimon.benchmarks;

import dev.daimon.control.DaemonControl;
import dev.daimon.control.DaemonStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** The status of a daemon that runs, whose pidfile is in the system property {@code pidfile}. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class StatusBenchmark {
  private final DaemonControl control = DaemonControl.of(Path.of(System.getProperty("pidfile")));

  @Benchmark
  public DaemonStatus status() throws IOException {
    return control.status();
  }
}
