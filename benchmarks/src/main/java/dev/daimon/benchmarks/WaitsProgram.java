package dev.daimon.benchmarks;

import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Signal;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/**
 * The program of a JVM that waits for many children, with PidFd or with the JDK's own {@code
 * Process.onExit}: {@code WaitsProgram daimon|jdk CHILDREN ENDS}. Prints what {@code waits.c} does,
 * and the threads and the memory of the waits.
 */
final class WaitsProgram {
  /** How many ends come before each end that is timed. */
  private static final int WARM_UP = 3;

  /** A child and the future of its end. */
  private record Wait(long pid, CompletableFuture<?> future) {}

  private final boolean daimon;

  private WaitsProgram(boolean daimon) {
    this.daimon = daimon;
  }

  public static void main(String[] arguments) throws Exception {
    WaitsProgram program = new WaitsProgram(arguments[0].equals("daimon"));
    int children = Integer.parseInt(arguments[1]);
    int ends = Integer.parseInt(arguments[2]);
    // Until the compiler has finished, since it stops the threads for milliseconds.
    for (int i = 0; i < WARM_UP * ends; i++) {
      program.latency(program.begin());
    }
    // The JDK's threads of the last minute, and Daimon's one thread, are measured, too.
    for (int measured = 0; measured < ends; ) {
      measured += program.round(children, ends - measured, measured == 0);
    }
  }

  /** Waits for that many children; times the ends of some, and then ends the others at once. */
  private int round(int children, int ends, boolean first) throws Exception {
    int timed = Math.min(children, ends);
    long[] before = usage(first);
    List<Wait> waits = new ArrayList<>(children);
    for (int i = 0; i < children; i++) {
      waits.add(begin());
    }
    if (first) {
      long[] now = usage(true);
      System.out.println("threads " + watchers());
      System.out.println("bytes " + (now[0] - before[0]) / children);
    }
    for (Wait wait : waits.subList(0, timed)) {
      System.out.println("latency " + latency(wait));
    }
    List<Wait> rest = waits.subList(timed, children);
    long start = System.nanoTime();
    for (Wait wait : rest) {
      end(wait);
    }
    CompletableFuture.allOf(rest.stream().map(Wait::future).toArray(CompletableFuture[]::new))
        .get();
    if (timed == ends) {
      System.out.println("all " + (System.nanoTime() - start));
    }
    return timed;
  }

  private Wait begin() throws IOException {
    if (daimon) {
      PidFd child =
          PidFd.open(
              Program.at(Path.of("/bin/sleep"))
                  .arguments("1000")
                  .standardInput(Redirect.nullDevice())
                  .standardOutput(Redirect.nullDevice())
                  .standardError(Redirect.nullDevice())
                  .spawn()
                  .pid());
      return new Wait(child.pid(), child.exited());
    }
    Process child =
        new ProcessBuilder("/bin/sleep", "1000")
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    return new Wait(child.pid(), child.onExit());
  }

  /** From just before the signal to the completion, in nanoseconds. */
  private long latency(Wait wait) throws Exception {
    long[] end = new long[1];
    CountDownLatch told = new CountDownLatch(1);
    CompletableFuture<Void> done =
        wait.future()
            .thenRun(() -> {
              end[0] = System.nanoTime();
              told.countDown();
            });
    long start = end(wait);
    told.await();
    done.get();
    return end[0] - start;
  }

  /** Kills a child, the same way for both; returns the time. */
  private static long end(Wait wait) throws IOException {
    try (PidFd child = PidFd.open(wait.pid())) {
      long start = System.nanoTime();
      child.send(Signal.KILL);
      return start;
    }
  }

  /** The resident memory, in which the whole heap counts, plus the used part of the heap. */
  private static long[] usage(boolean wanted) throws IOException {
    if (!wanted) {
      return new long[1];
    }
    System.gc();
    long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return new long[] {Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024 + heap};
      }
    }
    throw new IOException("/proc/self/status");
  }

  /** The threads that wait for children. */
  private static long watchers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread ->
            thread.getName().startsWith("process reaper")
                || thread.getName().startsWith("daimon-pidfd"))
        .count();
  }
}
