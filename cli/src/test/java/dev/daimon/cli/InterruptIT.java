package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A start that is interrupted is undone or complete, and its exit status says which. */
class InterruptIT {
  private static final int NO_PROGRAM = 66;
  private static final int LAST_MILLIS = 240;
  private static final int STEP_MILLIS = 40;
  private static final int KILLED = 137;

  private static final boolean AARCH64 = "aarch64".equals(System.getProperty("os.arch"));

  /** The system call's number. */
  private static final String UMASK = AARCH64 ? "166" : "95";

  /** On AArch64 the C library calls {@code epoll_pwait}. */
  private static final String EPOLL_WAIT = AARCH64 ? "22" : "232";

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  /** The moments range from before the JVM starts to after it has ended. */
  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM", "HUP", "KILL"})
  void aSignalToTheLauncherMayComeAtAnyMoment(String signal) throws Exception {
    for (int delay = 0; delay <= LAST_MILLIS; delay += STEP_MILLIS) {
      Process launcher = launch(List.of(Sandbox.DAIMON.toString()));
      pause(delay);
      kill(signal, launcher.pid());
      assertUndoneOrComplete(launcher.waitFor(), signal + " after " + delay + " ms");
    }
  }

  /** Ctrl-C, and the end of a terminal, send a signal to all processes of the job. */
  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM", "HUP"})
  void aSignalToTheWholeGroupMayComeAtAnyMoment(String signal) throws Exception {
    for (int delay = 0; delay <= LAST_MILLIS; delay += STEP_MILLIS) {
      Process launcher = launch(List.of("setsid", Sandbox.DAIMON.toString()));
      // Not before the launcher leads its own group.
      Sandbox.await("its group", () -> !launcher.isAlive() || leadsGroup(launcher.pid()));
      pause(delay);
      kill(signal, -launcher.pid());
      assertUndoneOrComplete(launcher.waitFor(), signal + " after " + delay + " ms");
    }
  }

  @Test
  void controlCMayComeAtAnyMoment() throws Exception {
    for (int delay = 0; delay <= LAST_MILLIS; delay += STEP_MILLIS) {
      List<String> words = words(List.of(Sandbox.DAIMON.toString()));
      Process terminal =
          sandbox
              // exec: a shell would die of the signal, whatever the launcher does.
              .prepare(
                  List.of("script", "-qec", "exec " + String.join(" ", words), "/dev/null"),
                  Map.of())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      pause(delay);
      type(terminal.getOutputStream(), 3);
      assertUndoneOrComplete(terminal.waitFor(), "Ctrl-C after " + delay + " ms");
    }
  }

  /** Delays make each moment long enough to be hit; the second one delays the JVM's shutdown. */
  @ParameterizedTest
  @CsvSource({
    "locked, flock:delay_exit=600000, TERM",
    "locked, flock:delay_exit=600000, KILL",
    "started, pwrite64:delay_enter=600000, INT",
    "started, pwrite64:delay_enter=600000, TERM",
    "started, pwrite64:delay_enter=600000, HUP",
    "started, pwrite64:delay_enter=600000, KILL",
    "written, pwrite64:delay_exit=600000, INT",
    "written, pwrite64:delay_exit=600000, TERM",
    "written, pwrite64:delay_exit=600000, HUP",
    "written, pwrite64:delay_exit=600000, KILL",
    "written, pwrite64:delay_exit=300000 clone3:delay_enter=200000, TERM",
    "written, exit_group:delay_enter=300000, TERM",
    "written, exit_group:delay_enter=300000, KILL",
  })
  @Tag("strace")
  void aSignalMayComeAtTheWorstMoment(String moment, String delays, String signal)
      throws Exception {
    Path pidFile = sandbox.file("pid");
    Process launcher =
        sandbox.slowed(
            List.of(delays.split(" ", -1)), "start", "-p", pidFile.toString(), "sleep", "60");
    Sandbox.await(
        moment,
        () ->
            switch (moment) {
              case "locked" -> Sandbox.isListedAsLocked(pidFile);
              case "started" -> !sandbox.running("sleep").isEmpty();
              default -> Files.exists(pidFile) && Files.size(pidFile) > 0;
            });
    kill(signal, launcher.pid());

    assertUndoneOrComplete(launcher.waitFor(), signal + " when " + moment);
  }

  /** Java is a script here, which runs until a signal ends it; the launcher script cannot tell. */
  @ParameterizedTest
  @CsvSource({"TERM, start, 143", "INT, start, 130", "HUP, start, 129", "TERM, start -f, 143"})
  void anInterruptedStartReportsThatNothingWasStarted(String signal, String command, int status)
      throws Exception {
    Path daimon = daimonWithJava("exec sleep 1000");
    Process launcher = launchTold(List.of(daimon.toString()), command);
    sandbox.awaitProgram("sleep");

    kill(signal, launcher.pid());

    assertThat(launcher.waitFor()).isEqualTo(status);
    assertThat(Sandbox.beginning(sandbox.file("told")))
        .isEqualTo("daimon: interrupted; nothing was started\n");
    assertThat(sandbox.processes()).isEmpty();
  }

