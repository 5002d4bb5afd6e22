package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.Holder;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.io.BufferedReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One action at a time. */
class GuardTest {
  @RegisterExtension final Daemons daemons = new Daemons();

  private Path guard() {
    return Guard.beside(daemons.pidFile());
  }

  @ParameterizedTest
  @CsvSource({"/run/x.pid, /run/x.guard", "/run/x, /run/x.guard", "x.pid.old, x.pid.old.guard"})
  void itIsBesideThePidFile(Path pidFile, Path guard) {
    assertThat((Object) Guard.beside(pidFile)).isEqualTo(guard);
  }

  /** What is in another locale means the same file. */
  @ParameterizedTest
  @ValueSource(strings = {"C", "C.UTF-8"})
  void itHasTheBytesOfThePidFilesNameInEveryLocale(String locale) throws Exception {
    assertThat(ChildJvm.of(Beside.class).startedBy("env", "LC_ALL=" + locale).run().output())
        .isEqualTo("/run/\u00f6\u00ff.guard");
  }

  static final class Beside {
    public static void main(String[] args) {
      byte[] pidFile = "/run/\u00f6\u00ff.pid".getBytes(StandardCharsets.ISO_8859_1);
      System.out.writeBytes(NativePath.bytes(Guard.beside(NativePath.of(pidFile))));
    }
  }

