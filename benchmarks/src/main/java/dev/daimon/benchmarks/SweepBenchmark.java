package dev.daimon.benchmarks;

import com.sun.jna.Native;
import dev.daimon.forking.Descriptors;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Closes a range of this JVM's descriptor numbers, of which the first are open. */
@State(Scope.Benchmark)
public class SweepBenchmark {
  /**
   * As in sweep.c, since what a sweep takes depends on the size of the table behind it, too; and
   * with room for what the JVM opens meanwhile.
   */
  private static final int FIRST = 256;

  @Param("1024")
  int numbers;

  @Param("3")
  int open;

  @Setup
  public void check() throws IOException {
    int[] used = Descriptors.list();
    if (used[used.length - 1] >= FIRST) {
      throw new IllegalStateException("descriptor " + used[used.length - 1] + " is open");
    }
  }

  @Setup(Level.Invocation)
  public void fill() throws PosixException {
    for (int i = 0; i < open; i++) {
      PosixException.check(Files.dup2(2, FIRST + i), "dup2", FIRST + i);
    }
  }

  @Benchmark
  public void daimon() throws IOException {
    Descriptors.close(FIRST, FIRST + numbers - 1);
  }

  /** Closes each number by itself, as a loop over {@code FileDescriptor}s does. */
  @Benchmark
  public void jna() {
    for (int number = FIRST; number < FIRST + numbers; number++) {
      CLibrary.close(number);
    }
  }

  /** The C library by JNA's fastest way. */
  static final class CLibrary {
    static {
      Native.register("c");
    }

    private CLibrary() {}

    static native int close(int number);
  }
}
