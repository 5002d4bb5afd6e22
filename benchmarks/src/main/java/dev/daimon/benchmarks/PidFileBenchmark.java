package dev.daimon.benchmarks;

import dev.daimon.pidfile.PidFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Writes a pidfile by a temporary file and a rename, and reads it. */
@State(Scope.Benchmark)
public class PidFileBenchmark {
  @Param("/dev/shm/pid")
  String path;

  private final long pid = ProcessHandle.current().pid();
  private Path file;
  private Path temporary;
  private PidFile pidFile;

  @Setup
  public void write() throws IOException {
    file = Path.of(path);
    temporary = Path.of(path + ".new");
    pidFile = PidFile.at(file);
    pidFile.write(pid);
  }

  @TearDown
  public void remove() throws IOException {
    Files.deleteIfExists(file);
  }

  @Benchmark
  public void daimonWrite() throws IOException {
    pidFile.write(pid);
  }

  @Benchmark
  public long daimonRead() throws IOException {
    return pidFile.read();
  }

  @Benchmark
  public void filesWrite() throws IOException {
    Files.writeString(temporary, pid + "\n");
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Reads once; the JDK has no method that reads until two reads agree. */
  @Benchmark
  public long filesRead() throws IOException {
    return Long.parseLong(Files.readString(file).strip());
  }
}
