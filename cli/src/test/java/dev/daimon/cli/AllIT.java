package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.FaultInjector;
import dev.daimon.testing.FaultInjector.Call;
import dev.daimon.testing.FaultInjector.Fault;
import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code start --all} and {@code stop --all}. */
class AllIT {
  @RegisterExtension final Sandbox sandbox = new Sandbox();
  private final NamedFiles files = new NamedFiles(sandbox);

  @BeforeEach
  void makeDirectories() throws Exception {
    files.make();
  }

  private void define(String name, String... lines) throws IOException {
    Path file = files.definition(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, String.join("\n", lines) + "\n");
  }

  @Test
  void allAreStartedAndStoppedAndTheHighestStatusTells() throws Exception {
    define("api", "program sleep 1000");
    define("bad", "program /nonexistent");
    define("web", "program sleep 1000");

    Result first = files.daimon("start", "--all");
    assertThat(first.exitCode()).isEqualTo(66);
    assertThat(first.out().lines()).containsExactlyInAnyOrder("api: started", "web: started");
    assertThat(first.err()).startsWith("daimon: bad: ").contains("/nonexistent").hasLineCount(1);

    Files.delete(files.definition("bad"));
    Result second = files.daimon("start", "--all");
    assertThat(second.exitCode()).isEqualTo(69);
    assertThat(second.out()).isEmpty();
    assertThat(second.err().lines().sorted().toList())
        .hasSize(2)
        .allMatch(line -> line.matches("daimon: (api|web): already running: .*"));
    Result third = files.daimon("start", "--all", "--oknodo");
    assertThat(third.exitCode()).isZero();
    assertThat(third.out()).isEmpty();

    Result stopped = files.daimon("stop", "--all", "--timeout", "20s");
    assertThat(stopped.exitCode()).isZero();
    assertThat(stopped.out().lines()).containsExactlyInAnyOrder("api: stopped", "web: stopped");
    sandbox.awaitEnd();
    assertThat(files.daimon("stop", "--all"))
        .isEqualTo(new Result(0, "", "daimon: no daemon runs that has a name\n"));
  }

  @Test
  void aWarningDoesNotTakeThePlaceOfTheResult() throws Exception {
    define("web", "program sleep 1000");
    assertThat(files.daimon("start", "web").exitCode()).isZero();
    define("web", "nonsense", "program sleep 1000");

    Result stopped = files.daimon("stop", "--all");

    assertThat(stopped.exitCode()).isZero();
    assertThat(stopped.out()).isEqualTo("web: stopped\n");
    assertThat(stopped.err()).startsWith("daimon: web: warning: ").hasLineCount(1);
  }

  @Test
  void aLongPlanIsPrinted() throws Exception {
    define("web", "program /bin/echo " + "x".repeat(500_000));

    Result plan = files.daimon("start", "--all", "--dry-run");

    assertThat(plan.exitCode()).as(plan.err()).isZero();
    assertThat(plan.out()).contains("x".repeat(500_000));
  }

  /** It is not up, so a start of all must not say so. */
  @Test
  void oneThatHasCrashedAndLeftAChildIsAnErrorWithOknodo() throws Exception {
    define("web", "program sh -c 'sleep 1000 & exec tail -f /dev/null'");
    assertThat(files.daimon("start", "web").exitCode()).isZero();
    sandbox.awaitProgram("sleep");
    sandbox.awaitProgram("tail");
    sandbox.running("tail").forEach(ProcessHandle::destroyForcibly);
    Sandbox.await("the daemon's end", () -> sandbox.running("tail").isEmpty());

    Result result = files.daimon("start", "--all", "--oknodo");

    assertThat(result.exitCode()).isEqualTo(69);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("daimon: web: ").contains("end what is left");
  }