  /** With the real java, at the last moment before it ignores signals. */
  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130", "HUP, 129"})
  @Tag("strace")
  void beforeTheFirstChangeASignalEndsTheStart(String signal, int status) throws Exception {
    Path pidFile = sandbox.file("pid");
    // The first call of umask is made right before the signals are ignored.
    Process launcher =
        sandbox.halted("umask:delay_enter", null, "start", "-p", pidFile.toString(), "sleep", "60");
    Sandbox.await("the launch", () -> inCall("java", UMASK));
    kill(signal, launcher.pid());
    // Strace delays one thread of the JVM; another thread takes the signal.
    Sandbox.await("its end", () -> sandbox.running("java").isEmpty());
    sandbox.goOn();

    assertThat(launcher.waitFor()).isEqualTo(status);
    assertThat(Sandbox.beginning(sandbox.file("slowed.err")))
        .contains("daimon: interrupted; nothing was started\n")
        .doesNotContain("failed", "rap");
    assertThat(pidFile).doesNotExist();
    sandbox.awaitEnd();
  }

  /** Then the program is not run in place of the launcher script. */
  @Test
  @Tag("strace")
  void aSignalBeforeTheExecOfAForegroundStartEndsIt() throws Exception {
    Path daimon =
        daimonWithJava(
            "case $* in *daimon.copy*) exec sleep 1000 ;; esac",
            "touch " + sandbox.file("verdict"),
            "exit 122");
    for (int delay = 0; delay <= LAST_MILLIS; delay += STEP_MILLIS) {
      Files.deleteIfExists(sandbox.file("verdict"));
      Process launcher =
          launchTold(
              List.of(
                  "strace -D -qq -o /dev/null -e trace=rt_sigaction"
                      .concat(" -e inject=rt_sigaction:delay_exit=20000 ")
                      .concat(daimon.toString())
                      .split(" ", -1)),
              "start -f");
      Sandbox.await("the verdict", () -> Files.exists(sandbox.file("verdict")));
      pause(delay);
      kill("TERM", launcher.pid());

      String when = "TERM after " + delay + " ms";
      assertThat(launcher.waitFor(20, TimeUnit.SECONDS)).as(when).isTrue();
      assertThat(launcher.exitValue()).as(when).isEqualTo(143);
      sandbox.awaitEnd();
    }
  }

  @Test
  @Tag("strace")
  void aStartThatHasLockedItsPidfileIsCompleted() throws Exception {
    Path pidFile = sandbox.file("pid");
    Process launcher =
        sandbox.slowed(
            List.of("flock:delay_exit=1000000"), "start", "-p", pidFile.toString(), "sleep", "60");
    Sandbox.await("the lock", () -> Sandbox.isListedAsLocked(pidFile));
    kill("TERM", launcher.pid());

    assertThat(launcher.waitFor()).isZero();
    assertThat(Sandbox.beginning(sandbox.file("slowed.err"))).isEmpty();
    assertUndoneOrComplete(0, "interrupted while it was locked");
  }

  @Test
  @Tag("strace")
  void aJvmThatIsKilledIsReportedInOneLine() throws Exception {
    Path pidFile = sandbox.file("pid");
    Process launcher =
        sandbox.halted("umask:delay_enter", null, "start", "-p", pidFile.toString(), "sleep", "60");
    Sandbox.await("the launch", () -> inCall("java", UMASK));
    kill("KILL", sandbox.running("java").getFirst().pid());
    sandbox.goOn();

    assertThat(launcher.waitFor()).isEqualTo(71);
    // Strace itself may print a line.
    assertThat(Sandbox.beginning(sandbox.file("slowed.err")).lines())
        .filteredOn(line -> !line.startsWith("strace: "))
        .containsExactly(
            "daimon: java has failed (status 137); whether the program runs is not known");
    assertThat(pidFile).doesNotExist();
    sandbox.awaitEnd();
  }