  @Test
  void itIsItsOwnersAlone() throws Exception {
    daemons.start("exec sleep 1000", "sleep");

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(guard())))
        .isEqualTo("rw-------");
    assertThat(Daemons.isListedAsLocked(guard())).isFalse();
  }

  @Test
  void nothingIsMadeWhereThereIsNothing() throws Exception {
    daemons.control().stop(StopPolicy.DEFAULT);
    daemons.control().reload();
    daemons.control().status();

    assertThat(daemons.directory()).isEmptyDirectory();
  }

  @Test
  void whoHoldsItForTooLongIsNamed() throws Exception {
    Process other = daemons.locker(guard());

    assertThatThrownBy(() -> Guard.acquire(guard(), Duration.ofMillis(50)))
        .isInstanceOfSatisfying(
            ControlException.class, busy -> assertThat(busy.reason()).isEqualTo(Reason.BUSY))
        .hasMessage(
            "another action is under way: %s is locked by process %d (sleep)",
            guard(), other.pid());
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "stop", "restart"})
  void anActionWaitsForItsTurn(String action) throws Exception {
    daemons.start("trap '' HUP; while :; do sleep 0.1; done", "sh");
    long pid = Daemons.pid(daemons.pidFile());
    daemons.awaitProgram("sleep");
    Process other = daemons.locker(guard());

    Future<Outcome> waiting = daemons.meanwhile(() -> act(action));
    Thread.sleep(100);
    assertThat(waiting.isDone()).isFalse();
    assertThat(ProcessHandle.of(pid)).isPresent();
    other.destroyForcibly();

    assertThat(waiting.get()).isEqualTo(action.equals("start") ? Outcome.ALREADY_DONE : Outcome.OK);
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "stop", "restart"})
  void theWaitCanBeInterrupted(String action) throws Exception {
    daemons.start("exec sleep 1000", "sleep");
    Process other = daemons.locker(guard());
    Thread[] thread = new Thread[1];
    Future<Outcome> waiting =
        daemons.meanwhile(() -> {
          thread[0] = Thread.currentThread();
          return act(action);
        });
    Daemons.await("the thread", () -> thread[0] != null);
    thread[0].interrupt();

    assertThat(Daemons.failure(waiting)).isInstanceOf(InterruptedException.class);
    other.destroyForcibly();
    assertThat(daemons.control().status().state()).isEqualTo(State.RUNNING);
  }

  private Outcome act(String action) throws Exception {
    return switch (action) {
      case "start" -> daemons.control().start(daemons.daemon("exec sleep 1000"));
      case "stop" -> daemons.control().stop(StopPolicy.DEFAULT).outcome();
      default -> daemons.control().restart(daemons.daemon("exec sleep 1000"), StopPolicy.DEFAULT);
    };
  }

  @Test
  void aSignalGoesThroughMeanwhile() throws Exception {
    long pid = daemons.start("exec sleep 1000", "sleep");
    daemons.locker(guard());

    assertThat(daemons.control().signal(Signal.KILL)).isEqualTo(Outcome.OK);

    Daemons.await("the end", () -> ProcessHandle.of(pid).isEmpty());
  }

  @Test
  void whoWaitsIsToldAtOnceForWhom() throws Exception {
    daemons.start("exec tail -f /dev/null", "tail");
    Process other = daemons.locker(guard());
    BlockingQueue<List<Holder>> told = new LinkedBlockingQueue<>();
    ActionListener listener =
        new ActionListener() {
          @Override
          public void waiting(List<Holder> holders) {
            told.add(holders);
          }
        };

    Future<StopResult> stop =
        daemons.meanwhile(() -> daemons.control().listener(listener).stop(StopPolicy.DEFAULT));

    assertThat(told.take()).containsExactly(new Holder(other.pid(), "sleep"));
    other.destroyForcibly();
    assertThat(stop.get().outcome()).isEqualTo(Outcome.OK);
    assertThat(told).isEmpty();
  }

  @Test
  void twoThreadsTakeTurns() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    StartSpec slow =
        daemon -> {
          assertThat(inside.incrementAndGet()).isEqualTo(1);
          Thread.sleep(20);
          daemons.daemon("exec sleep 1000").start(daemon);
          inside.decrementAndGet();
        };
    List<Future<Outcome>> starts = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      starts.add(daemons.meanwhile(() -> daemons.control().start(slow)));
    }
    List<Outcome> outcomes = new ArrayList<>();
    for (Future<Outcome> start : starts) {
      outcomes.add(start.get());
    }

    assertThat(outcomes).containsOnlyOnce(Outcome.OK).contains(Outcome.ALREADY_DONE).hasSize(8);
    Daemons.await("one daemon", () -> daemons.running("sleep").size() == 1);
  }

  /** Starts under the guard, tells of it, and stays there until its end. */
  static final class Slow {
    public static void main(String[] arguments) throws Exception {
      DaemonControl.of(Path.of(arguments[0]))
          .start(_ -> {
            System.out.println("begun");
            int _ = System.in.read();
          });
    }
  }

  @Test
  void anotherJvmIsWaitedForAndIfItIsKilledTheGuardIsFree() throws Exception {
    Process other = ChildJvm.of(Slow.class).start(daemons.pidFile());
    try (BufferedReader said = other.inputReader()) {
      assertThat(said.readLine()).isEqualTo("begun");
      assertThatThrownBy(() -> Guard.acquire(guard(), Duration.ZERO))
          .hasMessageContaining("is locked by process " + other.pid() + " (java)");
      Future<Outcome> start =
          daemons.meanwhile(() -> daemons.control().start(daemons.daemon("exec sleep 1000")));
      Thread.sleep(100);
      assertThat(start.isDone()).isFalse();

      other.destroyForcibly().waitFor();

      assertThat(start.get()).isEqualTo(Outcome.OK);
    }
  }

  /** Whoever comes in between finds it running. */
  @Test
  void aRestartIsOneAction() throws Exception {
    daemons.start("exec sleep 1000", "sleep");
    List<Future<Outcome>> starts = new ArrayList<>();

    Outcome outcome =
        daemons
            .control()
            .restart(
                daemon -> {
                  assertThat(daemons.control().status().state()).isEqualTo(State.NOT_RUNNING);
                  starts.add(
                      daemons.meanwhile(
                          () -> daemons.control().start(daemons.daemon("exec false"))));
                  Thread.sleep(50);
                  daemons.daemon("exec sleep 1000").start(daemon);
                },
                StopPolicy.DEFAULT);

    assertThat(outcome).isEqualTo(Outcome.OK);
    assertThat(starts.getFirst().get()).isEqualTo(Outcome.ALREADY_DONE);
    Daemons.await("one daemon", () -> daemons.running("sleep").size() == 1);
  }

  @Test
  void aRestartOfWhatDoesNotRunStartsIt() throws Exception {
    DaemonControl control = daemons.control();
    StartSpec daemon = daemons.daemon("exec sleep 1000");

    assertThat(control.restart(daemon, StopPolicy.DEFAULT)).isEqualTo(Outcome.NOT_RUNNING);
    assertThat(control.status().state()).isEqualTo(State.RUNNING);
    Daemons.kill(Daemons.pid(daemons.pidFile()));
    assertThat(control.restart(daemon, StopPolicy.DEFAULT)).isEqualTo(Outcome.STALE);
    assertThat(control.status().state()).isEqualTo(State.RUNNING);
  }

  @Test
  void oneThatWasRemovedIsMadeAgain() throws Exception {
    daemons.start("exec sleep 1000", "sleep");
    Files.delete(guard());
    daemons.control().stop(StopPolicy.DEFAULT);
    assertThat(guard()).exists();
  }

  /** It waits for the old one, and takes the new one that everybody else finds. */
  @Test
  void oneThatIsReplacedMeanwhileIsTakenAnew() throws Exception {
    Files.createFile(guard());
    Process other = daemons.locker(guard());
    Future<Guard> waiting = daemons.meanwhile(() -> Guard.acquire(guard(), Duration.ofMinutes(1)));
    Files.delete(guard());
    try (Guard _ = waiting.get()) {
      assertThat(Daemons.isListedAsLocked(guard())).isTrue();
    }
    other.destroyForcibly();
  }

  @ParameterizedTest
  @ValueSource(strings = {"link", "directory", "FIFO", "socket"})
  @Tag("attack")
  void whateverIsNoRegularFileIsDoneWithoutUnlessItWasGiven(String what) throws Exception {
    switch (what) {
      case "link" -> Files.createSymbolicLink(guard(), daemons.file("x"));
      case "directory" -> Files.createDirectory(guard());
      case "FIFO" -> Command.run("mkfifo", guard().toString());
      default ->
          ServerSocketChannel.open(StandardProtocolFamily.UNIX)
              .bind(UnixDomainSocketAddress.of(guard()))
              .close();
    }

    assertThatThrownBy(
            () -> daemons.control().guard(guard()).start(daemons.daemon("exec sleep 1000")))
        .hasMessageContaining(guard().toString());
    assertThat(daemons.processes()).isEmpty();
    assertNothingRuns();
    assertThat(daemons.control().start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.OK);
    assertThat(daemons.control().stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.OK);
    assertNothingRuns();
    assertThat(daemons.file("x")).doesNotExist();
  }

  private void assertNothingRuns() throws Exception {
    DaemonControl control = daemons.control();
    assertThat(control.status().state()).isEqualTo(State.NOT_RUNNING);
    assertThat(control.stop(StopPolicy.DEFAULT).outcome()).isEqualTo(Outcome.ALREADY_DONE);
    assertThat(control.awaitStop(Duration.ZERO)).isTrue();
  }

  /** Anybody may make it in a sticky directory, where nothing runs. */
  @Test
  @Tag("root")
  @Tag("attack")
  void anotherUsersNamesNoReaders() throws Exception {
    long reader = daemons.bystander("sleep", "1000").pid();
    OutputReader output = Daemons.reader(reader, "|sleep");
    try (Guard own = Guard.acquire(guard(), Duration.ZERO)) {
      own.record(reader, daemons.pidFile(), List.of(output));
    }
    assertThat(daemons.control().status().output()).containsExactly(output);

    Daemons.give(guard(), Daemons.NOBODY);

    assertThat(daemons.control().status().output()).isEmpty();
    StopPolicy atOnce = StopPolicy.of(Signal.TERM, Duration.ZERO);
    Ear ear = new Ear();
    assertThat(daemons.control().listener(ear).stop(atOnce).outcome())
        .isEqualTo(Outcome.ALREADY_DONE);
    assertThat(ear.told).isEmpty();
  }

  /** Anybody may make it in a sticky directory, and hold it. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Tag("root")
  @Tag("attack")
  void anotherUsersIsNotUsedAndFailsTheActionIfItWasSet(boolean held) throws Exception {
    Daemons.give(Files.createFile(guard()), Daemons.NOBODY);
    if (held) {
      daemons.locker(guard());
    }

    assertThat(daemons.control().start(daemons.daemon("exec tail -f /dev/null")))
        .isEqualTo(Outcome.OK);
    assertThatThrownBy(() -> daemons.control().guard(guard()).stop(StopPolicy.DEFAULT))
        .hasMessage(
            "%s belongs to user 65534; a guard must be root's, the caller's or the pidfile owner's",
            guard());
    assertThat(guard()).isEmptyFile();
    Daemons.give(daemons.pidFile(), Daemons.NOBODY);
    if (!held) {
      Guard.acquire(guard(), Duration.ZERO, daemons.pidFile(), new ActionListener() {}).close();
    }
  }

  /** Root's directory, and root's guard, which is not a user's to open, or none. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Tag("root")
  void whereItCannotBeHadTheDefaultOneIsDoneWithoutAndAGivenOneIsNot(boolean exists)
      throws Exception {
    if (exists) {
      Guard.acquire(guard(), Duration.ZERO).close();
    }
    Daemons.give(Files.createFile(daemons.pidFile()), Daemons.NOBODY);
    Process daemon = daemons.locker(daemons.pidFile(), ChildJvm.AS_NOBODY.toArray(String[]::new));
    daemons.name(daemon.pid());

    assertThat(daemons.asNobody("stop", guard()))
        .isEqualTo("open " + guard() + ": Permission denied (EACCES, 13)");
    assertThat(daemon.isAlive()).isTrue();
    assertThat(daemons.asNobody("stop")).isEqualTo("OK");
    assertThat(daemon.waitFor()).isEqualTo(128 + 15);
  }

  @ParameterizedTest
  @ValueSource(strings = {"read-only", "full"})
  @Tag("root")
  void aDaemonOnSuchAFileSystemIsStillSignalled(String state) throws Exception {
    Path mount = Files.createDirectory(daemons.file("mount"));
    Command.run("mount", "-t", "tmpfs", "-o", "nr_inodes=2", "daimon-test", mount.toString());
    try {
      Path pidFile = mount.resolve("d.pid");
      Process daemon = daemons.locker(Files.createFile(pidFile));
      Files.writeString(pidFile, daemon.pid() + "\n");
      if (state.equals("read-only")) {
        Command.run("mount", "-o", "remount,bind,ro", mount.toString());
      }
      DaemonControl control = DaemonControl.of(pidFile);

      assertThat(control.status().state()).isEqualTo(State.RUNNING);
      assertThatThrownBy(() -> control.guard(mount.resolve("given")).stop(StopPolicy.DEFAULT))
          .isInstanceOf(PosixException.class)
          .hasMessageContaining("given");
      assertThat(control.reload()).isEqualTo(Outcome.OK);
      assertThat(daemon.waitFor()).isEqualTo(128 + 1);
      assertThat(control.status().state()).isEqualTo(State.DEAD);
    } finally {
      Command.run("umount", "-l", mount.toString());
    }
  }
}