  /** What a signal has ended must not end this command with that number. */
  @Test
  void aCommandThatIsKilledIsAFailureOfThatDaemon() throws Exception {
    define("slow", "ready alive:1h", "program sleep 1000");
    Process all =
        files
            .prepare("start", "--all")
            .redirectOutput(sandbox.file("out").toFile())
            .redirectError(sandbox.file("err").toFile())
            .start();
    sandbox.awaitProgram("sleep");

    // The last word: if the definition goes now, slow must not mean a program.
    List<ProcessHandle> scripts = withWords("/bin/daimon\0start\0slow\0--\0");
    assertThat(scripts).hasSize(1);
    scripts.getFirst().destroyForcibly();

    assertThat(all.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(all.exitValue()).isEqualTo(71);
    assertThat(sandbox.file("err"))
        .hasContent("daimon: slow: it has failed (status " + (128 + 9) + ")\n");
    Sandbox.await("the program's end", () -> sandbox.running("sleep").isEmpty());
  }

  private List<ProcessHandle> withWords(String words) throws IOException {
    List<ProcessHandle> found = new ArrayList<>();
    for (ProcessHandle process : sandbox.processes()) {
      if (Files.readString(Path.of("/proc/" + process.pid() + "/cmdline")).endsWith(words)) {
        found.add(process);
      }
    }
    return found;
  }

  @Test
  void aSignalEndsWhatIsUnderWayAndLeavesNothing() throws Exception {
    define("slow", "ready alive:1h", "program sleep 1000");
    Process all =
        files
            .prepare("start", "--all")
            .redirectOutput(sandbox.file("out").toFile())
            .redirectError(sandbox.file("err").toFile())
            .start();
    sandbox.awaitProgram("sleep");

    all.destroy();

    assertThat(all.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(all.exitValue()).isEqualTo(128 + 15);
    assertThat(sandbox.processes()).isEmpty();
    assertThat(files.pidFile("slow")).doesNotExist();
  }

  /** Of two daemons: a thread that would notice a signal, and one that works beside the first. */
  @ParameterizedTest
  @CsvSource({"signal, 1", "work, 0"})
  @Tag("cc")
  void aThreadThatCannotBeStartedIsDoneWithout(String thread, int warnings) throws Exception {
    define("api", "program sleep 1000");
    define("web", "program sleep 1000");
    FaultInjector injector = FaultInjector.compiled(Files.createDirectory(sandbox.file("inject")));
    Path log = sandbox.file("calls");
    List<String> all = List.of(Sandbox.DAIMON.toString(), "start", "--all", "--dry-run");
    Result usual = run(injector.command(log, all));
    assertThat(usual.exitCode()).as(usual.toString()).isZero();
    List<Call> threads = callsBeforeTheWork(log);
    Call call = threads.get(threads.size() - (thread.equals("signal") ? 2 : 1));

    Result result = run(injector.command(log, new Fault("error", call, "EPERM"), all));

    assertThat(FaultInjector.hasHappened(log)).isTrue();
    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.out().lines().sorted().toList())
        .isEqualTo(usual.out().lines().sorted().toList());
    assertThat(result.err().lines().toList())
        .hasSize(warnings)
        .allMatch(line -> line.startsWith("daimon: warning: a signal will not end this command: "));
  }

  private Result run(List<String> command) throws Exception {
    return sandbox.run(files.command(command.toArray(String[]::new)), files.variables());
  }

  /** The calls that have made threads before the first command got its file in memory. */
  private static List<Call> callsBeforeTheWork(Path log) throws IOException {
    List<Call> threads = new ArrayList<>();
    for (Call call : FaultInjector.calls(log)) {
      if (call.label().equals("java") && call.name().equals("memfd_create")) {
        return threads;
      }
      if (call.label().equals("java") && call.name().equals("clone3")) {
        threads.add(call);
      }
    }
    throw new AssertionError("no command was begun");
  }

  @Test
  void whatDoesNotGoWithAllIsRefused() throws Exception {
    define("web", "program sleep 1000");

    assertThat(files.daimon("start", "--all", "-u", "root").err())
        .isEqualTo("daimon: --user does not go with --all; see daimon help start\n");
    assertThat(files.daimon("start", "--all", "--", "sleep", "1000").exitCode()).isEqualTo(64);
    assertThat(files.daimon("stop", "web", "--all").exitCode()).isEqualTo(64);
    // Though nothing runs.
    Result wrong = files.daimon("stop", "--all", "--signal", "FOO");
    assertThat(wrong.exitCode()).isEqualTo(64);
    assertThat(wrong.err()).startsWith("daimon: --signal: no such signal: ").hasLineCount(1);
    assertThat(sandbox.processes()).isEmpty();
  }
}
