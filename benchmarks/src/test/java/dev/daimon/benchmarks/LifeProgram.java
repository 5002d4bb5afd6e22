package dev.daimon.benchmarks;

import dev.daimon.control.DaemonControl;
import dev.daimon.control.DaemonStatus;
import dev.daimon.control.Outcome;
import dev.daimon.control.StartSpec;
import dev.daimon.control.StopPolicy;
import dev.daimon.forking.Child;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * A JVM that starts, examines and stops a daemon, and waits for processes, again and again; it
 * prints what it has of everything: for {@link LifeTest}. It works in its current directory.
 */
final class LifeProgram {
  private static final int STATUSES = 5;

  /** Of one process. The last ones are fulfilled by its end. */
  static final int WAITS = 50;

  private static final Pattern COMMITTED = Pattern.compile("committed=(\\d+)KB");

  private final Path directory = Path.of("").toAbsolutePath();
  private final DaemonControl control = DaemonControl.of(directory.resolve("d.pid"));

  private LifeProgram() {}

  /** The arguments: how many samples, cycles and processes. */
  public static void main(String[] args) throws Exception {
    LifeProgram life = new LifeProgram();
    int samples = Integer.parseInt(args[0]);
    int cycles = Integer.parseInt(args[1]);
    int processes = Integer.parseInt(args[2]);
    for (int sample = 1; sample <= samples; sample++) {
      for (int i = part(cycles, sample - 1, samples); i < part(cycles, sample, samples); i++) {
        life.cycle();
      }
      for (int i = part(processes, sample - 1, samples);
          i < part(processes, sample, samples);
          i++) {
        waitFor();
      }
      System.out.println(life.sample());
    }
  }

  private static int part(int all, int sample, int samples) {
    return (int) ((long) all * sample / samples);
  }

  private void cycle() throws IOException, InterruptedException {
    require(control.start(StartSpec.program(LifeProgram::sleep, 022)) == Outcome.OK);
    for (int i = 0; i < STATUSES; i++) {
      require(control.status().state() == DaemonStatus.State.RUNNING);
    }
    require(control.stop(StopPolicy.DEFAULT).outcome() == Outcome.OK);
  }

  /** Waits in all ways for a process: waits that end before the process does, and with it. */
  private static void waitFor() throws Exception {
    Child child = sleep().spawn();
    try (PidFd process = PidFd.open(child.pid())) {
      for (int i = 0; i < WAITS - 5; i++) {
        // Up to 45 microseconds, which is about as long as a wait takes to be in place.
        require(!process.awaitExit(Duration.ofNanos(i * 1000L)));
      }
      require(process.waitFor(Duration.ofNanos(1000)).isEmpty());
      var ended = process.ended();
      var exited = process.exited();
      process.send(Signal.KILL);
      process.awaitExit();
      require(ended.get() == process);
      require(exited.get().signal().orElseThrow().equals(Signal.KILL));
      require(process.awaitExit(Duration.ofMinutes(1)));
    }
  }

  private static Program sleep() {
    return Program.at(Path.of("/bin/sleep"))
        .arguments("1000")
        .directory(Path.of("/"))
        .standardInput(Redirect.nullDevice())
        .standardOutput(Redirect.nullDevice())
        .standardError(Redirect.nullDevice());
  }

  private static void require(boolean held) {
    if (!held) {
      throw new AssertionError("not so");
    }
  }

  /** In the order of {@link LifeTest}'s columns; memory in KiB. */
  private String sample() throws IOException, JMException {
    System.gc();
    long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / 1024;
    List<String> values = new ArrayList<>();
    values.add(Long.toString(count(Path.of("/proc/self/fd"))));
    values.add(Long.toString(count(Path.of("/proc/self/task"))));
    values.add(Long.toString(children()));
    values.add(Long.toString(count(directory)));
    values.add(Long.toString(heap));
    values.add(Long.toString(nativeMemory()));
    values.add(Long.toString(resident()));
    return String.join(" ", values);
  }

  private static long count(Path directory) throws IOException {
    long count = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path _ : files) {
        count++;
      }
    }
    return count;
  }

  /** Children, zombies among them: there should be none. */
  private static long children() throws IOException {
    long count = 0;
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        String pids = Files.readString(thread.resolve("children")).strip();
        count += pids.isEmpty() ? 0 : pids.split(" ", -1).length;
      }
    }
    return count;
  }

  /** What the JVM tracks as committed, without the heap. */
  private static long nativeMemory() throws JMException {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    String text =
        (String)
            server.invoke(
                new ObjectName("com.sun.management:type=DiagnosticCommand"),
                "vmNativeMemory",
                new Object[] {new String[] {"summary"}},
                new String[] {String[].class.getName()});
    return committed(text, "Total:") - committed(text, "Java Heap (");
  }

  private static long committed(String text, String part) {
    Matcher matcher = COMMITTED.matcher(text);
    if (!matcher.find(text.indexOf(part))) {
      throw new AssertionError(text);
    }
    return Long.parseLong(matcher.group(1));
  }

  private static long resident() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new AssertionError("no VmRSS");
  }
}
