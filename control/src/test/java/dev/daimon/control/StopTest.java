package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How a daemon is stopped, and what is left of it. */
class StopTest {
  private static final String STUBBORN = "trap '' TERM INT; while :; do sleep 0.1; done";
  private static final Duration SOON = Duration.ofMillis(50);
  private static final Duration LATE = Duration.ofMinutes(1);

  @RegisterExtension final Daemons daemons = new Daemons();

  @Test
  void aDaemonThatIgnoresTheSignalsGetsTheNextOnesAndIsKilled() throws Exception {
    long pid = stubborn();
    StopPolicy policy =
        StopPolicy.of(Signal.TERM, SOON).then(Signal.INT, SOON).then(Signal.KILL, LATE);
    List<String> told = new ArrayList<>();

    StopResult result =
        daemons
            .control()
            .stop(
                policy,
                (process, waited, next, left) -> {
                  assertThat(process).isEqualTo(pid);
                  assertThat(waited).isLessThan(LATE);
                  told.add(next.map(Signal::name).orElse("nothing") + " in " + left);
                });

    assertThat(result)
        .isEqualTo(
            new StopResult(
                Outcome.OK, OptionalLong.of(pid), List.of(Signal.TERM, Signal.INT, Signal.KILL)));
    assertThat(result.killed()).isTrue();
    assertThat(told.get(0)).isEqualTo("SIGINT in PT0.05S");
    assertThat(told).contains("SIGKILL in PT0.05S");
    assertThat(told.getLast()).isEqualTo("nothing in PT1M");
    assertThat(daemons.pidFile()).doesNotExist();
  }

  private long stubborn() throws Exception {
    long pid = daemons.start(STUBBORN, "sh");
    // Its first child shows that the signals are ignored by now.
    daemons.awaitProgram("sleep");
    return pid;
  }

  @Test
  void everySecondIsTold() throws Exception {
    stubborn();
    List<Long> told = new ArrayList<>();

    daemons
        .control()
        .stop(
            StopPolicy.of(Signal.TERM, Duration.ofMillis(2900)).then(Signal.KILL, LATE),
            (process, waited, next, left) -> told.add(left.toSeconds()));

    assertThat(told).containsExactly(2L, 1L, 0L, 60L);
  }

  @Test
  void withoutAKillItIsGivenUpAndTheDaemonStays() throws Exception {
    long pid = stubborn();

    assertThatThrownBy(() -> daemons.control().stop(StopPolicy.of(Signal.TERM, SOON)))
        .isInstanceOfSatisfying(
            ControlException.class,
            failure -> assertThat(failure.reason()).isEqualTo(Reason.NOT_STOPPED))
        .hasMessageMatching("process " + pid + " has not ended after 0\\.[0-9]+ s and SIGTERM");
    assertThat(daemons.control().status().state()).isEqualTo(State.RUNNING);
    assertThat(Daemons.isListedAsLocked(Guard.beside(daemons.pidFile()))).isFalse();
  }

  @Test
  void whatStaysInTheSessionIsEndedWithIt() throws Exception {
    daemons.start("trap '' TERM; sleep 1000 & trap - TERM; exec tail -f /dev/null", "tail");
    long child = daemons.awaitProgram("sleep");
    StopPolicy brief = StopPolicy.of(Signal.TERM, Duration.ofSeconds(2));

    assertThatThrownBy(() -> daemons.control().stop(brief))
        .isInstanceOf(ControlException.class)
        .hasMessageMatching(
            "process \\d+ has ended, but %s is still locked by process %d \\(sleep\\); to end what is"
                    .formatted(daemons.pidFile(), child)
                + " left of its session: daimon stop --session -p "
                + daemons.pidFile());
    StopPolicy session = brief.then(Signal.KILL, LATE).ofWholeSession();
    assertThat(daemons.control().stop(session).outcome()).isEqualTo(Outcome.OK);
  }

  @Test
  void aFileWithFurtherLinesStaysAndIsTold() throws Exception {
    Path file = Files.writeString(daemons.pidFile(), "4194304\nmore\n");
    Ear ear = new Ear();

    assertThat(daemons.control().listener(ear).stop(StopPolicy.DEFAULT).outcome())
        .isEqualTo(Outcome.ALREADY_DONE);

    assertThat(ear.told).hasSize(1);
    assertThat(ear.told.getFirst()).startsWith(file + " is left: it ");
    assertThat(file).hasContent("4194304\nmore\n");
  }

