package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.Holder;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a status says of a daemon, and that it is true. */
class StatusTest {
  @RegisterExtension final Daemons daemons = new Daemons();

  @Test
  void nothingRunsWithoutAPidFile() throws Exception {
    DaemonStatus status = daemons.control().status();

    assertThat(status.state()).isEqualTo(State.NOT_RUNNING);
    assertThat(status.pid()).isEmpty();
    assertThat(status.reason()).isEqualTo("not running: there is no " + daemons.pidFile());
  }

  @Test
  void anEmptyFileThatNobodyHasLockedMeansStopped() throws Exception {
    Files.createFile(daemons.pidFile());

    assertThat(daemons.control().status().state()).isEqualTo(State.NOT_RUNNING);
  }

  @Test
  void anEmptyFileThatIsLockedMayBeAStart() throws Exception {
    Files.createFile(daemons.pidFile());
    Process locker = daemons.locker(daemons.pidFile());

    DaemonStatus status = daemons.control().status();

    assertThat(status.state()).isEqualTo(State.UNKNOWN);
    assertThat(status.holders()).containsExactly(new Holder(locker.pid(), "sleep"));
    assertThat(status.reason())
        .isEqualTo(
            "%s is locked by process %d (sleep), and names no process: a start may be under way,"
                + " or was killed",
            daemons.pidFile(), locker.pid());
  }

  @Test
  void aDaemonThatWasKilledIsDead() throws Exception {
    long pid = daemons.start("exec sleep 1000", "sleep");
    Daemons.kill(pid);

    DaemonStatus status = daemons.control().status();

    assertThat(status.state()).isEqualTo(State.DEAD);
    assertThat(status.pid()).hasValue(pid);
    assertThat(status.startTime()).isEmpty();
    assertThat(status.commandLine()).isEmpty();
    assertThat(status.reason())
        .isEqualTo("dead: process %d has ended, and has left %s behind", pid, daemons.pidFile());
  }

  /** A zombie answers {@code kill(pid, 0)}. */
  @Test
  void aZombieIsDead() throws Exception {
    Process parent =
        daemons
            .prepare(
                List.of("sh", "-c", "sh -c 'echo $$ >d.pid; exit' & exec sleep 1000"), Map.of())
            .start();
    Daemons.await("a pidfile", () -> Files.exists(daemons.pidFile()) && named() > 0);
    Daemons.await("a zombie", () -> Daemons.status(named(), "State").startsWith("Z"));

    assertThat(daemons.control().status().state()).isEqualTo(State.DEAD);
    assertThat(daemons.control().pidOnly().status().state()).isEqualTo(State.DEAD);
    parent.destroyForcibly();
  }

  private long named() throws IOException {
    String text = Files.readString(daemons.pidFile()).strip();
    return text.isEmpty() ? 0 : Long.parseLong(text);
  }

  @Test
  void childrenThatHoldTheLockAfterItsEndAreNamed() throws Exception {
    long pid = daemons.start("sleep 1000 & exec tail -f /dev/null", "tail");
    long child = daemons.awaitProgram("sleep");
    Daemons.kill(pid);

    DaemonStatus status = daemons.control().status();

    assertThat(status.state()).isEqualTo(State.UNKNOWN);
    assertThat(status.holders()).containsExactly(new Holder(child, "sleep"));
    assertThat(status.reason())
        .isEqualTo(
            "process %d has ended, but %s is still locked by process %d (sleep)",
            pid, daemons.pidFile(), child);
  }

  @Test
  void aDaemonThatHasClosedItsDescriptorsCannotBeShownToBeOne() throws Exception {
    long pid = daemons.start(Daemons.CLOSES_ALL, "sleep");
    Daemons.await("the lock to go", () -> !Daemons.isListedAsLocked(daemons.pidFile()));

    DaemonStatus status = daemons.control().status();

    assertThat(status.state()).isEqualTo(State.UNKNOWN);
    assertThat(status.pid()).hasValue(pid);
    assertThat(status.reason())
        .contains("names process " + pid + " (sleep)", "nobody has it locked")
        .contains("has closed what it inherited");
    assertThat(daemons.control().pidOnly().status().state()).isEqualTo(State.RUNNING);
  }

  /** An old time of the file is all that can be seen of a clock that was set forward. */
  @Test
  void aProcessThatSeemsYoungerThanTheFileMayBeTheDaemonAndNothingIsTouched() throws Exception {
    Process later = daemons.bystander("sleep", "1000");
    daemons.name(later.pid());
    Files.setLastModifiedTime(
        daemons.pidFile(), FileTime.from(Instant.now().minus(Duration.ofHours(3))));

    for (DaemonControl control : List.of(daemons.control(), daemons.control().pidOnly())) {
      DaemonStatus status = control.status();
      assertThat(status.state()).isEqualTo(State.UNKNOWN);
      assertThat(status.reason())
          .startsWith(
              "%s names process %d (sleep), which seems to be younger than the file"
                  .formatted(daemons.pidFile(), later.pid()));
      assertRefused(control::reload);
      assertRefused(() -> control.stop(StopPolicy.DEFAULT));
      assertRefused(() -> control.awaitStop(Duration.ZERO));
      assertRefused(() -> control.start(daemons.daemon("exec sleep 1000")));
      assertRefused(() -> control.restart(daemons.daemon("exec sleep 1000"), StopPolicy.DEFAULT));
    }
    assertThat(later.isAlive()).isTrue();
    assertThat(daemons.pidFile()).hasContent(later.pid() + "\n");
    assertThat(daemons.running("sleep")).hasSize(1);
  }