  @Test
  void underNohupAHangupChangesNothing() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "nohup $daimon start -p $dir/pid sleep 60 & p=$!;"
                + " for i in 1 2 3 4 5 6 7 8; do sleep .01; kill -HUP $p 2>/dev/null; done;"
                + " wait $p");

    // The first signal may come before nohup has taken effect.
    assertUndoneOrComplete(result.exitCode(), "nohup");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "set -m; $daimon start -p $dir/pid sleep 60",
        "set -m; $daimon start -p $dir/pid sleep 60 & wait $!",
        "$daimon start -p $dir/pid sleep 60 & wait $!",
        "set -m; ($daimon start -p $dir/pid sleep 60)",
        "set -m; $daimon start -p $dir/pid sleep 60 | cat",
        "bash --norc -ic '$daimon start -p $dir/pid sleep 60' 2>/dev/null",
        "bash --norc -ic '$daimon start -p $dir/pid sleep 60 & wait $!' 2>/dev/null",
        "script -qec 'bash --norc -ic \"$daimon start -p $dir/pid sleep 60\"' /dev/null </dev/null",
        "setsid --wait $daimon start -p $dir/pid sleep 60",
        "$java -jar $jar start -p $dir/pid sleep 60",
        "set -m; $java -jar $jar start -p $dir/pid sleep 60",
        "set -m; $java -jar $jar start -p $dir/pid sleep 60 & wait $!",
        "setsid --wait $java -jar $jar start -p $dir/pid sleep 60",
      })
  void fromAnyKindOfJobTheProgramIsADaemon(String script) throws Exception {
    ProcessSandbox.Result result = shell(script);

    assertThat(result.exitCode()).as(result.err()).isZero();
    long pid = Sandbox.pid(sandbox.file("pid"));
    assertThat(Sandbox.stat(pid, 4)).as("parent").isEqualTo(1);
    assertThat(Sandbox.stat(pid, 6)).as("session").isNotEqualTo(pid);
    assertThat(Sandbox.stat(pid, 7)).as("terminal").isZero();
    assertThat(sandbox.running("sleep")).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "set -m; $daimon start -p $dir/pid $dir/missing",
        "$java -jar $jar start -p $dir/pid $dir/missing",
        "set -m; $java -jar $jar start -p $dir/pid $dir/missing",
      })
  void fromAnyKindOfJobTheExitCodeIsReturned(String script) throws Exception {
    ProcessSandbox.Result result = shell(script);

    assertThat(result.exitCode()).isEqualTo(NO_PROGRAM);
    assertThat(result.err()).startsWith("daimon: ").contains("missing").hasLineCount(1);
    assertThat(sandbox.file("pid")).doesNotExist();
  }

  /** Ctrl-Z, and fg some time later. */
  @ParameterizedTest
  @ValueSource(strings = {"0", "0.02", "0.05", "0.1", "0.2"})
  void aStoppedStartGoesOnWhenItIsContinued(String delay) throws Exception {
    ProcessSandbox.Result result =
        shell(
            "set -m; $daimon start -p $dir/pid sleep 60 & p=$!;"
                + (" sleep " + delay + "; kill -TSTP -- -$p 2>/dev/null;")
                + " sleep .1; kill -CONT -- -$p 2>/dev/null;"
                // 148: it was stopped. Not "wait -f", which prints messages about that without end.
                + " while wait $p; s=$?; [ $s -eq 148 ]; do sleep .01; done; exit $s");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertUndoneOrComplete(0, "stopped after " + delay);
  }

  /** Without the launcher script, as leader of a process group (then it spawns itself) or not. */
  @ParameterizedTest
  @CsvSource({"TERM, env", "TERM, setsid", "INT, env", "INT, setsid", "HUP, setsid"})
  void aSignalToTheJvmMayComeAtAnyMoment(String signal, String prefix) throws Exception {
    for (int delay = 0; delay <= 3 * LAST_MILLIS; delay += 3 * STEP_MILLIS) {
      Process jvm = launch(List.of(prefix, java(), "-jar", jar()));
      Sandbox.await(
          "its group", () -> "env".equals(prefix) || !jvm.isAlive() || leadsGroup(jvm.pid()));
      pause(delay);
      kill(signal, jvm.pid());
      assertUndoneOrComplete(jvm.waitFor(), signal + " after " + delay + " ms");
    }
  }

  private void assertUndoneOrComplete(int exitCode, String when) throws Exception {
    Path pidFile = sandbox.file("pid");
    if (exitCode == 0) {
      List<ProcessHandle> daemons = sandbox.running("sleep");
      assertThat(daemons).as(when).hasSize(1);
      assertThat(Sandbox.pid(pidFile)).as(when).isEqualTo(daemons.getFirst().pid());
      assertThat(Sandbox.isLocked(pidFile)).as(when).isTrue();
    } else if (exitCode == KILLED) {
      // The launcher was killed: the start may be undone or complete, but not half done.
      Sandbox.await("the launcher's JVM to end", () -> sandbox.running("java").isEmpty());
      List<ProcessHandle> daemons = sandbox.running("sleep");
      assertThat(daemons).as(when).hasSizeLessThan(2);
      if (daemons.isEmpty()) {
        assertNothingLeft(when);
      } else {
        assertThat(Sandbox.pid(pidFile)).as(when).isEqualTo(daemons.getFirst().pid());
      }
    } else {
      assertThat(sandbox.running("sleep")).as(when + ", status " + exitCode).isEmpty();
      assertNothingLeft(when);
    }
    for (ProcessHandle daemon : sandbox.running("sleep")) {
      daemon.destroyForcibly();
    }
    Sandbox.await("the daemon's end", () -> sandbox.running("sleep").isEmpty());
    Files.deleteIfExists(pidFile);
  }

  /** Something that can be killed alone kills the launcher: a time-out of Python, for instance. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "stop -p $dir/pid --timeout 1h",
        "restart -p $dir/pid --timeout 1h sleep 60",
        "wait -p $dir/pid"
      })
  void aCommandThatWaitsEndsWithItsLauncher(String command) throws Exception {
    long daemon =
        sandbox.start(
            "sh",
            "-c",
            "trap 'echo >>" + sandbox.file("asked") + "' TERM; while :; do sleep 1; done");
    List<String> words = new ArrayList<>(List.of(Sandbox.DAIMON.toString()));
    words.addAll(List.of(command.replace("$dir", sandbox.directory().toString()).split(" ", -1)));
    Process launcher = sandbox.prepare(words, Map.of()).start();
    Sandbox.await(
        "the wait",
        () ->
            command.startsWith("wait")
                ? inCall("java", EPOLL_WAIT)
                : Files.exists(sandbox.file("asked")));

    kill("KILL", launcher.pid());

    Sandbox.await("the end of its JVM", () -> sandbox.running("java").isEmpty());
    assertThat(Sandbox.pid(sandbox.file("pid"))).isEqualTo(daemon);
    assertThat(Sandbox.isLocked(sandbox.file("pid"))).isTrue();
  }

  /** Tells whether a process of this name is in this system call. */
  private boolean inCall(String program, String number) throws IOException {
    for (ProcessHandle process : sandbox.running(program)) {
      try (DirectoryStream<Path> threads =
          Files.newDirectoryStream(Path.of("/proc/" + process.pid() + "/task"))) {
        for (Path thread : threads) {
          if (Files.readString(thread.resolve("syscall")).startsWith(number + " ")) {
            return true;
          }
        }
      } catch (IOException gone) {
        return false;
      }
    }
    return false;
  }

  /** A copy of the command, whose java is a script. */
  private Path daimonWithJava(String... lines) throws Exception {
    Path daimon = sandbox.publicDaimon();
    Path home = Files.createDirectories(sandbox.file("jdk/bin")).getParent();
    sandbox.script("jdk/bin/java", "#!/bin/sh\n" + String.join("\n", lines));
    Files.writeString(sandbox.file("dist/lib/jdk"), home + "\n");
    return daimon;
  }

  private Process launchTold(List<String> daimon, String command) throws Exception {
    List<String> words = new ArrayList<>(daimon);
    words.addAll(List.of(command.split(" ", -1)));
    words.add("true");
    return sandbox
        .prepare(words, Map.of())
        .redirectErrorStream(true)
        .redirectOutput(sandbox.file("told").toFile())
        .start();
  }

  private void assertNothingLeft(String when) throws Exception {
    Path pidFile = sandbox.file("pid");
    assertThat(Files.exists(pidFile) ? Files.readString(pidFile) : "").as(when).isEmpty();
    assertThat(Sandbox.isLocked(pidFile)).as(when).isFalse();
  }

  private Process launch(List<String> command) throws Exception {
    return sandbox
        .prepare(words(command), Map.of())
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private List<String> words(List<String> command) {
    List<String> words = new ArrayList<>(command);
    words.addAll(List.of("start", "-p", sandbox.file("pid").toString(), "sleep", "60"));
    return words;
  }

  private ProcessSandbox.Result shell(String script) throws Exception {
    return sandbox.shell("export java=" + java() + " jar=" + jar() + "; " + script);
  }

  private static String java() {
    return System.getProperty("java.home") + "/bin/java";
  }

  private static String jar() {
    return Sandbox.DAIMON.getParent().getParent().resolveSibling("daimon.jar").toString();
  }

  private static boolean leadsGroup(long pid) {
    try {
      return Sandbox.stat(pid, 5) == pid;
    } catch (IOException gone) {
      return true;
    }
  }

  private static void type(OutputStream keyboard, int key) {
    try (keyboard) {
      keyboard.write(key);
      keyboard.flush();
    } catch (IOException over) {
      // The process that was to get the signal has ended.
      return;
    }
  }

  /** Sleeps: the moment of the signal is what is tested, so there is no event to wait for. */
  private static void pause(int millis) throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(millis);
  }

  private static void kill(String signal, long pid) throws Exception {
    // It may have ended already.
    new ProcessBuilder("sh", "-c", "kill -s " + signal + " -- " + pid)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }
}
