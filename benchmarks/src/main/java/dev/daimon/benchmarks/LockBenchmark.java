package dev.daimon.benchmarks;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import dev.daimon.locking.LockHeldException;
import dev.daimon.locking.SingletonLock;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Takes and releases a lock; with a contender, tries until it has the lock. */
@State(Scope.Benchmark)
public class LockBenchmark {
  private static final int O_RDWR = 2;
  private static final int LOCK_EX_NB = 6;
  private static final int AT_FDCWD = -100;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int BASIC_STATS = 0x7ff;
  private static final int INODE = 32;

  @Param("/dev/shm/lock")
  String path;

  /** The program that competes for the lock; empty for none. */
  @Param("")
  String contender;

  private Path file;
  private Process other;
  private final Memory opened = new Memory(256);
  private final Memory named = new Memory(256);

  @Setup
  public void start() throws IOException {
    file = Path.of(path);
    if (!contender.isEmpty()) {
      other = new ProcessBuilder(contender, path, "0").start();
    }
  }

  @TearDown
  public void stop() throws InterruptedException {
    if (other != null) {
      other.destroyForcibly().waitFor();
    }
  }

  @Benchmark
  public void daimon() throws IOException {
    while (true) {
      try (SingletonLock lock = SingletonLock.acquire(file)) {
        return;
      } catch (LockHeldException held) {
        // The other program has the lock.
      }
    }
  }

  /** A record lock; the process loses it when it first closes the file, which it does not. */
  @Benchmark
  public void fileChannel() throws IOException {
    while (true) {
      Object before = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
      try (FileChannel channel =
          FileChannel.open(
              file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
        FileLock lock = channel.tryLock();
        if (lock != null) {
          check(before.equals(Files.readAttributes(file, BasicFileAttributes.class).fileKey()));
          return;
        }
      }
    }
  }

  @Benchmark
  public void jna() {
    while (true) {
      int number = CLibrary.open(path, O_RDWR);
      check(CLibrary.statx(number, "", AT_EMPTY_PATH, BASIC_STATS, opened) == 0);
      boolean taken = CLibrary.flock(number, LOCK_EX_NB) == 0;
      if (taken) {
        check(CLibrary.statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, BASIC_STATS, named) == 0);
        check(opened.getLong(INODE) == named.getLong(INODE));
      }
      CLibrary.close(number);
      if (taken) {
        return;
      }
    }
  }

  private static void check(boolean right) {
    if (!right) {
      throw new AssertionError();
    }
  }

  /** The C library by JNA's fastest way. */
  static final class CLibrary {
    static {
      Native.register("c");
    }

    private CLibrary() {}

    static native int open(String path, int flags);

    static native int statx(int directory, String path, int flags, int mask, Pointer status);

    static native int flock(int number, int operation);

    static native int close(int number);
  }
}
