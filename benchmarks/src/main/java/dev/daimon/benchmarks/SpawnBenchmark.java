package dev.daimon.benchmarks;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.zaxxer.nuprocess.NuAbstractProcessHandler;
import com.zaxxer.nuprocess.NuProcessBuilder;
import dev.daimon.forking.Program;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Spawn, exec and wait of {@code /bin/true}, in a JVM with some more threads. */
@State(Scope.Benchmark)
public class SpawnBenchmark {
  private static final String TRUE = "/bin/true";

  @Param("1")
  int threads;

  private static final Logger NU_PROCESS = Logger.getLogger("com.zaxxer.nuprocess");

  static {
    // It logs a warning whenever a program ends before its thread has polled.
    NU_PROCESS.setLevel(Level.OFF);
  }

  private final CountDownLatch end = new CountDownLatch(1);
  private POSIX posix;
  private CLibrary library;
  private String[] environment;

  @Setup
  public void start() {
    for (int i = 1; i < threads; i++) {
      Thread.ofPlatform().daemon().start(this::idle);
    }
    posix = POSIXFactory.getNativePOSIX();
    library = Native.load("c", CLibrary.class);
    environment =
        System.getenv().entrySet().stream()
            .map(entry -> entry.getKey() + "=" + entry.getValue())
            .toArray(String[]::new);
  }

  private void idle() {
    try {
      end.await();
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
  }

  @TearDown
  public void stop() {
    end.countDown();
  }

  @Benchmark
  public void daimon() throws IOException {
    check(Program.at(Path.of(TRUE)).spawn().waitFor().shellStatus());
  }

  @Benchmark
  public void processBuilder() throws IOException, InterruptedException {
    check(new ProcessBuilder(TRUE).inheritIO().start().waitFor());
  }

  @Benchmark
  public void jnrPosix() {
    int[] status = {-1};
    long child = posix.posix_spawnp(TRUE, List.of(), List.of(TRUE), List.of(environment));
    posix.waitpid(child, status, 0);
    check(status[0]);
  }

  @Benchmark
  public void nuProcess() throws InterruptedException {
    var builder = new NuProcessBuilder(new NuAbstractProcessHandler() {}, TRUE);
    check(builder.start().waitFor(0, TimeUnit.SECONDS));
  }

  @Benchmark
  public void jna() {
    IntByReference child = new IntByReference();
    IntByReference status = new IntByReference(-1);
    check(library.posix_spawn(child, TRUE, null, null, new String[] {TRUE}, environment));
    library.waitpid(child.getValue(), status, 0);
    check(status.getValue());
  }

  private static void check(int status) {
    if (status != 0) {
      throw new AssertionError("status " + status);
    }
  }

  /** The C library as JNA maps it. */
  public interface CLibrary extends Library {
    int posix_spawn(
        IntByReference pid,
        String path,
        Pointer actions,
        Pointer attributes,
        String[] argv,
        String[] envp);

    int waitpid(int pid, IntByReference status, int options);
  }
}
