package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.control.Guard;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Output that goes through a pipe to a program, the reader: {@code -o '|COMMAND'}, syslog. */
class PipedOutputIT {
  private static final ProcessSandbox.Result SILENT = new ProcessSandbox.Result(0, "", "");

  /** A reader that begins when there is a file {@code go}, and then writes to a file. */
  private static final String SLOW =
      "'|sh -c \"until [ -e $dir/go ]; do sleep 0.02; done; cat >>$dir/log\"'";

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  /**
   * With its session, the daemon leaves a child that has the pipe open, too. Of the {@code sleep}
   * that the stop of the session ends, a shell says "Terminated" to its standard error: elsewhere.
   */
  @ParameterizedTest
  @CsvSource({"stop, ''", "stop --session, sleep 1000 &", "restart, ''"})
  void everyByteIsReadWhenTheStopIsOver(String command, String child) throws Exception {
    start(
        "-o "
            + SLOW
            + " -- sh -c 'exec 3>&2 2>/dev/null; "
            + "trap \"echo >$dir/dying; printf %01000000d 0; echo end >&3; exit\" TERM; "
            + child
            + " echo begun; while :; do sleep 0.02; done'");
    String program = command.equals("restart") ? " -- sleep 1000" : "";
    Process stop = command(command + " -p $dir/pid" + program);
    // It has got its signal, and its last words do not fit into the pipe.
    Sandbox.await("the signal", () -> Files.exists(sandbox.file("dying")));

    Files.createFile(sandbox.file("go"));

    assertThat(stop.waitFor()).isZero();
    assertThat(stop.errorReader().readLine()).isNull();
    assertThat(sandbox.file("log")).hasSize("begun\n".length() + 1_000_000 + "end\n".length());
  }

