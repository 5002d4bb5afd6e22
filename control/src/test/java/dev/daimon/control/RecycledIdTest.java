package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The proof: where a daemon's id is a bystander's as soon as the daemon has ended, no bystander
 * ever gets a signal. In a PID namespace of its own, whose next id can be chosen.
 */
@Tag("root")
class RecycledIdTest {
  /** In most of them a bystander gets the daemon's id; the naive script hits four in ten. */
  private static final int CYCLES = 2_000;

  private static final int NAIVE_CYCLES = 200;
  private static final int DEADLINE_MINUTES = 5;

  @RegisterExtension final Daemons daemons = new Daemons();

  @Test
  void noBystanderEverGetsASignal() throws Exception {
    Properties result = run(Cycles.class, CYCLES, "");

    assertThat(number(result, "signalled")).as(result.toString()).isZero();
    assertThat(number(result, "cycles")).isEqualTo(CYCLES);
    assertThat(number(result, "chosen"))
        .as("it was put to the proof: %s", result)
        .isGreaterThan(CYCLES / 20);
    assertThat(number(result, "stopped")).isGreaterThanOrEqualTo(CYCLES / 2);
    assertThat(number(result, "refused")).isPositive();
  }

  /** Shows that the other test can fail. */
  @Test
  void whoReadsTheIdAndSignalsItHitsBystanders() throws Exception {
    // A thread of the two JVMs may get the id as well, and kill(2) would hit the JVM.
    Properties result = run(Naive.class, NAIVE_CYCLES, "trap '' TERM;");

    assertThat(number(result, "signalled")).as(result.toString()).isPositive();
  }

  private static long number(Properties result, String name) {
    return Long.parseLong(result.getProperty(name));
  }

  private Properties run(Class<?> main, int cycles, String first) throws Exception {
    Process process =
        ChildJvm.of(main)
            .startedBy("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
            // The namespace's init, which takes the zombies away. A shell that is to do something
            // else afterwards does not execute the command itself.
            .startedBy("sh", "-c", first + " \"$@\"; exit $?", "sh")
            // Its file is named by the process id, which other namespaces have too.
            .option("-XX:-UsePerfData")
            .start(daemons.pidFile(), cycles);
    try {
      Properties result = new Properties();
      result.load(process.inputReader());
      assertThat(process.waitFor(DEADLINE_MINUTES, TimeUnit.MINUTES)).isTrue();
      assertThat(process.exitValue()).isZero();
      System.out.println(main.getSimpleName() + ": " + result);
      return result;
    } finally {
      process.destroyForcibly();
    }
  }

  /** Thousands of starts and stops, while half of the daemons end by themselves. */
  static final class Cycles {
    public static void main(String[] arguments) throws Exception {
      Path pidFile = Path.of(arguments[0]);
      int cycles = Integer.parseInt(arguments[1]);
      DaemonControl control = DaemonControl.of(pidFile);
      Random random = new Random(1);
      int stopped = 0;
      int refused = 0;
      long begin = System.nanoTime();
      Process storm = storm(pidFile);
      for (int i = 0; i < cycles; i++) {
        boolean stays = i % 2 == 0;
        require(Outcome.OK, control.start(sleeper(stays ? 1000 : random.nextInt(4000) / 1e6)));
        LockSupport.parkNanos(random.nextInt(500_000));
        try {
          if (i % 3 == 0) {
            control.reload();
          }
          StopResult result = control.stop(StopPolicy.DEFAULT);
          stopped += result.outcome() == Outcome.OK ? 1 : 0;
          if (stays && i % 3 != 0) {
            require(List.of(Signal.TERM), result.signals());
          }
        } catch (ControlException unknown) {
          if (stays && i % 3 != 0) {
            throw unknown;
          }
          // A bystander has the id: what the user is told to check.
          refused++;
          Files.delete(pidFile);
        }
        require(false, Files.exists(pidFile));
      }
      end(storm);
      System.out.println("cycles = " + cycles);
      System.out.println("stopped = " + stopped);
      System.out.println("refused = " + refused);
      System.out.println(
          "microseconds = " + (System.nanoTime() - begin) / 1000 / Math.max(1, cycles));
    }
  }

  private static void require(Object expected, Object actual) {
    if (!expected.equals(actual)) {
      throw new AssertionError(actual + " instead of " + expected);
    }
  }

  /** The same with what any script does: the id is read, and given to kill(2). */
  static final class Naive {
    public static void main(String[] arguments) throws Exception {
      Path pidFile = Path.of(arguments[0]);
      DaemonControl control = DaemonControl.of(pidFile);
      Random random = new Random(1);
      Process storm = storm(pidFile);
      for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
        require(Outcome.OK, control.start(sleeper(random.nextInt(4000) / 1e6)));
        LockSupport.parkNanos(random.nextInt(4_000_000));
        // Whoever has the id now, if anybody.
        String pid = Long.toString(ProcessSandbox.pid(pidFile));
        int _ =
            new ProcessBuilder("sh", "-c", "kill -TERM $0", pid)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
        Files.delete(pidFile);
      }
      end(storm);
    }
  }