  /** A container that is gone may have left its file, where the id is that of its own process. */
  @Test
  @Tag("root")
  @Tag("kernel-threads")
  void aThreadOfTheKernelIsNoDaemon() throws Exception {
    daemons.name(2);

    DaemonStatus status = daemons.control().status();

    assertThat(status.state()).isEqualTo(State.DEAD);
    assertThat(status.reason()).endsWith("process 2 (kthreadd) is a thread of the kernel");
    assertThat(daemons.control().pidOnly().status().state()).isEqualTo(State.DEAD);
    assertThat(daemons.control().start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.STALE);
  }

  /** While its processes run, it is not for those outside. */
  @Test
  @Tag("root")
  @Tag("kernel-threads")
  void aFileThatSomebodyHasLockedMayNameAThreadOfTheKernel() throws Exception {
    daemons.name(2);
    daemons.locker(daemons.pidFile());

    assertThat(daemons.control().status().state()).isEqualTo(State.UNKNOWN);
  }

  @Test
  void aDaemonThatHoldsItsLockRunsWhateverTheClockWasSetTo() throws Exception {
    daemons.start("exec sleep 1000", "sleep");
    Files.setLastModifiedTime(
        daemons.pidFile(), FileTime.from(Instant.now().minus(Duration.ofHours(3))));

    assertThat(daemons.control().status().state()).isEqualTo(State.RUNNING);
    assertThat(daemons.control().stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
  }

  /** sendmail and PostgreSQL write more than their id; whose the rest is, is not known. */
  @Test
  void aPidFileWithFurtherLinesIsReadAndNotTakenOver() throws Exception {
    String further = "\n/usr/sbin/sendmail -bd\n";
    Process daemon = daemons.locker(Files.createFile(daemons.pidFile()));
    Files.writeString(daemons.pidFile(), daemon.pid() + further);
    DaemonControl control = daemons.control();

    assertThat(control.status().state()).isEqualTo(State.RUNNING);
    assertThat(control.stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
    assertThat(daemons.pidFile()).doesNotExist();

    Files.writeString(daemons.pidFile(), daemon.pid() + further);
    assertThat(control.status().state()).isEqualTo(State.DEAD);
    assertThat(control.stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.ALREADY_DONE);
    assertThatThrownBy(() -> control.start(daemons.daemon("exec sleep 1000")))
        .hasMessage(daemons.pidFile() + " is no pidfile: it has further lines");
    assertThat(daemons.pidFile()).hasContent(daemon.pid() + further);
    assertThat(daemons.processes()).isEmpty();
  }

  @Test
  void theTimeOfTheStartIsTheSameInEachStatus() throws Exception {
    daemons.start("exec sleep 1000", "sleep");
    Instant start = daemons.control().status().startTime().orElseThrow();

    for (int i = 0; i < 200; i++) {
      assertThat(daemons.control().status().startTime()).hasValue(start);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"precious", "1 2", "-1", "0", "99999999", "12x"})
  void aFileThatIsNoPidFileIsNeverTouched(String content) throws Exception {
    Files.writeString(daemons.pidFile(), content);
    DaemonControl control = daemons.control();

    DaemonStatus status = control.status();
    assertThat(status.state()).isEqualTo(State.UNKNOWN);
    assertThat(status.reason()).startsWith(daemons.pidFile() + " is no pidfile: it holds");
    for (DaemonControl each : List.of(control, control.pidOnly())) {
      assertRefused(() -> each.stop(StopPolicy.DEFAULT));
      assertThatThrownBy(() -> each.start(daemons.daemon("exec sleep 1000")))
          .hasMessageStartingWith(daemons.pidFile() + " is no pidfile: it holds");
      assertRefused(() -> each.restart(daemons.daemon("exec sleep 1000"), StopPolicy.DEFAULT));
      assertRefused(each::reload);
      assertRefused(() -> each.awaitStop(Duration.ZERO));
    }
    assertThat(daemons.pidFile()).hasContent(content);
    assertThat(daemons.processes()).isEmpty();
  }

  private static void assertRefused(ThrowingCallable action) {
    assertThatThrownBy(action)
        .isInstanceOfSatisfying(
            ControlException.class,
            refused -> assertThat(refused.reason()).isEqualTo(ControlException.Reason.UNKNOWN));
  }

  @ParameterizedTest
  @ValueSource(strings = {"link", "dangling link", "directory", "FIFO"})
  void whateverIsNoRegularFileIsAnErrorAtOnce(String what) throws Exception {
    Path file = daemons.pidFile();
    switch (what) {
      case "link" -> Files.createSymbolicLink(file, Files.writeString(daemons.file("x"), "1\n"));
      case "dangling link" -> Files.createSymbolicLink(file, daemons.file("y"));
      case "directory" -> Files.createDirectory(file);
      default -> Command.run("mkfifo", file.toString());
    }
    DaemonControl control = daemons.control();

    assertThatThrownBy(control::status).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> control.stop(StopPolicy.DEFAULT)).isInstanceOf(IOException.class);
    assertThatThrownBy(control::reload).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> control.awaitStop(Duration.ZERO)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> control.start(daemons.daemon("exec sleep 1000")))
        .isInstanceOf(IOException.class);
    assertThat(Files.exists(file, LinkOption.NOFOLLOW_LINKS)).isTrue();
    assertThat(daemons.file("y")).doesNotExist();
    assertThat(daemons.processes()).isEmpty();
  }