  @Test
  void theStopOfADaemonThatHasCrashedWaitsForItsLastWords() throws Exception {
    crash();
    assertThat(daimon("status", "--json").out())
        .contains("\"output\":[{\"stream\":\"stdout\",\"command\":\"|sh -c ")
        .contains("\"running\":true");

    Process stop = command("stop -p $dir/pid");
    Sandbox.await("the removal", () -> !Files.exists(sandbox.file("pid")));
    Files.createFile(sandbox.file("go"));

    // A stop that has not waited says so.
    assertThat(new String(stop.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
        .doesNotContain("still reads");
    assertThat(stop.waitFor()).isZero();
    assertThat(sandbox.file("log")).hasContent("last words\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "restart"})
  void aReaderThatStillReadsDoesNotKeepTheNextDaemonFromStarting(String command) throws Exception {
    crash();

    ProcessSandbox.Result next = daimon(command, "--", "sleep", "1000");
    assertThat(next.exitCode()).isZero();
    assertThat(next.err()).doesNotContain("still reads");

    assertThat(daimon("status", "--json").out()).contains("\"output\":[]");
    Files.createFile(sandbox.file("go"));
    Sandbox.await("the rest", () -> Files.exists(sandbox.file("log")));
    Sandbox.await("the rest", () -> Files.size(sandbox.file("log")) == "last words\n".length());
  }

  private void crash() throws Exception {
    start("-o " + SLOW + " -- sh -c 'echo last words; kill -KILL $$'");
    Sandbox.await("the crash", () -> daimon("status").exitCode() == 1);
  }

  @Test
  void aReaderThatNeverReadsIsNamedAndOnlyTheStopOfTheSessionEndsIt() throws Exception {
    start("-o '|sleep 1001' -- sh -c 'exec tail -f /dev/null >/dev/null 2>&1'");
    long first = reader();
    // Also of a daemon that has redirected its output since.
    assertThat(daimon("status", "--json").out()).contains("\"command\":\"|sleep 1001\"");
    String warning =
        "daimon: warning: process " + first + " (|sleep 1001) still reads what the daemon has";
    ProcessSandbox.Result stop = daimon("stop", "--timeout", "2s", "--then", "KILL:2s");
    assertThat(stop.exitCode()).isZero();
    assertThat(stop.err()).startsWith(warning);

    start("-o '|sleep 1002' -- sh -c 'tail -f /dev/null & exec tail -f /dev/null'");
    ProcessSandbox.Result all =
        daimon("stop", "--session", "--timeout", "100ms", "--then", "KILL:60s");

    assertThat(all.exitCode()).as(all.toString()).isZero();
    assertThat(sandbox.processes()).extracting(ProcessHandle::pid).containsExactly(first);
  }

  @Test
  void aReaderThatOutlivesTheStopIsKnownUntilTheNextStart() throws Exception {
    start("-o '|sleep 1004' -- sleep 1000");
    long reader = reader();
    assertThat(daimon("stop", "--timeout", "0s", "--then", "KILL:0s").exitCode()).isZero();

    assertThat(daimon("status").out())
        .endsWith("; output: |sleep 1004, process " + reader + ", still reads\n");
    assertThat(daimon("status", "--json").out()).contains("\"pid\":" + reader);
    ProcessSandbox.Result stop = daimon("stop", "--timeout", "0s", "--then", "KILL:0s");
    assertThat(stop.err()).contains("process " + reader + " (|sleep 1004) still reads");
    assertThat(daimon("stop", "--session").exitCode()).isZero();

    assertThat(sandbox.processes()).isEmpty();
    assertThat(daimon("status", "--json").out()).contains("\"output\":[]");
  }

  /** Such as what a shell has put into the background, and what has made its own session. */
  @Test
  void aStartThatFailsEndsWhatTheProgramHasStarted() throws Exception {
    String program = "setsid sleep 1005 & sleep 1006 & touch " + sandbox.file("started") + "; wait";
    int tries = 0;
    while (!Files.exists(sandbox.file("started")) && tries++ < 100) {
      ProcessSandbox.Result start = daimon("start", "-o", "|false", "--", "sh", "-c", program);
      assertThat(start.exitCode()).as(start.toString()).isEqualTo(70);

      assertThat(sandbox.processes()).isEmpty();
    }
    assertThat(sandbox.file("started")).exists();
  }

  @Test
  void aStopOfTheSessionThatHasSpentItsLastSignalSendsItToTheReader() throws Exception {
    start("-o '|sleep 1003' -- sh -c 'trap \"\" TERM; while :; do sleep 0.02; done'");

    ProcessSandbox.Result stop =
        daimon("stop", "--session", "--timeout", "100ms", "--then", "KILL:5s");

    assertThat(stop.exitCode()).as(stop.toString()).isZero();
    assertThat(sandbox.file("pid")).doesNotExist();
    assertThat(sandbox.processes()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      quoteCharacter = '~',
      value = {
        "''# '|sh -c \"exit 3\"'# 70# --stdout: |sh -c \"exit 3\"# has ended with exit code 3 before",
        "''# '|sh -c \"kill -9 $$\"'# 70# --stdout: |sh -c# has ended with signal 9 before",
        "-e $dir/e# '|sh -c \"echo why >&2; exit 4\"'# 70# exit code 4# why",
        "''# '|/nonexistent/reader -x'# 66# --stdout: /nonexistent/reader# No such file",
        "''# '| '# 64# --stdout wants a program after |# |logger -t web",
        "''# '|x \"y'# 64# --stdout# the quote \" is not closed",
        "''# syslog:mail.loud# 64# --stdout wants a level# emerg, alert, crit",
        "''# syslog:kern# 64# --stdout wants a facility# local7",
        "--sigpipe# $dir/log# 64# --sigpipe needs --stdout# |COMMAND",
        "--ready log:x# '|cat'# 64# --ready log: needs# with a file",
        "--self# '|cat'# 64# --self and --stdout exclude each other# itself",
      })
  void aStartFailsWithItsReader(String options, String output, int code, String what, String more)
      throws Exception {
    String ready = code == 70 ? " --ready alive:60s" : "";
    ProcessSandbox.Result result =
        sandbox.shell(
            "$daimon start -p $dir/pid "
                + (options.equals("''") ? "" : options)
                + ready
                + " -o "
                + output
                + " -- sleep 1000");

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(code);
    assertThat(result.err()).contains(what).contains(more);
    assertThat(sandbox.file("pid")).doesNotExist();
    sandbox.awaitEnd();
  }

  /** Bash as init reaps the reader at once, so that its process id may be another's. */
  @Test
  @Tag("root")
  void underAnInitThatReapsRunTellsThatItsReaderHasEnded() throws Exception {
    sandbox.script(
        "init",
        "for i in 1 2 3 4 5 6; do",
        "$daimon run -p $dir/pid -o '|true' -- true; echo $?",
        "done");

    ProcessSandbox.Result result = sandbox.shell("unshare -m -p -f --mount-proc bash $dir/init");

    // Now and then the reader outlives the start.
    assertThat(result.out().lines()).as(result.toString()).hasSize(6).isSubsetOf("0", "70");
    assertThat(result.err()).contains("|true, process ").doesNotContain("pidfd_open");
  }

  @Test
  void aStartThatFailsEndsTheReaderWhenItHasReadAll() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "$daimon start -p $dir/pid --ready alive:60s"
                + " -o '|sh -c \"sleep 0.3; cat >$dir/log\"' -- sh -c 'echo why; exit 5'");

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(70);
    assertThat(result.err()).contains("has ended with exit code 5").doesNotContain("discarded");
    assertThat(sandbox.file("log")).hasContent("why\n");
    assertThat(sandbox.processes()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"'', true", "--sigpipe, false"})
  void theDaemonOutlivesItsReaderUnlessItWantsSigpipe(String option, boolean lives)
      throws Exception {
    start(
        option
            + " -o '|cat' -- sh -c 'until [ -e $dir/go ]; do sleep 0.02; done;"
            + " echo lost; echo lost; echo lived >$dir/told; exec sleep 1000'");
    assertThat(Long.parseLong(Sandbox.status(Sandbox.pid(sandbox.file("pid")), "SigIgn"), 16))
        .isEqualTo(lives ? 1 << 12 : 0);

    ProcessHandle.of(reader()).orElseThrow().destroy();
    Sandbox.await("the words", () -> daimon("status").out().endsWith("; output: |cat has ended\n"));
    Files.createFile(sandbox.file("go"));

    if (lives) {
      Sandbox.await("its words", () -> Files.exists(sandbox.file("told")));
      assertThat(daimon("status", "--json").out()).contains("\"running\":false");
      assertThat(daimon("stop")).isEqualTo(SILENT);
    } else {
      Sandbox.await("its end", () -> daimon("status").exitCode() == 1);
      assertThat(sandbox.file("told")).doesNotExist();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void eachStreamHasItsReaderWhichHasThePipeAloneAndIsNoChildOfTheDaemon(String command)
      throws Exception {
    Process launcher =
        command(
            command
                + " -p $dir/pid -l $dir/lock --no-close-fds --listen unix:$dir/sock"
                + " -E GREETING=hello -c $dir -m 027"
                + " -o '|tail -n 1000' -e '|cat' -- sleep 1000 7</dev/null");
    long daemon = sandbox.awaitProgram("sleep");
    List<ProcessHandle> readers = new ArrayList<>(sandbox.running("tail"));
    readers.addAll(sandbox.running("cat"));
    assertThat(readers).hasSize(2);
    for (ProcessHandle each : readers) {
      long reader = each.pid();
      String pipe = Sandbox.descriptors(daemon).get(readers.indexOf(each) + 1);
      assertThat(Sandbox.descriptors(reader))
          .containsOnlyKeys(0, 1, 2)
          .containsEntry(0, pipe)
          .containsEntry(1, "/dev/null");
      assertThat(Sandbox.stat(reader, 6)).as("session").isEqualTo(Sandbox.stat(daemon, 6));
      assertThat(Sandbox.stat(reader, 5)).as("group").isNotEqualTo(Sandbox.stat(daemon, 5));
      assertThat(Sandbox.stat(reader, 4)).as("parent").isNotEqualTo(daemon);
      assertThat(Sandbox.strings(Path.of("/proc/" + reader + "/environ")))
          .contains("GREETING=hello")
          .noneMatch(variable -> variable.startsWith("LISTEN_"));
      assertThat(Path.of("/proc/" + reader + "/cwd").toRealPath()).isEqualTo(sandbox.directory());
      assertThat(Sandbox.status(reader, "Umask")).isEqualTo("0027");
    }
    ProcessHandle.of(daemon).orElseThrow().destroy();
    launcher.waitFor();
    sandbox.awaitEnd();
  }

  @Test
  @Tag("root")
  void theReaderHasTheRightsOfTheDaemon() throws Exception {
    start(
        "--pidfile-owner root -u nobody --keep-cap NET_RAW --no-new-privs --nice 7"
            + " --rlimit nofile=77 -o '|cat' -- sleep 1000");
    long daemon = Sandbox.pid(sandbox.file("pid"));
    long reader = reader();

    for (String field : List.of("Uid", "Gid", "Groups", "CapEff", "CapPrm", "NoNewPrivs")) {
      assertThat(Sandbox.status(reader, field)).isEqualTo(Sandbox.status(daemon, field));
    }
    assertThat(Sandbox.status(reader, "Uid")).startsWith(TestUser.output("id", "-u", "nobody"));
    assertThat(Sandbox.stat(reader, 19)).as("niceness").isEqualTo(7);
    assertThat(Files.readString(Path.of("/proc/" + reader + "/limits")))
        .containsPattern("Max open files +77 +77");
  }

  /** With a /dev of its own, in which /dev/log is a socket of this test. */
  @Test
  @Tag("root")
  void syslogGetsEachStreamAtItsLevelAndAllThatWasSaid() throws Exception {
    sandbox.script(
        "hidden",
        "set -e; mkdir $dir/dev; mount -t tmpfs none $dir/dev",
        "for f in null zero random urandom; do",
        "touch $dir/dev/$f; mount --bind /dev/$f $dir/dev/$f; done",
        "ln -s /proc/self/fd $dir/dev/fd; ln -s $dir/syslog $dir/dev/log",
        "mount --rbind $dir/dev /dev",
        "$daimon start -p $dir/pid -o syslog:local3 -- sh -c 'echo one; echo two >&2'",
        "$daimon stop -p $dir/pid");
    StringBuilder said = new StringBuilder();
    try (ServerSocketChannel syslog = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      syslog.bind(UnixDomainSocketAddress.of(sandbox.file("syslog")));

      ProcessSandbox.Result result =
          sandbox.shell("unshare -m --propagation private sh $dir/hidden");

      assertThat(result.exitCode()).as(result.toString()).isZero();
      // The stop has waited: all who had something to say have connected, said it and ended.
      syslog.configureBlocking(false);
      SocketChannel next;
      while ((next = syslog.accept()) != null) {
        try (SocketChannel each = next) {
          byte[] text = Channels.newInputStream(each).readAllBytes();
          said.append(new String(text, StandardCharsets.UTF_8));
        }
      }
    }
    // 19 is local3, 6 is info, 3 is err.
    assertThat(said.toString())
        .containsPattern("<" + (19 * 8 + 6) + ">.* sh: one")
        .containsPattern("<" + (19 * 8 + 3) + ">.* sh: two");
  }

  /** Starts a daemon, which says nothing. */
  private void start(String words) throws Exception {
    assertThat(sandbox.shell("$daimon start -p $dir/pid " + words)).isEqualTo(SILENT);
  }

  /** Runs the command in the background. */
  private Process command(String words) throws IOException {
    return sandbox
        .prepare(
            List.of("/bin/bash", "-c", "exec $daimon " + words),
            Map.of("daimon", Sandbox.DAIMON.toString(), "dir", sandbox.directory().toString()))
        .start();
  }

  private ProcessSandbox.Result daimon(String command, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of(command, "-p", sandbox.file("pid").toString()));
    all.addAll(List.of(words));
    return sandbox.daimon(all.toArray(new String[0]));
  }

  /** The first reader of the record. */
  private long reader() throws IOException {
    List<String> lines = Files.readAllLines(Guard.beside(sandbox.file("pid")));
    return Long.parseLong(lines.get(1).split(" ", -1)[1]);
  }
}
