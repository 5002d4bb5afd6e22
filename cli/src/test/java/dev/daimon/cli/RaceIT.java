package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Even if the pidfile is unlinked or replaced during a start, there are never two daemons. {@link
 * StartStormIT} does it at random.
 */
class RaceIT {
  private static final int ALREADY_RUNNING = 69;
  private static final int CANNOT_CREATE = 73;

  /** System calls at which a start is halted, so that another start comes first. */
  private static final String LOCKED = "flock:delay_exit";

  private static final String STARTED = "pwrite64:delay_enter";
  private static final String WRITTEN = "pwrite64:delay_exit";

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @Test
  void ofStartsThatCompeteOneWinsAndTheOthersNameIt() throws Exception {
    Path pidFile = sandbox.file("pid");

    ProcessSandbox.Result result =
        sandbox.shell(
            "for i in 1 2 3 4 5 6 7 8; do"
                + " { $daimon start -p $dir/pid sleep 60; echo $?; } & done; wait");

    assertThat(result.out().lines().filter("0"::equals)).hasSize(1);
    assertThat(result.out().lines().filter("69"::equals)).hasSize(7);
    // On a busy machine a start may report in between that it waits for another one.
    assertThat(result.err().lines().filter(line -> line.contains("already running"))).hasSize(7);
    assertThat(sandbox.running("sleep")).hasSize(1);
    assertThat(sandbox.running("sleep").getFirst().pid()).isEqualTo(Sandbox.pid(pidFile));
  }

  @Test
  @Tag("strace")
  void aFileThatWasUnlinkedDuringTheLockIsLockedAgain() throws Exception {
    Path pidFile = sandbox.file("pid");
    Process first = halted(LOCKED);
    Sandbox.await("the lock", () -> Sandbox.isListedAsLocked(pidFile));
    Files.delete(pidFile);
    sandbox.goOn();

    assertThat(first.waitFor()).isZero();

    assertOnlyDaemonIsNamed(pidFile);
    assertThat(Sandbox.isLocked(pidFile)).isTrue();
  }

  @Test
  @Tag("strace")
  void aStartWhoseFileWasUnlinkedLosesToAnotherStart() throws Exception {
    Path pidFile = sandbox.file("pid");
    Process first = halted(LOCKED);
    Sandbox.await("the lock", () -> Sandbox.isListedAsLocked(pidFile));
    Files.delete(pidFile);
    // With another guard: the first start holds the default one, so that this one would wait.
    ProcessSandbox.Result second =
        sandbox.daimon(words("--guard", sandbox.file("other").toString()));
    sandbox.goOn();

    assertThat(second.exitCode()).isZero();
    assertThat(first.waitFor()).isEqualTo(ALREADY_RUNNING);
    assertOnlyDaemonIsNamed(pidFile);
  }

  @ParameterizedTest
  @ValueSource(strings = {STARTED, WRITTEN})
  @Tag("strace")
  void anUnlinkBetweenLockAndEndLeavesNothingRunning(String moment) throws Exception {
    Path pidFile = sandbox.file("pid");
    Process first = halted(moment);
    awaitMoment(moment);
    Files.delete(pidFile);
    sandbox.goOn();

    assertThat(first.waitFor()).isEqualTo(CANNOT_CREATE);

    assertThat(sandbox.file("slowed.err")).content().contains(pidFile.toString()).hasLineCount(1);
    assertThat(sandbox.running("sleep")).isEmpty();
    assertThat(pidFile).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {STARTED, WRITTEN})
  @Tag("strace")
  void anUnlinkBetweenLockAndEndLeavesTheOtherDaemonAlone(String moment) throws Exception {
    Path pidFile = sandbox.file("pid");
    Process first = halted(moment);
    awaitMoment(moment);
    Files.delete(pidFile);
    // With another guard: the first start holds the default one, so that this one would wait.
    ProcessSandbox.Result second =
        sandbox.daimon(words("--guard", sandbox.file("other").toString()));
    sandbox.goOn();

    assertThat(second.exitCode()).isZero();
    assertThat(first.waitFor()).isEqualTo(CANNOT_CREATE);
    assertOnlyDaemonIsNamed(pidFile);
    assertThat(Sandbox.isLocked(pidFile)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {STARTED, WRITTEN})
  @Tag("strace")
  void aFileThatReplacesThePidfileIsNotChanged(String moment) throws Exception {
    Path pidFile = sandbox.file("pid");
    Path other = Files.writeString(sandbox.file("other"), "precious\n");
    Process first = halted(moment);
    awaitMoment(moment);
    Files.move(other, pidFile, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    sandbox.goOn();

    assertThat(first.waitFor()).isEqualTo(CANNOT_CREATE);

    assertThat(sandbox.running("sleep")).isEmpty();
    assertThat(pidFile).hasContent("precious");
  }

  /**
   * Neither a hard link of the pidfile nor an older pidfile may name the program that was killed.
   */
  @ParameterizedTest
  @CsvSource({STARTED + ", true", STARTED + ", false", WRITTEN + ", true", WRITTEN + ", false"})
  @Tag("strace")
  void noPidfileNamesAProgramThatWasKilledAgain(String moment, boolean stale) throws Exception {
    Path pidFile = sandbox.file("pid");
    Path lock = sandbox.file("lock");
    if (stale) {
      Files.writeString(pidFile, "");
    }
    Process first = halted(moment, "-l", lock.toString());
    awaitMoment(moment);
    Files.delete(lock);
    sandbox.goOn();

    assertThat(first.waitFor()).isEqualTo(CANNOT_CREATE);

    assertThat(sandbox.running("sleep")).isEmpty();
    if (stale) {
      assertThat(pidFile).isEmptyFile();
    } else {
      assertThat(pidFile).doesNotExist();
    }
    assertThat(Sandbox.isLocked(pidFile)).isFalse();
  }

  private void awaitMoment(String moment) throws Exception {
    Path pidFile = sandbox.file("pid");
    if (moment.equals(STARTED)) {
      Sandbox.await("the program", () -> !sandbox.running("sleep").isEmpty());
    } else {
      Sandbox.await("the pid", () -> Files.exists(pidFile) && Files.size(pidFile) > 0);
    }
  }

  private Process halted(String moment, String... options) throws Exception {
    return sandbox.halted(moment, sandbox.file("pid"), words(options));
  }

  private String[] words(String... options) {
    List<String> words = new ArrayList<>(List.of("start", "-p", sandbox.file("pid").toString()));
    words.addAll(List.of(options));
    words.addAll(List.of("sleep", "60"));
    return words.toArray(String[]::new);
  }

  private void assertOnlyDaemonIsNamed(Path pidFile) throws Exception {
    List<ProcessHandle> daemons = sandbox.running("sleep");
    assertThat(daemons).hasSize(1);
    assertThat(Sandbox.pid(pidFile)).isEqualTo(daemons.getFirst().pid());
  }
}