  @Test
  void noPatienceAtAllIsStillASignal() throws Exception {
    try (PidFd daemon = PidFd.open(stubborn())) {
      try {
        StopResult result = daemons.control().stop(StopPolicy.of(Signal.KILL, Duration.ZERO));
        assertThat(result.signals()).containsExactly(Signal.KILL);
      } catch (ControlException notEndedYet) {
        assertThat(notEndedYet.reason()).isEqualTo(Reason.NOT_STOPPED);
      }
      assertThat(daemon.awaitExit(LATE)).isTrue();
    }
  }

  @Test
  void whatADeadDaemonHasLeftIsRemoved() throws Exception {
    Daemons.kill(daemons.start("exec sleep 1000", "sleep"));

    assertThat(daemons.control().stop(StopPolicy.DEFAULT))
        .isEqualTo(new StopResult(Outcome.STALE, OptionalLong.empty(), List.of()));
    assertThat(daemons.pidFile()).doesNotExist();
  }

  @Test
  void anEmptyPidFileIsRemovedToo() throws Exception {
    Files.createFile(daemons.pidFile());

    assertThat(daemons.control().stop(StopPolicy.DEFAULT).outcome())
        .isEqualTo(Outcome.ALREADY_DONE);
    assertThat(daemons.pidFile()).doesNotExist();
  }

  /** In a directory of root's, as of a daemon that has become nobody. */
  @Test
  @Tag("root")
  void whereThePidFileCannotBeRemovedItIsEmptied() throws Exception {
    Daemons.give(Files.createFile(daemons.pidFile()), Daemons.NOBODY);
    Process daemon = daemons.locker(daemons.pidFile(), ChildJvm.AS_NOBODY.toArray(String[]::new));
    daemons.name(daemon.pid());
    assertThat(daemons.asNobody("stop")).isEqualTo("OK");
    assertThat(daemon.waitFor()).isEqualTo(128 + 15);
    assertThat(daemons.pidFile()).isEmptyFile();
    assertThat(daemons.asNobody("status")).startsWith("NOT_RUNNING: ");

    daemons.name(4194304);
    assertThat(daemons.asNobody("stop")).isEqualTo("STALE");
    assertThat(daemons.pidFile()).isEmptyFile();

    List<String> command = new ArrayList<>(ChildJvm.AS_NOBODY);
    command.addAll(List.of("sleep", "1000"));
    Process classic = daemons.bystander(command.toArray(String[]::new));
    daemons.name(classic.pid());
    assertThat(daemons.asNobody("stop by pid")).isEqualTo("OK");
    assertThat(classic.waitFor()).isEqualTo(128 + 15);
    assertThat(daemons.pidFile()).isEmptyFile();
  }

