package dev.daimon.cli;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.daemon.Daemon;
import dev.daimon.daemon.DaemonConfig;
import dev.daimon.daemon.Daemonizer;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.FaultInjector;
import dev.daimon.testing.FaultInjector.Call;
import dev.daimon.testing.FaultInjector.Fault;
import dev.daimon.testing.ProcessSandbox;
import dev.daimon.testing.Torture;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every system call of the command fails once with each error that it may have, and once meets
 * SIGKILL before and after it. Whatever happens, the command ends, with a documented exit status
 * and a line that says why; 0 is true; nothing runs that is not locked and named; and {@code stop}
 * leads out.
 */
@Tag("torture")
@Tag("cc")
class EveryFaultIT {
  private static final Path REPORTS = Path.of(System.getProperty("daimon.dist"), "../faults");
  private static final int SIGKILLED = 137;
  private static final int PLAIN_RUN = 5;
  private static final String USER = "nobody";

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  /** What is done under faults, and what was done before it. */
  enum Scenario {
    START,
    RUN,
    STATUS,
    STOP,
    RESTART,
    START_AS_USER,
    FACADE;

    boolean startsBefore() {
      return this == STATUS || this == STOP || this == RESTART;
    }

    boolean starts() {
      return this == START || this == RESTART || this == START_AS_USER || this == FACADE;
    }
  }

  @Test
  @Tag("root")
  void whateverFailsTheStateOfAnotherUsersDaemonIsTrue() throws Exception {
    whateverFailsTheStateIsTrue(Scenario.START_AS_USER);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "START_AS_USER")
  void whateverFailsTheStateIsTrue(Scenario scenario) throws Exception {
    FaultInjector injector = FaultInjector.compiled(Files.createDirectory(sandbox.file("inject")));
    Run first = new Run(injector, scenario, null, List.of());
    first.carryOut();
    assertThat(first.exitCode).as(first.said).isZero();
    assertThat(first.complaints).as("without a fault: %s", first.said).isEmpty();
    assertThat(injector.unknown(first.calls)).as("calls that errors.txt does not have").isEmpty();

    List<Fault> faults = injector.faults(first.calls, /* runtimes= */ false);
    int others = injector.faults(first.calls, /* runtimes= */ true).size();
    assertThat(faults).hasSizeGreaterThan(100);
    Collections.shuffle(faults, Torture.random());
    int size = Torture.size(faults.size(), 1);
    if (size < faults.size()) {
      size = 1 + size / PLAIN_RUN;
    }
    List<String> failures = new ArrayList<>();
    int missed = 0;
    try (PrintWriter report =
        new PrintWriter(Files.newBufferedWriter(REPORTS.resolve(scenario + ".txt")), true)) {
      for (Fault fault : faults.subList(0, size)) {
        Run run = new Run(injector, scenario, fault, first.calls);
        run.carryOut();
        missed += run.happened ? 0 : 1;
        report.println(run);
        if (!run.complaints.isEmpty()) {
          failures.add(run.toString());
        }
      }
      report.println(
          "%s: %d of %d faults, %d of them not met; %d failures; the shell and the JVM have %d of their own"
              .formatted(scenario, size, faults.size(), missed, failures.size(), others));
    }
    assertThat(failures).as(Torture.seed()).isEmpty();
    assertThat(missed)
        .as("faults that have not happened")
        .isLessThanOrEqualTo(Math.max(1, size / 10));
  }

