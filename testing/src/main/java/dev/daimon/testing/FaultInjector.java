package dev.daimon.testing;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Runs a command so that one of its system calls fails, or meets SIGKILL. Which calls there are is
 * found out by a run without a fault; {@code errors.txt} says how each may fail. The program that
 * does it, {@code inject.c}, needs a C compiler; it says how a call is addressed.
 */
public final class FaultInjector {
  /** The end of the label of what a shell or a JVM does on its own: its start, its own threads. */
  private static final String START = ".start";

  /** What a JVM does for its memory and its threads at any moment. */
  private static final Set<String> JVMS_CALLS =
      Set.of("futex", "madvise", "mmap", "mprotect", "munmap", "sched_yield");

  private final Path program;
  private final Map<String, List<String>> errors;

  private FaultInjector(Path program, Map<String, List<String>> errors) {
    this.program = program;
    this.errors = errors;
  }

  /**
   * A system call of a command.
   *
   * @param label which of its processes makes the call
   * @param name the call
   * @param n which of the calls of this name under this label, from 1
   * @param first the first argument, as a number
   * @param path the first path among the arguments, or nothing
   */
  public record Call(String label, String name, int n, long first, String path) {
    /**
     * Whether a shell or a JVM makes this call on its own, whatever it is to run: when it starts,
     * for its memory, its threads and its classes.
     */
    public boolean isRuntimes() {
      return label.contains(START)
          || (label.startsWith("java") && (JVMS_CALLS.contains(name) || isCode(path)));
    }

    /** Whether it reads what has no path: such a read finds an end, and no defect of a device. */
    private boolean readsPipe() {
      return name.equals("read") && path.isEmpty();
    }
  }

  /** Whether a JVM reads its classes from there, or its libraries. */
  private static boolean isCode(String path) {
    return path.endsWith("/lib/modules")
        || path.endsWith(".jar")
        || path.endsWith(".class")
        || path.endsWith(".so")
        || path.endsWith("/libc.so.6");
  }

  /**
   * What happens to a call.
   *
   * @param kind {@code error}; {@code kill}: SIGKILL before it; {@code killed}: SIGKILL after it;
   *     {@code orphan}: SIGKILL for the parent of the process before it
   * @param error the error, or nothing
   */
  public record Fault(String kind, Call call, String error) {
    @Override
    public String toString() {
      String what = kind.equals("error") ? error : kind;
      return what + " " + call.label + " " + call.name + " " + call.n + " " + call.path;
    }

    /** Whether a process is killed. */
    public boolean kills() {
      return !kind.equals("error");
    }
  }

  /** Compiles the program into a directory. */
  public static FaultInjector compiled(Path directory) throws IOException, InterruptedException {
    Map<String, List<String>> errors = new TreeMap<>();
    for (String line : resource("errors.txt").lines().toList()) {
      if (!line.isEmpty() && !line.startsWith("#")) {
        List<String> words = List.of(line.split(" ", -1));
        errors.put(words.getFirst(), words.subList(1, words.size()));
      }
    }
    StringBuilder calls = new StringBuilder();
    SortedSet<String> names = new TreeSet<>();
    for (Map.Entry<String, List<String>> call : errors.entrySet()) {
      String name = call.getKey();
      // Not each processor has each of them.
      calls.append("#ifdef SYS_").append(name).append("\nCALL(").append(name).append(")\n#endif\n");
      names.addAll(call.getValue());
    }
    StringBuilder numbers = new StringBuilder();
    for (String name : names) {
      numbers.append("ERROR(").append(name).append(")\n");
    }
    Files.writeString(directory.resolve("calls.h"), calls);
    Files.writeString(directory.resolve("errors.h"), numbers);
    Path source = Files.writeString(directory.resolve("inject.c"), resource("inject.c"));
    Path program = directory.resolve("inject");
    String _ = Command.run("cc", "-O1", "-o", program.toString(), source.toString());
    return new FaultInjector(program, errors);
  }

