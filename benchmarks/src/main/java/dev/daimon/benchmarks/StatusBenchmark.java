package dev.daimon.benchmarks;

import dev.daimon.control.DaemonControl;
import dev.daimon.control.DaemonStatus;
import java.io.IOException;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** The status of a daemon that runs. */
@State(Scope.Benchmark)
public class StatusBenchmark {
  @Param("")
  String path;

  private DaemonControl control;

  @Setup
  public void name() {
    control = DaemonControl.of(Path.of(path));
  }

  @Benchmark
  public DaemonStatus daimon() throws IOException {
    return control.status();
  }
}
