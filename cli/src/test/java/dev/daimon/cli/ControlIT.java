package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.ProcessSandbox.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands that control a daemon, with the exit codes that init scripts expect. */
class ControlIT {
  private static final int CANNOT_TELL = 4;
  private static final Result DONE = new Result(0, "", "");

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private Result control(String command, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of(command, "-p", pidFile().toString()));
    all.addAll(List.of(words));
    return sandbox.daimon(all.toArray(new String[0]));
  }

  private Path pidFile() {
    return sandbox.file("web.pid");
  }

  private long start(String... program) throws Exception {
    assertThat(control("start", program)).isEqualTo(DONE);
    return Sandbox.pid(pidFile());
  }

  /**
   * Starts a daemon that writes the signals it gets into "got", and ignores TERM and INT otherwise.
   */
  private long startStubborn() throws Exception {
    sandbox.script(
        "stubborn",
        """
        #!/bin/bash
        for signal in HUP INT TERM USR1 RTMIN+3; do
          trap "echo $signal >>got" $signal
        done
        sleep 1000 &
        echo ready >got
        while :; do wait; done
        """);
    long pid = start("-c", sandbox.directory().toString(), sandbox.file("stubborn").toString());
    Sandbox.await("its traps", () -> Files.exists(sandbox.file("got")));
    return pid;
  }

  private void awaitGot(String... signals) throws Exception {
    List<String> lines = new ArrayList<>(List.of("ready"));
    lines.addAll(List.of(signals));
    Sandbox.await(lines.toString(), () -> Files.readAllLines(sandbox.file("got")).equals(lines));
  }

  @Test
  void theLifeOfADaemon() throws Exception {
    assertThat(control("status"))
        .isEqualTo(new Result(3, "not running: there is no " + pidFile() + "\n", ""));

    long first = start("sleep", "1000");
    sandbox.awaitProgram("sleep");

    Result status = control("status");
    assertThat(status.exitCode()).isZero();
    assertThat(status.err()).isEmpty();
    assertThat(status.out())
        .matches("running: process " + first + ", user \\S+, up 0:00:\\d\\d: sleep 1000\n");

    assertThat(control("restart", "sleep", "2000")).isEqualTo(DONE);
    long second = Sandbox.pid(pidFile());
    assertThat(second).isNotEqualTo(first);
    Sandbox.await("the second alone", () -> sandbox.running("sleep").size() == 1);
    assertThat(control("start", "sleep", "3000").exitCode()).isEqualTo(69);

    assertThat(control("stop")).isEqualTo(DONE);
    assertThat(pidFile()).doesNotExist();
    sandbox.awaitEnd();
    assertThat(control("stop")).isEqualTo(new Result(0, "", "daimon: it was not running\n"));
    assertThat(control("status").exitCode()).isEqualTo(3);
    assertThat(sandbox.directory().toFile().list()).containsExactly("web.guard");
    assertThat(Files.getPosixFilePermissions(sandbox.file("web.guard"))).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "restart", "start --rlimit nofile=100"})
  void aStartIsRecordedInTheGuard(String words) throws Exception {
    String[] split = words.split(" ", -1);
    List<String> rest = new ArrayList<>(List.of(split).subList(1, split.length));
    rest.addAll(List.of("sleep", "1000"));
    assertThat(control(split[0], rest.toArray(new String[0])).exitCode()).isZero();

    assertThat(sandbox.file("web.guard")).content().isEqualTo(record(Sandbox.pid(pidFile()), true));
  }

  private String record(long pid, boolean ownSession) throws Exception {
    return "%s %s %s %d %d %d %d\n"
        .formatted(
            Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip(),
            Files.readSymbolicLink(Path.of("/proc/self/ns/pid")),
            Files.readSymbolicLink(Path.of("/proc/self/ns/time")),
            pid,
            Sandbox.stat(pid, 22),
            ownSession ? Sandbox.stat(pid, 6) : 0,
            Files.getLastModifiedTime(pidFile()).to(TimeUnit.SECONDS));
  }

  @Test
  void aRunIsRecordedWithoutASession() throws Exception {
    Process run =
        sandbox
            .prepare(
                List.of(
                    Sandbox.DAIMON.toString(), "run", "-p", pidFile().toString(), "sleep", "1000"),
                Map.of())
            .start();
    sandbox.awaitProgram("sleep");
    String record = record(run.pid(), false);
    assertThat(sandbox.file("web.guard")).content().isEqualTo(record);
    run.destroyForcibly().waitFor();
    Path broken = sandbox.script("broken", "#!/no/such/interpreter");

    assertThat(control("run", broken.toString()).exitCode()).isNotZero();
    assertThat(control("start", broken.toString()).exitCode()).isNotZero();
    assertThat(sandbox.file("web.guard")).content().isEqualTo(record);
  }

  @Test
  void thePidfileOfAKilledDaemonIsReportedAndRemoved() throws Exception {
    long pid = start("sleep", "1000");
    kill(pid);

    assertThat(control("status"))
        .isEqualTo(
            new Result(
                1,
                "dead: process %d has ended, and has left %s behind\n".formatted(pid, pidFile()),
                ""));
    assertThat(control("signal", "USR1"))
        .isEqualTo(
            new Result(
                3,
                "",
                "daimon: not running, so nobody got SIGUSR1: %s was left behind\n"
                    .formatted(pidFile())));
    assertThat(control("stop"))
        .isEqualTo(
            new Result(
                0,
                "",
                "daimon: it was not running; the pidfile that it had left behind is removed\n"));
    assertThat(pidFile()).doesNotExist();

    kill(start("sleep", "1000"));
    assertThat(control("restart", "sleep", "2000").exitCode()).isZero();
    assertThat(control("status").exitCode()).isZero();
  }

  private void kill(long pid) throws Exception {
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    sandbox.awaitEnd();
  }

  @ParameterizedTest
  @CsvSource({"USR1, USR1", "SIGUSR1, USR1", "10, USR1", "RTMIN+3, RTMIN+3", "37, RTMIN+3"})
  void aSignalReachesTheDaemon(String word, String got) throws Exception {
    long _ = startStubborn();

    assertThat(control("signal", word)).isEqualTo(DONE);

    awaitGot(got);
  }

  @Test
  void reloadIsHangup() throws Exception {
    long _ = startStubborn();

    assertThat(control("reload")).isEqualTo(DONE);

    awaitGot("HUP");
  }

  @Test
  void aStopEscalatesAndReportsThatItHadToKill() throws Exception {
    long pid = startStubborn();

    Result result =
        control("stop", "--timeout", "1s", "--then", "INT:1s", "--then", "KILL", "--session");

    assertThat(result)
        .isEqualTo(
            new Result(
                0,
                "",
                "daimon: process %d did not end by SIGTERM, SIGINT, and was killed\n"
                    .formatted(pid)));
    awaitGot("TERM", "INT");
    assertThat(pidFile()).doesNotExist();
    sandbox.awaitEnd();
  }

  @Test
  void nothingIsPrintedIfKillIsTheFirstSignal() throws Exception {
    long _ = start("sleep", "1000");

    assertThat(control("stop", "--signal", "KILL")).isEqualTo(DONE);
  }

  @Test
  void anInterruptedStopReportsThatASignalWasSent() throws Exception {
    long _ = startStubborn();
    for (String words : List.of("stop", "restart true")) {
      List<String> command = new ArrayList<>(List.of(Sandbox.DAIMON.toString()));
      command.addAll(List.of(words.split(" ", -1)));
      command.addAll(2, List.of("--pidfile", pidFile().toString()));
      Process process =
          sandbox.prepare(command, Map.of()).redirectError(sandbox.file("told").toFile()).start();
      Sandbox.await("TERM", () -> Files.readString(sandbox.file("got")).endsWith("TERM\n"));
      process.destroy();

      assertThat(process.waitFor()).isEqualTo(128 + 15);
      assertThat(sandbox.file("told"))
          .content()
          .startsWith("daimon: interrupted; what was sent to the daemon is not taken back")
          .hasLineCount(1);
      Files.writeString(sandbox.file("got"), "ready\n");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "-o /no/such/directory/log, 73",
    "-l held, 69",
    "-l /no/such/directory/lock, 73",
    "-e directory, 73",
    "-o other, 64"
  })
  void aRestartThatCannotWorkLeavesTheOldDaemonRunning(String words, int exitCode)
      throws Exception {
    long pid = start("sleep", "1000");
    Files.createDirectory(sandbox.file("directory"));
    Files.createLink(sandbox.file("other"), pidFile());
    Process holder =
        sandbox
            .prepare(
                List.of(
                    "flock",
                    "-o",
                    sandbox.file("held").toString(),
                    "-c",
                    "echo held; exec sleep 1000"),
                Map.of())
            .start();
    assertThat(holder.inputReader().readLine()).isEqualTo("held");
    String[] option = words.split(" ", -1);

    Result result =
        control(
            "restart", option[0], sandbox.directory().resolve(option[1]).toString(), "sleep", "1");

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(exitCode);
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1);
    assertThat(control("status").out()).startsWith("running: process " + pid + ",");
  }

  @Test
  void aRestartTakesOverTheLockFile() throws Exception {
    String lock = sandbox.file("lock").toString();
    long first = start("-l", lock, "sleep", "1000");

    assertThat(control("restart", "-l", lock, "sleep", "1000")).isEqualTo(DONE);

    assertThat(Sandbox.pid(pidFile())).isNotEqualTo(first);
    assertThat(control("status").exitCode()).isZero();
  }

  @Test
  @Tag("root")
  void aPidfileThatAnotherUserHasLeftIsNotTakenOver() throws Exception {
    Files.writeString(pidFile(), "4194000\n");
    Files.setAttribute(pidFile(), "unix:uid", 65534);
    Result refused =
        new Result(
            73,
            "",
            ("daimon: --pidfile: %s belongs to user 65534, but the program would run as user 0:"
                    + " remove the file\n")
                .formatted(pidFile()));

    assertThat(control("start", "touch", sandbox.file("ran").toString())).isEqualTo(refused);
    assertThat(control("start", "--dry-run", "true")).isEqualTo(refused);

    assertThat(sandbox.directory().toFile().list()).containsExactly("web.pid");
    assertThat(pidFile()).hasContent("4194000");
  }

  @Test
  @Tag("root")
  void withoutProcTheMessageSaysWhatIsMissing() throws Exception {
    for (String command : List.of("start -p /x true", "run true", "stop -p /x", "status -p /x")) {
      Result result =
          sandbox.shell(
              "exec unshare -m sh -c 'mount -t tmpfs none /proc; $daimon " + command + "'");

      assertThat(result)
          .isEqualTo(
              new Result(
                  command.startsWith("status") ? CANNOT_TELL : 71,
                  "",
                  "daimon: /proc is not mounted\n"));
    }
  }

  @Test
  void aStopThatMustNotKillGivesUp() throws Exception {
    long pid = startStubborn();

    Result result = control("stop", "--signal", "USR1", "--timeout", "300ms", "--then", "none");

    assertThat(result.exitCode()).isEqualTo(75);
    assertThat(result.err())
        .startsWith("daimon: process " + pid + " has not ended after 0.")
        .endsWith("s and SIGUSR1\n");
    awaitGot("USR1");
    assertThat(Sandbox.pid(pidFile())).isEqualTo(pid);
  }

  @Test
  void aStopAlsoEndsWhatAWrapperScriptHasStarted() throws Exception {
    sandbox.script("wrapper", "#!/bin/sh", "sleep 1000", "echo over");
    long _ = start(sandbox.file("wrapper").toString());
    sandbox.awaitProgram("sleep");

    assertThat(control("stop", "--timeout", "20s")).isEqualTo(DONE);

    assertThat(pidFile()).doesNotExist();
    sandbox.awaitEnd();
  }

  /** TERM has ended the daemon, so the message about KILL must not name it. */
  @Test
  void aChildThatHadToBeKilledIsNamed() throws Exception {
    long _ = start("sh", "-c", "(trap '' TERM; tail -f /dev/null) & exec sleep 1000");
    sandbox.awaitProgram("tail");
    sandbox.awaitProgram("sleep");

    Result result = control("stop", "--timeout", "400ms");

    assertThat(result.exitCode()).isZero();
    assertThat(result.err())
        .matches("daimon: process [0-9]+ did not end by SIGTERM, and was killed\n");
    assertThat(pidFile()).doesNotExist();
    sandbox.awaitEnd();
  }

  /** With a guard there is a record of the start; without one, the launcher has taken the lock. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theMessageNamesTheOptionForADeadDaemonWhoseChildrenHoldItsLock(boolean record)
      throws Exception {
    long pid = start("sh", "-c", "sleep 1000 & exec tail -f /dev/null");
    long child = sandbox.awaitProgram("sleep");
    sandbox.awaitProgram("tail");
    if (!record) {
      Files.delete(sandbox.file("web.guard"));
    }
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    Sandbox.await("the end", () -> sandbox.running("tail").isEmpty());
    String held =
        "process %d has ended, but %s is still locked by process %d (sleep)"
            .formatted(pid, pidFile(), child);

    assertThat(control("status")).isEqualTo(new Result(CANNOT_TELL, held + "\n", ""));
    for (String words : List.of("stop", "stop --pid-only", "restart true")) {
      String[] all = words.split(" ", -1);
      assertThat(control(all[0], List.of(all).subList(1, all.length).toArray(new String[0])))
          .isEqualTo(
              new Result(
                  CANNOT_TELL,
                  "",
                  "daimon: %s; to end what is left of its session: daimon stop --session -p %s\n"
                      .formatted(held, pidFile())));
    }
    assertThat(control("stop", "--session")).isEqualTo(DONE);

    assertThat(pidFile()).doesNotExist();
    sandbox.awaitEnd();
  }

  @Test
  void theSessionOfTheShellThatRunsADaemonIsNotStopped() throws Exception {
    Process shell =
        sandbox
            .prepare(
                List.of(
                    "setsid",
                    "sh",
                    "-c",
                    "\"$0\" run -p \"$1\" sleep 1000 & wait",
                    Sandbox.DAIMON.toString(),
                    pidFile().toString()),
                Map.of())
            .start();
    long daemon = sandbox.awaitProgram("sleep");

    Result refused = control("stop", "--session");

    assertThat(refused.exitCode()).isEqualTo(CANNOT_TELL);
    assertThat(refused.err())
        .startsWith("daimon: process " + daemon + " was started in the session of others")
        .hasLineCount(1);
    assertThat(control("stop")).isEqualTo(DONE);
    assertThat(shell.waitFor()).isZero();
  }

  @Test
  void jsonHasEveryKeyInEveryState() throws Exception {
    String nobody =
        "{\"state\":\"%s\",\"pidFile\":\"%s\",\"pid\":%s,\"startTime\":null,\"uptimeSeconds\":null,"
            + "\"commandLine\":[],\"user\":null,\"holders\":[],\"output\":[],\"reason\":\"%s\"}\n";
    assertThat(control("status", "--json").out())
        .isEqualTo(
            nobody.formatted(
                "not_running", pidFile(), "null", "not running: there is no " + pidFile()));

    long pid = start("-n", "a\"b\\c\td\u00e9", "sleep", "1000");
    sandbox.awaitProgram("sleep");

    assertThat(control("status", "--json").out())
        .matches(
            "\\{\"state\":\"running\",\"pidFile\":\"%s\",\"pid\":%d,\"startTime\":\"[-0-9T:.]+Z\","
                    .formatted(pidFile(), pid)
                + "\"uptimeSeconds\":\\d+,\"commandLine\":\\[\"a\\\\\"b\\\\\\\\c\\\\u0009d.+\","
                + "\"1000\"\\],\"user\":\"\\S+\",\"holders\":\\[\\],\"output\":\\[\\],"
                + "\"reason\":\"running: process "
                + pid
                + "\"\\}\n");

    kill(pid);
    assertThat(control("status", "--json").out())
        .isEqualTo(
            nobody.formatted(
                "dead",
                pidFile(),
                pid,
                "dead: process " + pid + " has ended, and has left " + pidFile() + " behind"));
  }

  @Test
  void waitEndsWithTheDaemon() throws Exception {
    long pid = start("sleep", "1000");
    assertThat(control("wait", "--timeout", "200ms"))
        .isEqualTo(
            new Result(75, "", "daimon: timed out after 200ms: running: process " + pid + "\n"));

    Process waiter =
        sandbox
            .prepare(
                List.of(Sandbox.DAIMON.toString(), "wait", "-p", pidFile().toString()), Map.of())
            .start();
    assertThat(waiter.waitFor(1, TimeUnit.SECONDS)).isFalse();
    ProcessHandle.of(pid).orElseThrow().destroy();

    assertThat(waiter.waitFor()).isZero();
    assertThat(control("wait").exitCode()).isZero();
  }

  @Test
  void aProgramThatDaemonizesItselfIsWaitedFor() throws Exception {
    sandbox.script(
        "self",
        """
        #!/bin/sh
        if [ "$1" = bad ]; then echo "no port" >&2; exit 3; fi
        exec 9<>"$1"
        flock -n 9 || exit 1
        umask >mask
        setsid sh -c 'echo $$ >&9; exec sleep 1000' </dev/null >/dev/null 2>&1 &
        """);
    String self = sandbox.file("self").toString();

    String here = sandbox.directory().toString();
    assertThat(control("start", "--self", "-m", "027", "-c", here, self, pidFile().toString()))
        .isEqualTo(DONE);
    assertThat(sandbox.file("mask")).content().endsWith("027\n");
    assertThat(control("status").exitCode()).isZero();
    assertThat(control("start", "--self", self, pidFile().toString()).exitCode()).isEqualTo(69);
    long first = Sandbox.pid(pidFile());
    assertThat(control("restart", "--self", "-c", here, self, pidFile().toString()))
        .isEqualTo(DONE);
    assertThat(sandbox.file("mask")).content().endsWith("022\n");
    assertThat(Sandbox.pid(pidFile())).isNotEqualTo(first);
    assertThat(control("stop")).isEqualTo(DONE);

    Result bad = control("start", "--self", self, "bad");
    assertThat(bad.exitCode()).isEqualTo(70);
    assertThat(bad.err()).startsWith("no port\ndaimon: " + self).hasLineCount(2).contains("3");
    Result nothing = control("start", "--self", "--start-timeout", "300ms", "true");
    assertThat(nothing.exitCode()).isEqualTo(70);
    assertThat(nothing.err()).contains("no daemon can be shown to run: there is no " + pidFile());
  }

  @ParameterizedTest
  @ValueSource(strings = {"--self false", "--ready exit false"})
  void aRestartOfAProgramThatDaemonizesItselfSaysWhetherTheOldDaemonIsStopped(String words)
      throws Exception {
    String[] split = words.split(" ", -1);
    long _ = start("sleep", "1000");

    Result failed = control("restart", split);
    Result again = control("restart", split);

    assertThat(failed.exitCode()).isEqualTo(70);
    assertThat(failed.err())
        .matches("daimon: .* has failed: exit code 1; the old daemon is stopped\n");
    assertThat(control("status").exitCode()).isEqualTo(3);
    assertThat(again.exitCode()).isEqualTo(70);
    assertThat(again.err()).endsWith(" has failed: exit code 1\n").doesNotContain("old daemon");
  }

  /** The daemon puts a directory in the place of its pidfile at its end. */
  @Test
  void aRestartThatIsRefusedAfterTheStopSaysSo() throws Exception {
    String script =
        "trap 'rm \"$0\"; mkdir \"$0\"; exit' TERM; touch trapped; while :; do sleep 0.02; done";
    String here = sandbox.directory().toString();
    long _ = start("-c", here, "--", "sh", "-c", script, pidFile().toString());
    Sandbox.await("its trap", () -> Files.exists(sandbox.file("trapped")));

    Result refused = control("restart", "sleep", "1000");

    assertThat(refused.exitCode()).isEqualTo(73);
    assertThat(refused.err())
        .startsWith("daimon: --pidfile: " + pidFile())
        .endsWith("; the old daemon is stopped\n")
        .hasLineCount(1);
    assertThat(sandbox.running("sleep")).isEmpty();
  }

  @Test
  void aDaemonThatLocksNothingIsControlledOnlyWithPidOnly() throws Exception {
    Process daemon = sandbox.prepare(List.of("sleep", "1000"), Map.of()).start();
    Files.writeString(pidFile(), daemon.pid() + "\n");

    Result status = control("status");
    assertThat(status.exitCode()).isEqualTo(CANNOT_TELL);
    assertThat(status.out()).contains("process " + daemon.pid(), "nobody has it locked");
    assertThat(control("stop").exitCode()).isEqualTo(CANNOT_TELL);
    assertThat(daemon.isAlive()).isTrue();

    assertThat(control("status", "--pid-only").exitCode()).isZero();
    assertThat(control("stop", "--pid-only")).isEqualTo(DONE);
    assertThat(daemon.waitFor()).isEqualTo(128 + 15);
    assertThat(pidFile()).doesNotExist();
  }

  @Test
  @Tag("root")
  void anotherUsersDaemonMayNotBeSignalled() throws Exception {
    String daimon = sandbox.publicDaimon().toString();
    assertThat(control("start", "--no-lock", "sleep", "1000")).isEqualTo(DONE);
    long pid = Sandbox.pid(pidFile());
    List<String> command = new ArrayList<>(ChildJvm.AS_NOBODY);
    command.addAll(List.of(daimon, "signal", "-p", pidFile().toString(), "--pid-only", "TERM"));

    assertThat(sandbox.run(command, Map.of()))
        .isEqualTo(
            new Result(
                77,
                "",
                "daimon: pidfd_send_signal " + pid + ": Operation not permitted (EPERM, 1)\n"));
  }

  @Test
  void aFileThatIsNoPidfileIsNotTouched() throws Exception {
    Path text = Files.writeString(pidFile(), "root:x:0:0:root:/root:/bin/bash\n");
    for (String command : List.of("stop", "reload", "status")) {
      assertThat(control(command).exitCode()).as(command).isEqualTo(CANNOT_TELL);
    }
    assertThat(control("restart", "true").exitCode()).isEqualTo(73);
    assertThat(text).hasContent("root:x:0:0:root:/root:/bin/bash");
  }

  @Test
  void twoRestartsAtOnceLeaveOneDaemon() throws Exception {
    long _ = start("sleep", "1000");
    List<Process> controllers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      controllers.add(
          sandbox
              .prepare(
                  List.of(
                      Sandbox.DAIMON.toString(),
                      "restart",
                      "-p",
                      pidFile().toString(),
                      "sleep",
                      "1000"),
                  Map.of())
              .redirectErrorStream(true)
              .redirectOutput(sandbox.file("told" + i).toFile())
              .start());
    }
    for (int i = 0; i < controllers.size(); i++) {
      assertThat(controllers.get(i).waitFor())
          .as(Sandbox.beginning(sandbox.file("told" + i)))
          .isZero();
    }

    Sandbox.await("one daemon", () -> sandbox.running("sleep").size() == 1);
    assertThat(Sandbox.pid(pidFile())).isEqualTo(sandbox.running("sleep").getFirst().pid());
  }

  @Test
  void everyActionWaitsForTheGuardButStatusDoesNot() throws Exception {
    Path guard = sandbox.file("other.guard");
    assertThat(control("start", "--guard", guard.toString(), "sleep", "1000")).isEqualTo(DONE);
    // With -o flock itself holds the lock, and not its child.
    Process holder =
        sandbox
            .prepare(
                List.of("flock", "-o", guard.toString(), "-c", "echo held; exec sleep 1000"),
                Map.of())
            .start();
    assertThat(holder.inputReader().readLine()).isEqualTo("held");
    List<Process> waiting = new ArrayList<>();
    for (String words : List.of("stop", "restart sleep 1", "start true")) {
      List<String> command = new ArrayList<>(List.of(Sandbox.DAIMON.toString()));
      List<String> split = List.of(words.split(" ", -1));
      command.add(split.getFirst());
      command.addAll(List.of("-p", pidFile().toString(), "--guard", guard.toString()));
      command.addAll(split.subList(1, split.size()));
      Process process = sandbox.prepare(command, Map.of()).start();
      waiting.add(process);
      assertThat(process.errorReader().readLine())
          .isEqualTo(
              "daimon: waiting for another action on this daemon, by process %d (flock);"
                      .formatted(holder.pid())
                  + " \"daimon signal\" does not have to wait");
    }
    assertThat(control("status").exitCode()).isZero();
    for (Process process : waiting) {
      // Not by Process.destroy, which would close the streams.
      process.toHandle().destroy();
      assertThat(process.waitFor()).isEqualTo(128 + 15);
    }
    assertThat(control("status").exitCode()).isZero();
    assertThat(control("signal", "--guard", guard.toString(), "KILL")).isEqualTo(DONE);
    Sandbox.await("the end", () -> control("status").exitCode() == 1);

    holder.destroyForcibly().waitFor();
  }

  /** By then the program runs, or has ended: the exit code must say so. */
  @ParameterizedTest
  @ValueSource(strings = {"start", "restart", "stop"})
  @Tag("strace")
  void aGuardThatCannotBeClosedChangesNothing(String action) throws Exception {
    if (!action.equals("start")) {
      long _ = start("sleep", "1000");
    }
    Path guard = sandbox.file("web.guard");
    List<String> command =
        new ArrayList<>(
            List.of("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-P", guard.toString()));
    // Before a restart holds the guard, it opens and closes the file three times: to read the
    // record
    // of the last start, to read who reads its output, and to create the file.
    command.addAll(
        List.of(
            "-e",
            "inject=close:error=EIO:when=" + (action.equals("restart") ? "4+" : "1+"),
            Sandbox.DAIMON.toString(),
            action,
            "-p",
            pidFile().toString()));
    if (!action.equals("stop")) {
      command.addAll(List.of("sleep", "1000"));
    }

    Result result = sandbox.run(command, Map.of());

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.err()).startsWith("daimon: warning: ").contains("EIO").hasLineCount(1);
    assertThat(control("status").exitCode()).isEqualTo(action.equals("stop") ? 3 : 0);
  }

  @Test
  void onATerminalTheTimeAndTheNextSignalAreShown() throws Exception {
    long pid = startStubborn();

    Result result =
        sandbox.run(
            List.of(
                "script",
                "-qec",
                "exec %s stop -p %s --timeout 1200ms --then KILL:5s --session"
                    .formatted(Sandbox.DAIMON, pidFile()),
                "/dev/null"),
            Map.of("TERM", "xterm"));

    assertThat(result.exitCode()).isZero();
    assertThat(result.out())
        .containsPattern(
            "\r\u001b\\[Kdaimon: stopping process " + pid + ": \\d s, SIGKILL in \\d s")
        .contains(
            "\r\u001b[Kdaimon: process " + pid + " did not end by SIGTERM, and was killed\r\n");
  }

  @Test
  void aTerminalThatCannotClearALineGetsNoProgress() throws Exception {
    long _ = startStubborn();

    Result result =
        sandbox.run(
            List.of(
                "script",
                "-qec",
                "exec %s stop -p %s --timeout 1200ms --then KILL:5s --session"
                    .formatted(Sandbox.DAIMON, pidFile()),
                "/dev/null"),
            Map.of("TERM", "dumb"));

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("did not end by SIGTERM").doesNotContain("\u001b");
  }

  @Test
  void onATerminalTheErrorOfARestartHasItsOwnLine() throws Exception {
    long pid = startStubborn();

    Result result =
        sandbox.run(
            List.of(
                "script",
                "-qec",
                "exec %s restart -p %s --timeout 1400ms --then none true"
                    .formatted(Sandbox.DAIMON, pidFile()),
                "/dev/null"),
            Map.of("TERM", "xterm"));

    assertThat(result.exitCode()).isEqualTo(75);
    assertThat(result.out())
        .contains(
            "\r\u001b[Kdaimon: stopping process " + pid + ": 1 s, giving up in 0 s\r\u001b[K",
            "\r\u001b[Kdaimon: process " + pid + " has not ended after 1.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "status",
        "stop",
        "stop -p relative",
        "stop -p /x extra",
        "stop -p /x --timeout",
        "stop -p /x --timeout soon",
        "stop -p /x --timeout -1s",
        "stop -p /x --signal FOO",
        "stop -p /x --then",
        "stop -p /x --then KILL:later",
        "stop -p /x --then none --then KILL",
        "stop -p /x --then TERM --then none",
        "stop -p /x --guard /x",
        "stop -p /x --json",
        "signal -p /x",
        "signal -p /x 0",
        "signal -p /x 65",
        "signal -p /x RTMIN+31",
        "signal -p /x HUP TERM",
        "reload -p /x HUP",
        "wait -p /x --timeout 1d",
        "status -p /x --guard /x",
        "restart /bin/true",
        "restart -p /x",
        "restart -p /x --no-lock true",
        "restart -p /x -f true",
        "restart -p /x --dry-run true",
        "start --self true",
        "start --guard /y true",
        "start -p /x --no-lock --guard /y true",
        "start -p /x --guard /x true",
        "start -p /x --self -u root true",
        "start -p /x --start-timeout 1s true",
        "start -p /x --pid-only true",
        "start -p /x.pid -l /x.guard true",
        "start -p /x -o /x.guard true",
        "restart -p /x.pid -e /x.guard true",
        "run -p /x.pid -o /x.guard true",
        "run --guard /y true"
      })
  void wrongWordsAreReportedInOneLine(String words) throws Exception {
    Result result = sandbox.daimon(words.split(" ", -1));

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(64);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).contains("help");
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "stop", "signal", "reload", "restart", "wait", "start", "run"})
  void theHelpIsPrintedByBothWords(String command) throws Exception {
    Result result = sandbox.daimon("help", command);

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).isEqualTo(Help.of(Objects.requireNonNull(Command.of(command))));
    assertThat(sandbox.daimon(command, "--help")).isEqualTo(result);
  }

  /** For such a path status prints one JSON object, and every command has the same exit code. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "mkdir $dir/web.pid",
        "mkfifo $dir/web.pid",
        "ln -s web.pid $dir/web.pid",
        "ln -s /dev/null $dir/web.pid",
        "touch $dir/file; ln -s file $dir/web.pid",
        "mknod $dir/web.pid c 1 3"
      })
  @Tag("root")
  void aPathThatIsNoRegularFileHasTheSameExitCodeByEachCommand(String prepare) throws Exception {
    assertThat(sandbox.shell(prepare).exitCode()).isZero();

    assertUnknown(control("status", "--json"));
    assertThat(control("status").exitCode()).isEqualTo(CANNOT_TELL);
    List<Result> refused =
        List.of(control("stop"), control("signal", "USR1"), control("reload"), control("wait"));
    for (Result result : refused) {
      assertThat(result.exitCode()).as(result.toString()).isEqualTo(73);
      assertThat(result.out()).isEmpty();
      assertThat(result.err())
          .startsWith("daimon: --pidfile: ")
          .hasLineCount(1)
          .contains(pidFile().toString());
    }
    assertThat(refused.stream().map(Result::err).distinct()).hasSize(1);
  }

  @Test
  @Tag("root")
  void aPidfileThatMayNotBeReadIsUnknown() throws Exception {
    Path daimon = sandbox.publicDaimon();
    Files.writeString(pidFile(), "1\n");
    Sandbox.openToAll(pidFile(), "rw-------");
    List<String> command =
        List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", daimon.toString());
    List<String> words = new ArrayList<>(command);
    words.addAll(List.of("status", "--json", "-p", pidFile().toString()));

    Result status = sandbox.run(words, Map.of());

    assertUnknown(status);
    assertThat(status.out()).contains("EACCES");
    words.set(command.size(), "wait");
    words.remove("--json");
    assertThat(sandbox.run(words, Map.of()).exitCode()).isEqualTo(73);
  }

  private void assertUnknown(Result status) {
    assertThat(status.exitCode()).isEqualTo(CANNOT_TELL);
    assertThat(status.err()).isEmpty();
    assertThat(status.out())
        .hasLineCount(1)
        .startsWith(
            "{\"state\":\"unknown\",\"pidFile\":\"%s\",\"pid\":null,\"startTime\":null,\"uptimeSeconds\":null,\"commandLine\":[],\"user\":null,\"holders\":[],\"output\":[],\"reason\":\""
                .formatted(pidFile()))
        .endsWith("\"}\n");
  }

  @Test
  void withOknodoADaemonThatRunsAlreadyIsSuccess() throws Exception {
    assertThat(control("start", "--oknodo", "sleep", "1000")).isEqualTo(DONE);

    Result again = control("start", "--oknodo", "sleep", "1000");

    assertThat(again.exitCode()).isZero();
    assertThat(again.out()).isEmpty();
    assertThat(again.err()).startsWith("daimon: already running").hasLineCount(1);
    assertThat(sandbox.running("sleep")).hasSize(1);
    assertThat(control("start", "--dry-run", "--oknodo", "sleep", "1000").exitCode()).isZero();
  }

  @Test
  void withOknodoAChildThatHasOutlivedTheDaemonIsNoSuccess() throws Exception {
    long pid = start("sh", "-c", "sleep 1000 & exec sleep 2000");
    Sandbox.await("both", () -> sandbox.running("sleep").size() == 2);
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    Sandbox.await("its end", () -> sandbox.running("sleep").size() == 1);

    assertThat(control("start", "--oknodo", "true").exitCode()).isNotZero();
  }

  /** Options may come before and after the signal. */
  @Test
  void wordsAndOptionsMayComeInAnyOrder() throws Exception {
    long _ = startStubborn();

    assertThat(sandbox.daimon("signal", "HUP", "-p", pidFile().toString())).isEqualTo(DONE);

    awaitGot("HUP");
  }

  @Test
  void aPidfileThatCannotBeReadIsUnknownToStatus() throws Exception {
    Files.createDirectory(pidFile());
    Result status = control("status");
    assertThat(status.exitCode()).isEqualTo(CANNOT_TELL);
    assertThat(status.err()).startsWith("daimon: ").contains(pidFile().toString());
    Result stop = control("stop");
    assertThat(stop.exitCode()).isEqualTo(73);
    assertThat(stop.err()).startsWith("daimon: ").hasLineCount(1);
    assertThat(sandbox.file("web.guard")).doesNotExist();
  }
}