  private static String resource(String name) throws IOException {
    try (InputStream stream =
        Objects.requireNonNull(FaultInjector.class.getResourceAsStream(name), name)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Returns the command line that runs a command, and writes down its calls. */
  public List<String> command(Path log, List<String> command) {
    return command(log, List.of(), command);
  }

  /** Returns the command line that runs a command with a fault. */
  public List<String> command(Path log, Fault fault, List<String> command) {
    List<String> words = new ArrayList<>();
    words.add(fault.kind);
    words.add(fault.call.label);
    words.add(fault.call.name);
    words.add(Integer.toString(fault.call.n));
    if (!fault.kills()) {
      words.add(fault.error);
    }
    return command(log, words, command);
  }

  private List<String> command(Path log, List<String> fault, List<String> command) {
    List<String> words = new ArrayList<>(List.of(program.toString(), log.toString()));
    words.addAll(fault);
    words.add("--");
    words.addAll(command);
    return words;
  }

  /** Returns the command line that runs a command to which a call is forbidden. */
  public List<String> forbidding(String call, String error, List<String> command) {
    List<String> words = new ArrayList<>(List.of(program.toString(), "forbid", error, call, "--"));
    words.addAll(command);
    return words;
  }

  /** Returns the calls in a log. */
  public static List<Call> calls(Path log) throws IOException {
    List<Call> calls = new ArrayList<>();
    for (String line : Files.readAllLines(log, StandardCharsets.ISO_8859_1)) {
      String[] words = line.split(" ", 5);
      if (words.length == 5 && !words[0].equals("!")) {
        calls.add(
            new Call(
                words[0],
                words[1],
                Integer.parseInt(words[2]),
                Long.parseLong(words[3]),
                words[4]));
      }
    }
    return calls;
  }

  /** Whether the fault of a log has happened: a call need not be made each time. */
  public static boolean hasHappened(Path log) throws IOException {
    for (String line : Files.readAllLines(log, StandardCharsets.ISO_8859_1)) {
      if (line.startsWith("! ")) {
        return true;
      }
    }
    return false;
  }

  /** Returns those calls of the command that {@code errors.txt} does not have. */
  public SortedSet<String> unknown(List<Call> calls) {
    SortedSet<String> unknown = new TreeSet<>();
    for (Call call : calls) {
      if (!call.isRuntimes() && !errors.containsKey(call.name)) {
        unknown.add(call.name);
      }
    }
    return unknown;
  }

  /**
   * Returns every fault that these calls may meet. Where a process repeats one call on one file, as
   * a shell that reads a byte at a time, or repeats {@code rt_sigaction}, that is the first one and
   * the last one of the row.
   *
   * @param calls all of a run
   * @param runtimes whether what shells and JVMs do on their own is meant, or all else
   */
  public List<Fault> faults(List<Call> calls, boolean runtimes) {
    List<Fault> faults = new ArrayList<>();
    for (Call call : ends(calls)) {
      if (call.isRuntimes() != runtimes) {
        continue;
      }
      for (String error : errors.getOrDefault(call.name, List.of())) {
        if (!(error.equals("EIO") && call.readsPipe())) {
          faults.add(new Fault("error", call, error));
        }
      }
      faults.add(new Fault("kill", call, ""));
      if (!call.name.startsWith("exit") && !call.name.equals("execve")) {
        faults.add(new Fault("killed", call, ""));
      }
      if (call.label.contains("/")) {
        faults.add(new Fault("orphan", call, ""));
      }
    }
    return faults;
  }

  /** Leaves out what is between the first and the last one of a row of equal calls. */
  private static List<Call> ends(List<Call> calls) {
    Map<String, List<Call>> byLabel = new TreeMap<>();
    for (Call call : calls) {
      byLabel.computeIfAbsent(call.label, label -> new ArrayList<>()).add(call);
    }
    List<Call> ends = new ArrayList<>();
    for (List<Call> each : byLabel.values()) {
      for (int i = 0; i < each.size(); i++) {
        boolean within =
            i > 0
                && i < each.size() - 1
                && isSame(each.get(i - 1), each.get(i))
                && isSame(each.get(i), each.get(i + 1));
        if (!within) {
          ends.add(each.get(i));
        }
      }
    }
    return ends;
  }

  private static boolean isSame(Call one, Call other) {
    return one.name.equals(other.name)
        && (one.name.equals("rt_sigaction")
            || (one.name.equals("read") && one.first == other.first));
  }
}
