package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Errno;
import dev.daimon.posix.Resource;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.OwnChildren;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WaitForTest {
  private static final Duration LONG = Duration.ofSeconds(50);

  private final Children children = new Children();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void end() {
    threads.shutdownNow();
    children.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7, 255})
  void anExitCodeIsTold(int code) throws Exception {
    try (PidFd child = PidFd.open(children.shell("exit " + code))) {
      ExitInfo info = child.waitFor();

      assertThat(info.exitCode()).hasValue(code);
      assertThat(info.signal()).isEmpty();
      assertThat(info.coreDumped()).isFalse();
    }
  }

  static final class WithoutThread {
    public static void main(String[] args) throws Exception {
      try (Children children = new Children();
          PidFd child = PidFd.open(children.sleeper())) {
        // One process of this user, with all its threads, runs already.
        long[] before = new long[2];
        Limits.getrlimit(0, Resource.NPROC.number(), before);
        Limits.setrlimit(Resource.NPROC.number(), 1, before[1]);
        try {
          child.waitFor();
        } catch (OutOfMemoryError noThread) {
          System.out.println("no thread");
        }
        Limits.setrlimit(Resource.NPROC.number(), before[0], before[1]);
        child.send(Signal.KILL);
        System.out.println(child.waitFor(LONG).isPresent());
      }
    }
  }

  @Test
  @Tag("root")
  void afterAThreadWasLackingItWaitsAgain(@TempDir Path classes) throws Exception {
    assertThat(
            ChildJvm.of(WithoutThread.class)
                .startedBy(ChildJvm.AS_NOBODY)
                .copied(classes)
                .option("-Xlog:disable")
                .run()
                .lines())
        .containsExactly("no thread", "true");
  }

  @ParameterizedTest
  @ValueSource(ints = {9, 15, 64})
  void aSignalThatEndedItIsTold(int signal) throws Exception {
    try (PidFd child = PidFd.open(children.sleeper())) {
      child.send(Signal.of(signal));

      ExitInfo info = child.waitFor();

      assertThat(info.exitCode()).isEmpty();
      assertThat(info.signal()).contains(Signal.of(signal));
      assertThat(info.coreDumped()).isFalse();
    }
  }

  @Test
  @Tag("python3")
  void aCoreDumpIsToldAsPythonTellsIt(@TempDir Path directory) throws Exception {
    String script = "cd " + directory + " && ulimit -S -c \"$(ulimit -H -c)\"; kill -ABRT $$";
    String oracle =
        Command.run(
            "python3",
            "-c",
            "import os, sys; print(os.WCOREDUMP(os.waitpid(os.spawnv(os.P_NOWAIT, '/bin/sh',"
                + " ['sh', '-c', sys.argv[1]]), 0)[1]))",
            script);

    try (PidFd child = PidFd.open(children.shell(script))) {
      ExitInfo info = child.waitFor();

      assertThat(info.signal()).contains(Signal.of(6));
      assertThat(info.coreDumped()).isEqualTo(oracle.equals("True"));
    }
  }

  @Test
  void whatItHasUsedIsTold() throws Exception {
    String inTheKernel = "dd if=/dev/zero of=/dev/null bs=300M count=2 2>/dev/null";
    String inTheProgram = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done";
    try (PidFd child = PidFd.open(children.shell(inTheKernel + "; " + inTheProgram))) {
      ResourceUsage usage = child.waitFor().usage();

      assertThat(usage.systemTime()).isBetween(Duration.ofMillis(1), LONG);
      assertThat(usage.userTime()).isBetween(Duration.ofMillis(1), LONG);
      assertThat(usage.peakMemory()).as("bytes").isBetween(300L << 20, 4_000L << 20);
      assertThat(usage.minorFaults()).isBetween(500L, 1_000_000L);
      assertThat(usage.majorFaults()).isBetween(0L, 10_000L);
      assertThat(usage.voluntarySwitches()).as("for its own children").isBetween(1L, 100_000L);
      assertThat(usage.involuntarySwitches()).isNotNegative();
    }
  }

  @Test
  void aSecondWaitSaysSo() throws Exception {
    int pid = children.shell("exit 0");
    try (PidFd child = PidFd.open(pid);
        PidFd another = PidFd.open(pid)) {
      child.waitFor();

      assertThatThrownBy(child::waitFor)
          .isInstanceOfSatisfying(
              AlreadyWaitedException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ECHILD))
          .hasMessage(
              "waitid "
                  + pid
                  + " (it was a child, and was already waited for): No child processes (ECHILD, 10)");
      assertThatThrownBy(() -> child.waitFor(Duration.ZERO))
          .isInstanceOf(AlreadyWaitedException.class);
      assertThatThrownBy(another::waitFor).isInstanceOf(AlreadyWaitedException.class);
      assertThat(child.awaitExit(Duration.ZERO)).isTrue();
    }
  }

  @Test
  void aChildThatWasWaitedForIsForgottenSinceItsIdMayBecomeAnothers() throws Exception {
    int pid = children.shell("exit 0");
    try (PidFd child = PidFd.open(pid)) {
      child.awaitExit();
      assertThat(OwnChildren.mark(pid)).isNotNull();

      child.waitFor();

      assertThat(OwnChildren.mark(pid)).isNull();
    }
  }

  @Test
  void ofTwoThatRaceOneIsToldAndTheOtherIsTooLate() throws Exception {
    for (int round = 0; round < 50; round++) {
      int pid = children.sleeper();
      try (PidFd child = PidFd.open(pid);
          PidFd another = PidFd.open(pid)) {
        Future<ExitInfo> first = threads.submit(() -> child.waitFor());
        PidFd either = round % 2 == 0 ? child : another;
        Future<ExitInfo> second = threads.submit(() -> either.waitFor());
        int registrations = round % 2 == 0 ? 1 : 2;
        if (round < 4) {
          ProcessSandbox.await("both to wait", () -> Watched.registrations() == registrations);
        }
        child.send(Signal.KILL);

        List<Object> outcomes = List.of(outcome(first), outcome(second));

        assertThat(outcomes).filteredOn(ExitInfo.class::isInstance).hasSize(1);
        assertThat(outcomes).filteredOn(AlreadyWaitedException.class::isInstance).hasSize(1);
      }
    }
  }

  private static Object outcome(Future<?> future) throws InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException failed) {
      return failed.getCause();
    }
  }

  @Test
  void theEndOfAForeignProcessIsAwaitedButItsStatusIsNotTaken() throws Exception {
    int pid = children.foreign();
    try (PidFd foreign = PidFd.open(pid)) {
      assertThatThrownBy(foreign::waitFor)
          .isInstanceOf(NotAChildException.class)
          .hasMessage(
              "waitid "
                  + pid
                  + " (it is no child that Daimon has started): No child processes (ECHILD, 10)");
      assertThat(foreign.awaitExit(Duration.ofMillis(1))).isFalse();

      foreign.send(Signal.KILL);

      assertThat(foreign.awaitExit(LONG)).isTrue();
      foreign.awaitExit();
      assertThatThrownBy(foreign::waitFor).isInstanceOf(NotAChildException.class);
    }
  }

  @Test
  void aTimeThatIsOverTakesNothing() throws Exception {
    try (PidFd child = PidFd.open(children.sleeper())) {
      assertThat(child.waitFor(Duration.ofMillis(20))).isEmpty();
      assertThat(child.waitFor(Duration.ZERO)).isEmpty();
      assertThat(child.waitFor(Duration.ofSeconds(Long.MIN_VALUE))).isEmpty();
      assertThat(Watched.registrations()).isZero();

      child.send(Signal.KILL);

      assertThat(child.waitFor(Duration.ofSeconds(Long.MAX_VALUE))).isPresent();
    }
  }

  @Test
  void aStatusIsNeverLostToATimeThatIsOverInThatMoment() throws Exception {
    for (int round = 0; round < 200; round++) {
      try (PidFd child = PidFd.open(children.shell("exit 5"))) {
        ExitInfo info = null;
        while (info == null) {
          info = child.waitFor(Duration.ofNanos(100_000)).orElse(null);
        }
        assertThat(info.exitCode()).hasValue(5);
      }
    }
  }

  @Test
  void anInterruptedWaitEndsAndTakesNothing() throws Exception {
    try (PidFd child = PidFd.open(children.sleeper())) {
      Future<?> waiting = threads.submit(() -> child.waitFor());
      Future<?> awaiting = threads.submit(() -> child.awaitExit(LONG));
      ProcessSandbox.await("the waits", () -> Watched.registrations() == 1);

      threads.shutdownNow();

      assertThat(outcome(waiting)).isInstanceOf(InterruptedException.class);
      assertThat(outcome(awaiting)).isInstanceOf(InterruptedException.class);
      assertThat(Watched.registrations()).isZero();
      child.send(Signal.KILL);
      assertThat(child.waitFor().signal()).contains(Signal.KILL);
    }
  }

  @Test
  void whoWaitsForAHandleThatIsClosedIsTold() throws Exception {
    int pid = children.sleeper();
    PidFd one = PidFd.open(pid);
    PidFd other = PidFd.open(pid);
    List<Future<?>> waits = new ArrayList<>();
    waits.add(threads.submit(() -> one.waitFor()));
    waits.add(threads.submit(() -> other.awaitExit(LONG)));
    ProcessSandbox.await("the waits", () -> Watched.registrations() == 2);

    one.close();
    other.close();

    for (Future<?> wait : waits) {
      assertThat(outcome(wait)).isInstanceOf(CancellationException.class);
    }
    assertThat(Watched.registrations()).isZero();
  }

  @Test
  void aChildOfTheJdkIsWatchedAndItsStatusLeftToTheJdk() throws Exception {
    Process child = new ProcessBuilder("sh", "-c", "read line; exit 7").start();
    try (PidFd process = PidFd.of(child.toHandle());
        PidFd byId = PidFd.open(child.pid())) {
      assertThatThrownBy(process::waitFor).isInstanceOf(NotAChildException.class);
      assertThatThrownBy(byId::waitFor).isInstanceOf(NotAChildException.class);
      assertThat(byId.exited().exceptionNow()).isInstanceOf(NotAChildException.class);
      assertThat(process.awaitExit(Duration.ZERO)).isFalse();

      child.getOutputStream().close();

      process.awaitExit();
      assertThat(child.waitFor()).isEqualTo(7);
      assertThatThrownBy(process::waitFor).isInstanceOf(NotAChildException.class);
      assertThatThrownBy(byId::waitFor).isInstanceOf(NotAChildException.class);
    } finally {
      child.destroyForcibly();
    }
  }

  @Test
  @Tag("python3")
  void aChildWhoseThreadsOutliveTheFirstOneHasNotEnded() throws Exception {
    String script =
        """
        import ctypes, threading
        threading.Thread(target=input).start()
        ctypes.CDLL(None).pthread_exit(None)
        """;
    Process child = new ProcessBuilder("python3", "-c", script).start();
    try (PidFd process = PidFd.of(child.toHandle())) {
      String pid = Long.toString(child.pid());
      ProcessSandbox.await("a zombie", () -> Proc.status(pid, "State").startsWith("Z"));

      assertThat(process.isAlive()).isTrue();
      assertThat(process.awaitExit(Duration.ofMillis(10))).isFalse();

      child.getOutputStream().close();
      process.awaitExit();
    } finally {
      child.destroyForcibly();
    }
  }

  /** A tracer is told of the end first; the parent only when the tracer has let go. */
  @Test
  @Tag("root")
  @Tag("python3")
  void aTracedChildHasEndedBeforeItsStatusIsToBeHad() throws Exception {
    String script =
        """
        import ctypes, sys
        PTRACE_SEIZE = 0x4206
        ctypes.CDLL(None).ptrace(PTRACE_SEIZE, int(sys.argv[1]), None, None)
        sys.stdin.read()
        """;
    int pid = children.sleeper();
    Process tracer = new ProcessBuilder("python3", "-c", script, "" + pid).start();
    try (PidFd child = PidFd.open(pid)) {
      String number = Integer.toString(pid);
      ProcessSandbox.await("a tracer", () -> !Proc.status(number, "TracerPid").equals("0"));
      Future<ExitInfo> waiting = threads.submit(() -> child.waitFor());
      Future<ExitInfo> future = child.exited();
      ProcessSandbox.await("the waits", () -> Watched.registrations() == 1);

      child.send(Signal.KILL);
      child.awaitExit();

      assertThat(child.isAlive()).isFalse();
      long before = Watched.processorTime();
      assertThat(child.waitFor(Duration.ofMillis(200))).isEmpty();
      assertThat(Duration.ofNanos(Watched.processorTime() - before))
          .as("of the watcher, which has nothing to do")
          .isLessThan(Duration.ofMillis(20));
      assertThat(waiting).isNotDone();
      assertThat(future).isNotDone();
      tracer.getOutputStream().close();
      List<Object> outcomes = List.of(outcome(waiting), outcome(future));
      assertThat(outcomes).filteredOn(ExitInfo.class::isInstance).hasSize(1);
      assertThat(outcomes).filteredOn(AlreadyWaitedException.class::isInstance).hasSize(1);
    } finally {
      tracer.destroyForcibly();
    }
  }
}