  @Test
  void aDaemonMayRemoveItsPidFileItself() throws Exception {
    daemons.start("trap 'rm d.pid; exit' TERM; while :; do sleep 0.02; done", "sh");
    daemons.awaitProgram("sleep");

    assertThat(daemons.control().stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
    assertThat(daemons.pidFile()).doesNotExist();
  }

  @Test
  void aDaemonMayEmptyItsPidFileItself() throws Exception {
    daemons.start("trap '>d.pid; exit' TERM; while :; do sleep 0.02; done", "sh");
    daemons.awaitProgram("sleep");

    assertThat(daemons.control().stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
    assertThat(daemons.pidFile()).doesNotExist();
  }

  @Test
  void aPidFileThatSomebodyHasReplacedMeanwhileStays() throws Exception {
    daemons.start("exec sleep 1000", "sleep");

    StopResult result =
        daemons.control().stop(StopPolicy.DEFAULT, (pid, waited, next, left) -> replace());

    assertThat(result.outcome()).isEqualTo(Outcome.OK);
    assertThat(daemons.pidFile()).hasContent("precious");
  }

  private void replace() {
    try {
      Files.writeString(daemons.file("new"), "precious");
      Files.move(daemons.file("new"), daemons.pidFile(), StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
  }

  /** In place, as an editor or {@code echo} does: the inode is the same. */
  @Test
  void aPidFileThatSomebodyHasRewrittenMeanwhileStays() throws Exception {
    for (String content : List.of("precious", "1\n")) {
      Files.deleteIfExists(daemons.pidFile());
      daemons.start("exec sleep 1000", "sleep");
      daemons
          .control()
          .stop(
              StopPolicy.DEFAULT,
              (pid, waited, next, left) -> {
                try {
                  Files.writeString(daemons.pidFile(), content);
                } catch (IOException failure) {
                  throw new AssertionError(failure);
                }
              });

      assertThat(Files.readString(daemons.pidFile())).isEqualTo(content);
    }
  }

  /** By somebody who knows nothing of the guard, as soon as the lock is free. */
  @Test
  void aDaemonThatIsStartedMeanwhileStays() throws Exception {
    Process[] next = new Process[1];
    // Opened now, since nothing is left of it when it has got its signal and init is quick.
    try (PidFd old = PidFd.open(daemons.start("exec tail -f /dev/null", "tail"))) {
      StopResult result =
          daemons
              .control()
              .stop(
                  StopPolicy.DEFAULT,
                  (pid, waited, signal, left) -> {
                    if (next[0] == null) {
                      next[0] = startWithoutGuard(old);
                    }
                  });

      assertThat(result.outcome()).isEqualTo(Outcome.OK);
    }
    assertThat(next[0].isAlive()).isTrue();
    assertThat(daemons.control().status().pid()).hasValue(next[0].pid());
  }

  /** The old daemon has got its signal; this one gets its lock, and its pidfile. */
  private Process startWithoutGuard(PidFd old) {
    try {
      old.awaitExit();
      Process next = daemons.locker(daemons.pidFile());
      daemons.name(next.pid());
      return next;
    } catch (Exception failure) {
      throw new AssertionError(failure);
    }
  }

  @Test
  void aDaemonThatDiesBeforeItsSignalIsStopped() throws Exception {
    for (int i = 0; i < 100; i++) {
      assertThat(daemons.control().start(daemons.daemon("exec sleep 0.00" + i % 10)))
          .isIn(Outcome.OK, Outcome.STALE);
      if (i % 2 == 0) {
        daemons.control().stop(StopPolicy.DEFAULT);
        assertThat(daemons.pidFile()).doesNotExist();
      } else {
        assertThat(daemons.control().reload()).isIn(Outcome.OK, Outcome.STALE);
        assertThat(daemons.control().awaitStop(LATE)).isTrue();
      }
    }
  }

  @Test
  void aDaemonThatHasLockedNothingIsStoppedIfTheIdIsEnough() throws Exception {
    Process classic = daemons.bystander("sleep", "1000");
    daemons.name(classic.pid());

    StopResult result = daemons.control().pidOnly().stop(StopPolicy.DEFAULT);

    assertThat(result)
        .isEqualTo(
            new StopResult(Outcome.OK, OptionalLong.of(classic.pid()), List.of(Signal.TERM)));
    assertThat(classic.waitFor()).isEqualTo(128 + 15);
    assertThat(daemons.pidFile()).doesNotExist();
  }

  @Test
  void aSignalReachesTheDaemonOnce() throws Exception {
    daemons.start("trap 'echo hup >>hups' HUP; echo >ready; while :; do sleep 0.02; done", "sh");
    Daemons.await("the trap", () -> Files.exists(daemons.file("ready")));

    assertThat(daemons.control().reload()).isEqualTo(Outcome.OK);

    Path hups = daemons.file("hups");
    // The shell makes the file before it writes.
    Daemons.await("the signal", () -> Files.exists(hups) && Files.size(hups) > 0);
    assertThat(daemons.control().signal(Signal.TERM)).isEqualTo(Outcome.OK);
    daemons.awaitEnd();
    assertThat(hups).hasContent("hup");
    assertThat(daemons.control().reload()).isEqualTo(Outcome.STALE);
    Files.delete(daemons.pidFile());
    assertThat(daemons.control().reload()).isEqualTo(Outcome.NOT_RUNNING);
  }

  @Test
  void anInterruptEndsTheWaitAndNotTheDaemon() throws Exception {
    stubborn();
    Thread[] thread = new Thread[1];
    Future<StopResult> stop =
        daemons.meanwhile(() ->
            daemons
                .control()
                .stop(
                    StopPolicy.of(Signal.TERM, LATE),
                    (pid, waited, next, left) -> thread[0] = Thread.currentThread()));
    Daemons.await("the wait", () -> thread[0] != null);
    thread[0].interrupt();

    assertThat(Daemons.failure(stop)).isInstanceOf(InterruptedException.class);
    assertThat(Daemons.isListedAsLocked(Guard.beside(daemons.pidFile()))).isFalse();
    assertThat(daemons.control().status().state()).isEqualTo(State.RUNNING);
  }

  @Test
  void aListenerThatThrowsReleasesTheGuard() throws Exception {
    stubborn();

    assertThatThrownBy(() ->
            daemons
                .control()
                .stop(
                    StopPolicy.DEFAULT,
                    (pid, waited, next, left) -> {
                      throw new IllegalStateException("enough");
                    }))
        .hasMessage("enough");
    assertThat(Daemons.isListedAsLocked(Guard.beside(daemons.pidFile()))).isFalse();
  }

  @Test
  void theEndIsAwaited() throws Exception {
    DaemonControl control = daemons.control();
    assertThat(control.awaitStop(Duration.ZERO)).isTrue();
    long pid = daemons.start("exec sleep 1000", "sleep");
    assertThat(control.awaitStop(SOON)).isFalse();
    assertThat(control.awaitStop(Duration.ofSeconds(-1))).isFalse();

    Future<Boolean> end =
        daemons.meanwhile(() -> control.awaitStop(Duration.ofSeconds(Long.MAX_VALUE)));
    TimeUnit.MILLISECONDS.sleep(20);
    Daemons.kill(pid);

    assertThat(end.get(30, TimeUnit.SECONDS)).isTrue();
    assertThat(control.awaitStop(Duration.ZERO)).isTrue();
  }

  @Test
  void theEndHasNotComeWhileChildrenHoldTheLock() throws Exception {
    long pid = daemons.start("sleep 1000 & exec tail -f /dev/null", "tail");
    long child = daemons.awaitProgram("sleep");
    Daemons.kill(pid);
    assertThat(daemons.control().awaitStop(SOON)).isFalse();
    Future<Boolean> end = daemons.meanwhile(() -> daemons.control().awaitStop(LATE));
    Daemons.kill(child);

    assertThat(end.get(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void theEndHasComeWhenTheNextDaemonRuns() throws Exception {
    long pid = daemons.start("exec sleep 1000", "sleep");
    CountDownLatch waits = new CountDownLatch(1);
    Future<Boolean> end =
        daemons.meanwhile(() -> daemons.control().awaitStop(LATE, _ -> waits.countDown()));
    waits.await();

    daemons.control().restart(daemons.daemon("exec sleep 1000"), StopPolicy.DEFAULT);

    assertThat(end.get(30, TimeUnit.SECONDS)).isTrue();
    assertThat(Daemons.pid(daemons.pidFile())).isNotEqualTo(pid);
  }

  @Test
  void theEndHasComeAlsoWhenTheNextDaemonRunsAlready() throws Exception {
    Process first = daemons.bystander("sleep", "1000");
    daemons.name(first.pid());
    DaemonControl control = daemons.control().pidOnly();
    CountDownLatch waits = new CountDownLatch(1);
    Future<Boolean> end = daemons.meanwhile(() -> control.awaitStop(LATE, _ -> waits.countDown()));
    waits.await();

    daemons.name(daemons.bystander("sleep", "1000").pid());
    first.destroyForcibly().waitFor();

    assertThat(end.get(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void theWaitForTheEndCanBeInterrupted() throws Exception {
    daemons.start("exec sleep 1000", "sleep");
    Thread[] thread = new Thread[1];
    Future<Boolean> end =
        daemons.meanwhile(() -> {
          thread[0] = Thread.currentThread();
          return daemons.control().awaitStop(LATE);
        });
    Daemons.await("the wait", () -> thread[0] != null);
    thread[0].interrupt();

    assertThat(Daemons.failure(end)).isInstanceOf(InterruptedException.class);
  }

  /** It may be the daemon, which then has not ended. */
  @Test
  void ofADaemonThatHasLockedNothingTheEndCannotBeTold() throws Exception {
    Process classic = daemons.bystander("sleep", "1000");
    daemons.name(classic.pid());

    assertThatThrownBy(() -> daemons.control().awaitStop(LATE))
        .isInstanceOf(ControlException.class);
    assertThat(daemons.control().pidOnly().awaitStop(SOON)).isFalse();
    classic.destroyForcibly().waitFor();
    assertThat(daemons.control().pidOnly().awaitStop(LATE)).isTrue();
  }

  @Test
  void aStoppedDaemonGetsItsChance() throws Exception {
    long pid = daemons.start("trap 'exit 0' TERM; kill -STOP $$; exec sleep 1000", "sh");
    Daemons.await("the stop", () -> Daemons.status(pid, "State").startsWith("T"));

    assertThat(daemons.control().stop(StopPolicy.DEFAULT).signals()).containsExactly(Signal.TERM);
  }
}