  @Test
  void neitherTheGuardNorAStartIsWaitedForOrDisturbed() throws Exception {
    daemons.start("exec sleep 1000", "sleep");
    Process action = daemons.locker(Guard.beside(daemons.pidFile()));

    long begin = System.nanoTime();
    assertThat(daemons.control().status().state()).isEqualTo(State.RUNNING);
    assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(10));
    action.destroyForcibly();
  }

  /** A status that took the lock for a moment would make starts fail. */
  @Test
  void startsAreNotDisturbedByAnyNumberOfStatuses() throws Exception {
    DaemonControl control = daemons.control();
    AtomicInteger statuses = new AtomicInteger();
    Future<?> looking =
        daemons.meanwhile(() -> {
          while (!Thread.currentThread().isInterrupted()) {
            control.status();
            statuses.incrementAndGet();
          }
          return statuses;
        });

    for (int i = 0; i < 50 || statuses.get() < 50; i++) {
      assertThat(looking.isDone()).isFalse();
      assertThat(control.start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.OK);
      assertThat(control.stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
    }
  }

  @Test
  @Tag("root")
  void anOrdinaryUserIsToldOfRootsDaemon() throws Exception {
    long pid = daemons.start("exec sleep 1000", "sleep");

    assertThat(daemons.asNobody("status"))
        .isEqualTo(
            "RUNNING, process %d of root, [sleep, 1000]: running: process %d; only root, or in"
                + " most cases its user, can be shown that it is the one who has locked %s",
            pid, pid, daemons.pidFile());
    assertThat(daemons.asNobody("stop"))
        .startsWith("UNKNOWN: running: process " + pid + "; only root");
    assertThat(daemons.asNobody("reload"))
        .startsWith("UNKNOWN: running: process " + pid + "; only root");
    assertThat(daemons.asNobody("await")).isEqualTo("false");
    assertThat(daemons.control().status().state()).isEqualTo(State.RUNNING);
  }

  /** No user may examine it, so the proof is missing, but not every sign. */
  @Test
  @Tag("root")
  void anOrdinaryUserIsNotToldThatAForeignProcessIsTheDaemon() throws Exception {
    Process locker = daemons.locker(daemons.name(1));
    Daemons.give(daemons.pidFile(), 7);

    assertThat(daemons.asNobody("status")).startsWith("UNKNOWN, ").contains("belongs to user 7");
    locker.destroyForcibly();
  }

  /** As two containers that share a volume: the one does not see the other's daemon. */
  @Test
  @Tag("root")
  void aDaemonInAnotherContainerIsNeverDead() throws Exception {
    long pid = daemons.start("exec sleep 1000", "sleep");
    // One that no process here has.
    Files.writeString(daemons.pidFile(), "4194304\n");
    for (String question : List.of("status", "stop", "await")) {
      assertThat(
              ChildJvm.of(Ask.class)
                  .startedBy("unshare", "--pid", "--fork", "--mount-proc")
                  .run(question, daemons.pidFile())
                  .output())
          .startsWith(question.equals("await") ? "false" : "UNKNOWN")
          .satisfies(said ->
              assertThat(said)
                  .contains(
                      question.equals("await")
                          ? ""
                          : "is still locked by a process that could not be found")
                  .doesNotContain("has ended"));
    }
    assertThat(ProcessHandle.of(pid)).isPresent();
    assertThat(daemons.pidFile()).hasContent("4194304\n");
  }

  /** As some machines mount it, so that users do not see each other's processes. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  @Tag("root")
  void aUserFromWhomProcessesAreHiddenGetsAnAnswer(int hidepid) throws Exception {
    long pid = daemons.start("exec sleep 1000", "sleep");
    String script = "mount -t proc -o hidepid=" + hidepid + " proc /proc && exec \"$@\"";

    String said =
        ChildJvm.of(Ask.class)
            .startedBy("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh")
            .startedBy(ChildJvm.AS_NOBODY)
            .copied(daemons.classes())
            .run("status", daemons.pidFile())
            .output();

    assertThat(said).startsWith("RUNNING, process " + pid + ": running: process " + pid);
  }
}
