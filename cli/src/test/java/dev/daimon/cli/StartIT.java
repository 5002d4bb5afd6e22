package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A program that was started is a daemon. */
class StartIT {
  private static final int PPID = 4;
  private static final int SESSION = 6;
  private static final int TTY = 7;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "$daimon start true",
        "$daimon run true",
        "$daimon start -f true",
        "$java -jar $jar start true",
        "set -m; $java -jar $jar start true"
      })
  @Tag("root")
  void nothingIsLeftInTheDirectoryForTemporaryFiles(String command) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "export java='%s/bin/java -XX:-UsePerfData' jar=/mnt/daimon.jar daimon=/mnt/daimon/bin/daimon;"
                    .formatted(System.getProperty("java.home"))
                // The checkout may be in /tmp.
                + " unshare --mount bash -c 'mount --bind %s /mnt; mount -t tmpfs none /tmp; "
                    .formatted(Sandbox.DAIMON.getParent().getParent().getParent())
                + command
                + "; ls -A /tmp'");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
  }

  @Test
  void theProgramIsAChildOfInitInASessionItDoesNotLead() throws Exception {
    long pid = sandbox.start("sleep", "1000");

    Sandbox.await("init to adopt it", () -> Sandbox.stat(pid, PPID) == 1);
    assertThat(Sandbox.stat(pid, SESSION)).isNotEqualTo(pid).isNotEqualTo(ownSession());
  }

  @Test
  void theProgramHasNoTerminalEvenIfTheCallerHasOne() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("script -qec '$daimon start -p $dir/pid sleep 1000' /dev/null");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    long pid = Sandbox.pid(sandbox.file("pid"));
    assertThat(Sandbox.stat(pid, TTY)).isZero();
    assertThat(Sandbox.descriptors(pid).values()).noneMatch(file -> file.startsWith("/dev/pts/"));
  }

  @Test
  void nothingOfDaimonStays() throws Exception {
    long pid = sandbox.start("sleep", "1000");

    assertThat(sandbox.processes()).extracting(ProcessHandle::pid).containsExactly(pid);
  }

  @Test
  void theWorkingDirectoryIsTheRootDirectoryByDefault() throws Exception {
    assertThat(directory(sandbox.start("sleep", "1000"))).isEqualTo(Path.of("/"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-c", "--chdir"})
  void theWorkingDirectoryIsThatOfTheOption(String option) throws Exception {
    long pid = sandbox.start(option, sandbox.directory().toString(), "sleep", "1000");

    assertThat(directory(pid)).isEqualTo(sandbox.directory());
  }

  @Test
  void theUmaskIs022ByDefault() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("umask 077; $daimon start -p $dir/pid -o $dir/log sleep 1000");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(Sandbox.status(Sandbox.pid(sandbox.file("pid")), "Umask")).isEqualTo("0022");
    assertThat(permissions("pid")).isEqualTo("rw-r--r--");
    assertThat(permissions("log")).isEqualTo("rw-r--r--");
  }

  @ParameterizedTest
  @CsvSource({
    "-m, 027, 0027, rw-r-----",
    "--umask, 77, 0077, rw-------",
    "-m, 0, 0000, rw-r--r--",
    "-m, 0007, 0007, rw-r-----"
  })
  void theUmaskOfTheOptionAppliesToTheFilesToo(
      String option, String mode, String umask, String permissions) throws Exception {
    long pid = sandbox.start(option, mode, "-o", sandbox.file("log").toString(), "sleep", "1000");

    assertThat(Sandbox.status(pid, "Umask")).isEqualTo(umask);
    assertThat(permissions("log")).isEqualTo(permissions);
    assertThat(permissions("pid")).isEqualTo(permissions);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nohup",
        "env --ignore-signal",
        "env --block-signal",
        "env --ignore-signal=INT,QUIT,CHLD,RTMAX --block-signal=TERM,HUP,CHLD,RTMIN"
      })
  void inheritedIgnoredAndBlockedSignalsDoNotReachTheProgram(String caller) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(caller + " $daimon start -p $dir/pid sleep 1000 </dev/null 2>&1");

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertCleanSignals(Sandbox.pid(sandbox.file("pid")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nohup",
        "env --ignore-signal",
        "env --block-signal",
        "env --ignore-signal=INT,QUIT,CHLD,RTMAX --block-signal=TERM,HUP,CHLD,RTMIN"
      })
  void inheritedIgnoredAndBlockedSignalsDoNotReachAForegroundProgramEither(String caller)
      throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(caller + " $daimon run grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status");

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.out()).contains("SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000");
  }

  @Test
  void aSecondStartIsRefusedAndChangesNothingOfTheFirst() throws Exception {
    Path log = sandbox.file("log");
    long pid = sandbox.start("-o", log.toString(), "sh", "-c", "echo first; exec sleep 1000");
    Sandbox.await("the first one's line", () -> Files.size(log) > 0);
    Path pidFile = sandbox.file("pid");
    Object inode = Files.getAttribute(pidFile, "unix:ino");

    ProcessSandbox.Result second =
        sandbox.daimon(
            "start", "-p", pidFile.toString(), "-o", log.toString(), "touch", marker().toString());

    assertThat(second.exitCode()).isEqualTo(69);
    assertThat(second.out()).isEmpty();
    assertThat(second.err())
        .startsWith("daimon: ")
        .hasLineCount(1)
        .contains(pidFile.toString(), Long.toString(pid));
    assertThat(Files.readString(pidFile)).isEqualTo(pid + "\n");
    assertThat(Files.getAttribute(pidFile, "unix:ino")).isEqualTo(inode);
    assertThat(log).hasContent("first");
    assertThat(marker()).doesNotExist();
    assertThat(sandbox.processes()).extracting(ProcessHandle::pid).containsExactly(pid);
  }

  @Test
  void theLockFileAlsoPreventsASecondStart() throws Exception {
    String lock = sandbox.file("lock").toString();
    sandbox.start("-l", lock, "sleep", "1000");

    ProcessSandbox.Result second =
        sandbox.daimon("start", "-l", lock, "-p", sandbox.file("pid2").toString(), "true");

    assertThat(second.exitCode()).isEqualTo(69);
    assertThat(second.err()).startsWith("daimon: ").hasLineCount(1).contains(lock);
    assertThat(sandbox.file("pid2")).doesNotExist();
  }

  @Test
  void thePidfileIsLockedBesideTheLockFile() throws Exception {
    sandbox.start("-l", sandbox.file("lock").toString(), "sleep", "1000");

    ProcessSandbox.Result second =
        sandbox.daimon("start", "-p", sandbox.file("pid").toString(), "true");

    assertThat(second.exitCode()).isEqualTo(69);
  }

  @Test
  void theLockIsHeldExactlyAsLongAsTheProgramLives() throws Exception {
    long first = sandbox.start("sleep", "1000");
    ProcessHandle program = ProcessHandle.of(first).orElseThrow();
    program.destroyForcibly();
    sandbox.awaitEnd();

    assertThat(sandbox.start("sleep", "1000")).isNotEqualTo(first);
  }

  @Test
  void withoutALockARunningDaemonsPidfileIsNotOverwrittenEither() throws Exception {
    long first = sandbox.start("--no-lock", "sleep", "1000");
    String pidFile = sandbox.file("pid").toString();

    assertThat(Sandbox.descriptors(first)).hasSize(3);
    ProcessSandbox.Result second =
        sandbox.daimon("start", "-p", pidFile, "--no-lock", "sleep", "1000");
    assertThat(second.exitCode()).isEqualTo(4);
    assertThat(second.err()).contains("process " + first + " (sleep)").contains("--pid-only");
    assertThat(Sandbox.pid(sandbox.file("pid"))).isEqualTo(first);

    assertThat(sandbox.daimon("stop", "--pid-only", "-p", pidFile).exitCode()).isZero();
    assertThat(sandbox.start("--no-lock", "sleep", "1000")).isNotEqualTo(first);
  }

  @Test
  void aProgramCanBeStartedWithoutAPidfile() throws Exception {
    ProcessSandbox.Result result = sandbox.daimon("start", "sleep", "1000");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(sandbox.processes()).hasSize(1);
    assertThat(Sandbox.descriptors(sandbox.processes().get(0).pid())).hasSize(3);
  }

  @Test
  void daimonizeIsDaimonStart() throws Exception {
    String daimonize = Sandbox.DAIMON.resolveSibling("daimonize").toString();

    ProcessSandbox.Result result =
        sandbox.run(
            List.of(daimonize, "-p", sandbox.file("pid").toString(), "--", "sleep", "1000"),
            Map.of());

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(sandbox.processes())
        .extracting(ProcessHandle::pid)
        .containsExactly(Sandbox.pid(sandbox.file("pid")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ln -s $daimon d; ./d", "ln -s $daimon d; PATH=.:$PATH d"})
  void theCommandWorksThroughALink(String command) throws Exception {
    ProcessSandbox.Result result = sandbox.shell(command + " start -p $dir/pid sleep 1000");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
  }

  private Path marker() {
    return sandbox.file("marker");
  }

  private String permissions(String name) throws Exception {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(sandbox.file(name)));
  }

  private static Path directory(long pid) throws Exception {
    return Files.readSymbolicLink(Path.of("/proc/" + pid + "/cwd"));
  }

  private static void assertCleanSignals(long pid) throws Exception {
    for (String set : List.of("SigBlk", "SigIgn", "SigCgt")) {
      assertThat(Sandbox.status(pid, set)).as(set).isEqualTo("0000000000000000");
    }
  }

  private static long ownSession() throws Exception {
    return Sandbox.stat(ProcessHandle.current().pid(), SESSION);
  }
}
