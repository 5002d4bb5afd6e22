import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Signal;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/**
 * What it costs to wait for many children: with PidFd, or with the JDK's own Process.onExit. Prints
 * figures for benchmarks/pidfd.
 */
class PidFdWaits {
  /** A child and the future of its end. */
  record Wait(long pid, CompletableFuture<?> future) {}

  public static void main(String[] args) throws Exception {
    boolean pidfd = args[0].equals("pidfd");
    int children = Integer.parseInt(args[1]);
    int samples = Integer.parseInt(args[2]);

    for (Wait wait : begin(pidfd, samples)) {
      latency(wait);
    }

    List<Wait> waits = new ArrayList<>(children);
    System.gc();
    long resident = status("VmRSS");
    long heap = heap();
    waits.addAll(begin(pidfd, children));
    System.gc();
    System.out.println("threads " + status("Threads"));
    System.out.println(
        "bytes "
            + ((status("VmRSS") - resident) * 1024 + heap() - heap) / children);

    for (Wait wait : waits.subList(0, samples)) {
      System.out.println("latency " + latency(wait));
    }
    List<Wait> rest = waits.subList(samples, children);
    long start = System.nanoTime();
    for (Wait wait : rest) {
      try (PidFd child = PidFd.open(wait.pid())) {
        child.send(Signal.KILL);
      }
    }
    CompletableFuture.allOf(rest.stream().map(Wait::future).toArray(CompletableFuture[]::new))
        .get();
    System.out.println("all " + (System.nanoTime() - start));
  }

  /** From just before the signal to the completion, in nanoseconds. */
  private static long latency(Wait wait) throws Exception {
    long[] end = new long[1];
    CountDownLatch told = new CountDownLatch(1);
    wait.future()
        .thenRun(
            () -> {
              end[0] = System.nanoTime();
              told.countDown();
            });
    // The same way to end it for both.
    try (PidFd child = PidFd.open(wait.pid())) {
      long start = System.nanoTime();
      child.send(Signal.KILL);
      told.await();
      return end[0] - start;
    }
  }

  private static List<Wait> begin(boolean pidfd, int children) throws Exception {
    List<Wait> waits = new ArrayList<>(children);
    for (int i = 0; i < children; i++) {
      if (pidfd) {
        PidFd child =
            PidFd.open(
                Program.at(Path.of("/bin/sleep"))
                    .arguments("1000")
                    .standardInput(Redirect.nullDevice())
                    .standardOutput(Redirect.nullDevice())
                    .standardError(Redirect.nullDevice())
                    .spawn()
                    .pid());
        waits.add(new Wait(child.pid(), child.exited()));
      } else {
        Process child =
            new ProcessBuilder("/bin/sleep", "1000")
                .redirectInput(new File("/dev/null"))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        waits.add(new Wait(child.pid(), child.onExit()));
      }
    }
    return waits;
  }

  /** The heap is resident from the start, so what is used of it is counted by itself. */
  private static long heap() {
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static long status(String field) throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith(field + ":")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new AssertionError(field);
  }
}