  /** A program that daemonizes itself. */
  static final class Facade {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      // inject.c knows by that path that the JVM's start is over.
      boolean _ = new File("/marker/main").exists();
      DaemonConfig config =
          DaemonConfig.builder()
              .pidFile(directory.resolve("p.pid"))
              .standardOutput(directory.resolve("log"))
              .build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        daemon.ready();
        Files.createFile(directory.resolve("ready"));
        new CountDownLatch(1).await();
      }
    }
  }

  /** One run of the command, in an empty directory, and what is wrong about it. */
  private final class Run {
    private final FaultInjector injector;
    private final Scenario scenario;
    private final @Nullable Fault fault;

    /** The calls of a run without a fault. */
    private final List<Call> usual;

    private final Path directory = sandbox.file("state");
    private final Path pidFile = directory.resolve("p.pid");
    private final Path log = sandbox.file("calls");
    private final List<String> complaints = new ArrayList<>();
    private List<Call> calls = List.of();
    private boolean happened;
    private String said = "";
    private int exitCode;

    Run(FaultInjector injector, Scenario scenario, @Nullable Fault fault, List<Call> usual) {
      this.injector = injector;
      this.scenario = scenario;
      this.fault = fault;
      this.usual = usual;
    }

    void carryOut() throws Exception {
      Files.createDirectory(directory);
      if (scenario == Scenario.START_AS_USER) {
        ProcessSandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
        TestUser.output("chown", USER, directory.toString());
      }
      try {
        if (scenario.startsBefore()) {
          expect("a start before", 0, words("start"));
        }
        List<String> command = scenario == Scenario.FACADE ? facade() : words(word());
        if (scenario != Scenario.FACADE) {
          command.addFirst(Sandbox.DAIMON.toString());
        }
        ProcessSandbox.Result result =
            sandbox.run(
                fault == null
                    ? injector.command(log, command)
                    : injector.command(log, fault, command),
                Map.of());
        exitCode = result.exitCode();
        said = result.err();
        awaitEndOfCommand();
        if (fault == null) {
          calls = FaultInjector.calls(log);
          Files.createDirectories(REPORTS);
          Files.copy(log, REPORTS.resolve(scenario + ".calls"), REPLACE_EXISTING);
        } else {
          happened = FaultInjector.hasHappened(log);
        }
        boolean own = scenario == Scenario.RUN || scenario == Scenario.FACADE;
        if (!(own && isScript()) && !isNotInherited()) {
          judgeWords();
        }
        judgeState();
        leadOut();
      } catch (AssertionError failure) {
        complaints.add("failure: " + failure.getMessage());
      } finally {
        clear();
      }
    }

    private List<String> facade() throws Exception {
      return List.of(
          Path.of(System.getProperty("java.home"), "bin/java").toString(),
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          "-XX:-UsePerfData",
          "--enable-native-access=ALL-UNNAMED",
          "-cp",
          ChildJvm.of(Facade.class).with(DaemonConfig.class).classPath(),
          Facade.class.getName(),
          directory.toString());
    }

    private String word() {
      return scenario == Scenario.START_AS_USER
          ? "start"
          : scenario.name().toLowerCase(java.util.Locale.ROOT);
    }

    private List<String> words(String word) {
      List<String> words = new ArrayList<>(List.of(word, "-p", pidFile.toString()));
      switch (word) {
        case "start", "restart" -> {
          if (scenario == Scenario.START_AS_USER) {
            words.addAll(List.of("-u", USER));
          }
          words.addAll(List.of("-o", directory.resolve("log").toString(), "--", "sleep", "1000"));
        }
        case "run" -> words.addAll(List.of("--", "touch", directory.resolve("ran").toString()));
        default -> {}
      }
      return words;
    }

    /** The JVM may outlive the script. */
    private void awaitEndOfCommand() throws Exception {
      ProcessSandbox.await(
          "the end of the command",
          () -> {
            for (ProcessHandle process : sandbox.processes()) {
              if (process.isAlive() && !isProgram(process)) {
                return false;
              }
            }
            return scenario != Scenario.FACADE
                || programs().isEmpty()
                || (programs().size() == 1 && Files.exists(directory.resolve("ready")));
          });
    }

    private boolean isProgram(ProcessHandle process) {
      try {
        return ProcessSandbox.status(process.pid(), "Name").equals(program());
      } catch (IOException gone) {
        return true;
      }
    }

    private String program() {
      return scenario == Scenario.FACADE ? "java" : "sleep";
    }

    private List<Long> programs() throws IOException {
      List<Long> programs = new ArrayList<>();
      for (ProcessHandle program : sandbox.running(program())) {
        programs.add(program.pid());
      }
      return programs;
    }

    /**
     * Whether a shell gets the program as its script, since it is said to be no binary. The shell
     * then ends at once, and {@code daimon run} with its exit code.
     */
    private boolean isScript() {
      return fault != null
          && fault.error().equals("ENOEXEC")
          && (fault.call().path().endsWith("/sleep")
              || fault.call().path().endsWith("/touch")
              || (scenario == Scenario.FACADE && fault.call().path().endsWith("/java")));
    }

    /** Whether a facade's launcher is told that its daemon has no such descriptor. */
    private boolean isNotInherited() {
      return scenario == Scenario.FACADE
          && fault != null
          && fault.error().equals("ENOENT")
          && fault.call().path().matches("/proc/[0-9]+/fd/[0-9]+");
    }

    /**
     * Whether a facade's daemon is killed only when it has written that it is ready, with its first
     * write: its launcher may believe it until the moment of its end. Or it cannot read the answer,
     * by an error that its own end of a pipe does not have.
     */
    private boolean hasReported() {
      if (fault == null || !fault.call().label().startsWith("java2")) {
        return false;
      }
      if (!fault.kills()) {
        return fault.call().name().equals("read") && fault.error().equals("EAGAIN");
      }
      for (Call call : usual) {
        if (call.label().equals("java2") && call.name().equals("write")) {
          return !call.equals(fault.call()) || fault.kind().equals("killed");
        }
        if (call.equals(fault.call())) {
          return false;
        }
      }
      return false;
    }

    /** Whether the pidfile is said to be gone: then nothing leads to the daemon. */
    private boolean isGone() {
      return fault != null
          && fault.error().equals("ENOENT")
          && fault.call().path().equals(pidFile.toString());
    }

    private void judgeWords() throws IOException {
      boolean killed = fault != null && fault.kills();
      if (!(documented().contains(exitCode) || (killed && exitCode == SIGKILLED))) {
        complaints.add("an exit status that is not documented");
      }
      // Below a facade's own line are the last ones of its daemon's log, which may be a stack
      // trace.
      int quoted = said.indexOf("Its last words");
      String words = (quoted < 0 ? said : said.substring(0, quoted)).replace("/dev/null", "");
      if (words.contains("\tat ") || words.contains("Exception in") || words.contains("null")) {
        complaints.add("the message is a programmer's");
      }
      // A facade's program has a name of its own.
      String says = scenario == Scenario.FACADE ? ": " : "daimon: ";
      // A shell that cannot duplicate its standard error has closed it, so nobody hears it.
      String failed =
          fault != null && !fault.kills() && fault.call().label().startsWith("sh")
              ? fault.call().name()
              : "";
      boolean deaf = failed.equals("fcntl");
      boolean silent =
          deaf || exitCode == 0 || exitCode == SIGKILLED || scenario == Scenario.STATUS;
      if (!silent && said.lines().noneMatch(line -> line.contains(says))) {
        complaints.add("no line says why");
      }
      // A shell that cannot read its script to the end misses one function after the other.
      boolean torn = failed.equals("read");
      if (words.lines().count() > 2 && !torn) {
        complaints.add("more than two lines");
      }
    }

    private void judgeState() throws Exception {
      List<Long> programs = programs();
      boolean locked = ProcessSandbox.isLocked(pidFile);
      if (programs.size() > 1) {
        complaints.add("two daemons: " + programs);
      }
      if (exitCode == 0) {
        if (scenario.starts() && programs.isEmpty() && !isScript() && !hasReported()) {
          complaints.add("0, and the program does not run");
        }
        if (scenario == Scenario.STOP && !programs.isEmpty() && !isGone()) {
          complaints.add("0, and the program runs");
        }
        if (scenario == Scenario.RUN && !Files.exists(directory.resolve("ran"))) {
          complaints.add("0, and the program did not run");
        }
      }
      boolean killed = fault != null && fault.kills();
      if (exitCode != 0 && !killed && !scenario.startsBefore() && !isScript()) {
        if (!programs.isEmpty()) {
          complaints.add("not 0, and the program runs");
        }
        Set<String> left = files();
        Path output = directory.resolve("log");
        if (Files.exists(output) && Files.size(output) > 0) {
          left.remove("log");
        }
        if (!left.isEmpty()) {
          complaints.add("files are left: " + left);
        }
      }
      if (locked == programs.isEmpty()) {
        complaints.add(locked ? "a lock without a holder" : "a program without a lock");
      }
      String content = Files.exists(pidFile) ? Files.readString(pidFile).strip() : "";
      if (!content.isEmpty()
          && !programs.isEmpty()
          && !content.equals(programs.getFirst().toString())) {
        complaints.add("the pidfile names " + content);
      }
      Set<String> strange = files();
      strange.removeAll(List.of("p.pid", "p.guard", "log", "ran", "ready"));
      if (!strange.isEmpty()) {
        complaints.add("strange files: " + strange);
      }
      if (!programs.isEmpty()) {
        // Of a start that was killed the pidfile has no process id yet.
        ProcessSandbox.Result status =
            expect("status", killed && content.isEmpty() ? 4 : 0, words("status"));
        if (!status.out().contains("process " + programs.getFirst())) {
          complaints.add("status does not name it: " + status.out());
        }
      }
    }

    private void leadOut() throws Exception {
      if (Files.exists(pidFile) || !programs().isEmpty()) {
        expect("the stop", 0, words("stop"));
      }
      if (!programs().isEmpty() || Files.exists(pidFile)) {
        complaints.add("the stop has left something");
      }
    }

    private ProcessSandbox.Result expect(String what, int code, List<String> words)
        throws Exception {
      ProcessSandbox.Result result = sandbox.daimon(words.toArray(String[]::new));
      if (result.exitCode() != code) {
        complaints.add(what + ": " + result);
      }
      return result;
    }

    private Set<String> files() throws IOException {
      Set<String> names = new TreeSet<>();
      try (Stream<Path> files = Files.list(directory)) {
        files.forEach(file -> names.add(file.getFileName().toString()));
      }
      return names;
    }

    private void clear() throws Exception {
      ProcessSandbox.await(
          "the end of what is left",
          () -> {
            List<ProcessHandle> left = sandbox.processes();
            left.forEach(ProcessHandle::destroyForcibly);
            return left.isEmpty();
          });
      for (String name : files()) {
        Files.delete(directory.resolve(name));
      }
      Files.delete(directory);
    }

    @Override
    public String toString() {
      return fault
          + (happened ? " -> " : " (not met) -> ")
          + exitCode
          + " "
          + complaints
          + " "
          + said.strip().replace("\n", " | ");
    }
  }

  /** The exit statuses in the command's reference. */
  private static Set<Integer> documented() throws IOException {
    Set<Integer> codes = new TreeSet<>();
    boolean within = false;
    for (String line :
        Files.readAllLines(Path.of(System.getProperty("daimon.root"), "docs/command.md"))) {
      within = line.startsWith("## ") ? line.equals("## Exit statuses") : within;
      if (within && line.matches("\\| [0-9]+ \\|.*")) {
        codes.add(Integer.valueOf(line.split(" ", 3)[1]));
      }
    }
    return codes;
  }
}