  /** A daemon that ends by itself after so many seconds. */
  private static StartSpec sleeper(double seconds) {
    return StartSpec.program(
        () ->
            Program.at(Path.of("/bin/sleep"))
                .arguments(Double.toString(seconds))
                .environment(Environment.current())
                .standardInput(Redirect.nullDevice())
                .standardOutput(Redirect.nullDevice())
                .standardError(Redirect.nullDevice()),
        022);
  }

  /** Starts the bystanders' JVM. If this one fails, it goes with the namespace. */
  private static Process storm(Path pidFile) throws IOException {
    return new ProcessBuilder(
            ProcessHandle.current().info().command().orElseThrow(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-XX:-UsePerfData",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Bystanders.class.getName(),
            pidFile.toString())
        .redirectOutput(ProcessBuilder.Redirect.INHERIT)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /** It says then how the bystanders have ended. */
  private static void end(Process storm) throws Exception {
    storm.getOutputStream().close();
    require(0, storm.waitFor());
  }

  /**
   * Short-lived processes without end, each of which tries to get the id in the pidfile. No
   * descriptor of the daemon's controller is ever open in one.
   */
  static final class Bystanders {
    private static final int AT_ONCE = 4;
    private static final Path NEXT = Path.of("/proc/sys/kernel/ns_last_pid");

    public static void main(String[] arguments) throws Exception {
      Path pidFile = Path.of(arguments[0]);
      LongAdder all = new LongAdder();
      LongAdder signalled = new LongAdder();
      LongAdder chosen = new LongAdder();
      Semaphore room = new Semaphore(AT_ONCE);
      long wanted = 0;
      Thread input = Thread.ofPlatform().start(Bystanders::awaitEnd);
      while (input.isAlive()) {
        wanted = named(pidFile, wanted);
        room.acquire();
        if (wanted > 1) {
          Files.writeString(NEXT, Long.toString(wanted - 1));
        }
        all.increment();
        long pid;
        try {
          pid = Program.at(Path.of("/bin/sleep")).arguments("0.02").spawn().pid();
        } catch (PosixException killed) {
          if (!killed.errno().equals(Errno.EINTR)) {
            throw killed;
          }
          // By a signal that was meant for the daemon, before it was executed.
          signalled.increment();
          room.release();
          continue;
        }
        if (pid == wanted) {
          chosen.increment();
        }
        PidFd process = PidFd.open(pid);
        var _ =
            process
                .exited()
                .whenComplete((end, failure) -> {
                  if (failure != null || end.exitCode().orElse(-1) != 0) {
                    signalled.increment();
                  }
                  close(process);
                  room.release();
                });
      }
      room.acquire(AT_ONCE);
      System.out.println("bystanders = " + all);
      System.out.println("chosen = " + chosen);
      System.out.println("signalled = " + signalled);
    }

    private static void awaitEnd() {
      try {
        int _ = System.in.read();
      } catch (IOException closed) {
        throw new UncheckedIOException(closed);
      }
    }

    /** Which stays wanted when the file is gone. */
    private static long named(Path pidFile, long before) {
      try {
        return ProcessSandbox.pid(pidFile);
      } catch (IOException | NumberFormatException none) {
        return before;
      }
    }

    private static void close(PidFd process) {
      try {
        process.close();
      } catch (PosixException failure) {
        throw new UncheckedIOException(failure);
      }
    }
  }
}
