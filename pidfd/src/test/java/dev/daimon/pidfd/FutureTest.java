package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class FutureTest {
  private final Children children = new Children();

  @AfterEach
  void end() {
    children.close();
  }

  @Test
  void theEndOfAChildArrives() throws Exception {
    try (PidFd child = PidFd.open(children.sleeper())) {
      CompletableFuture<ExitInfo> exited = child.exited();
      CompletableFuture<PidFd> ended = child.ended();
      assertThat(exited).isNotDone();
      assertThat(ended).isNotDone();

      child.send(Signal.KILL);

      assertThat(exited.get().signal()).contains(Signal.KILL);
      assertThat(ended.get()).isSameAs(child);
    }
  }

  @Test
  void whatIsOverIsToldAtOnce() throws Exception {
    try (PidFd child = PidFd.open(children.shell("exit 4"))) {
      child.awaitExit();

      assertThat(child.ended()).isCompletedWithValue(child);
      assertThat(child.exited()).isCompletedWithValueMatching(i -> i.exitCode().orElse(-1) == 4);
      assertThat(Watched.registrations()).isZero();
    }
  }

  @Test
  void aSecondFutureSaysThatItIsTooLate() throws Exception {
    try (PidFd child = PidFd.open(children.sleeper())) {
      List<CompletableFuture<ExitInfo>> both = List.of(child.exited(), child.exited());

      child.send(Signal.KILL);

      CompletableFuture.allOf(both.toArray(CompletableFuture[]::new))
          .exceptionally(e -> null)
          .get();
      assertThat(both).filteredOn(future -> !future.isCompletedExceptionally()).hasSize(1);
      assertThat(both)
          .filteredOn(future -> future.isCompletedExceptionally())
          .singleElement()
          .satisfies(
              late -> assertThat(late.exceptionNow()).isInstanceOf(AlreadyWaitedException.class));
      assertThat(child.exited().exceptionNow()).isInstanceOf(AlreadyWaitedException.class);
      assertThatThrownBy(child::waitFor).isInstanceOf(AlreadyWaitedException.class);
    }
  }

  @Test
  void theEndOfAForeignProcessArrivesButNotItsStatus() throws Exception {
    try (PidFd foreign = PidFd.open(children.foreign())) {
      assertThat(foreign.exited().exceptionNow()).isInstanceOf(NotAChildException.class);
      CompletableFuture<PidFd> ended = foreign.ended();
      assertThat(ended).isNotDone();

      foreign.send(Signal.KILL);

      assertThat(ended.get()).isSameAs(foreign);
    }
  }

  @Test
  void aRefusedWaitTakesNoOtherOneWithIt() throws Exception {
    try (PidFd foreign = PidFd.open(children.foreign())) {
      CompletableFuture<PidFd> first = foreign.ended();
      assertThat(foreign.exited()).isCompletedExceptionally();
      assertThat(Watched.registrations()).isEqualTo(1);
      first.cancel(false);
      CompletableFuture<PidFd> second = foreign.ended();

      foreign.send(Signal.KILL);

      assertThat(second.get()).isSameAs(foreign);
    }
  }

  static Stream<Named<Consumer<CompletableFuture<?>>>> otherEnds() {
    return Stream.of(
        Named.of("cancelled", future -> future.cancel(false)),
        Named.of("completed", future -> future.complete(null)),
        Named.of("failed", future -> future.completeExceptionally(new IllegalStateException())),
        Named.of("timed out", future -> future.orTimeout(1, TimeUnit.MILLISECONDS)));
  }

  @ParameterizedTest
  @MethodSource("otherEnds")
  void aFutureThatEndsOtherwiseIsNoLongerWatchedForAndTakesNothing(
      Consumer<CompletableFuture<?>> otherEnd) throws Exception {
    try (PidFd child = PidFd.open(children.sleeper())) {
      CompletableFuture<ExitInfo> exited = child.exited();
      CompletableFuture<PidFd> ended = child.ended();
      assertThat(Watched.registrations()).isEqualTo(1);

      otherEnd.accept(exited);
      ProcessSandbox.await("the end of one", exited::isDone);
      assertThat(Watched.registrations()).isEqualTo(1);
      otherEnd.accept(ended);
      ProcessSandbox.await("no registration", () -> Watched.registrations() == 0);

      child.send(Signal.KILL);
      assertThat(child.waitFor().signal()).contains(Signal.KILL);
    }
  }

  @Test
  void aStatusIsNeverLostToACancelInThatMoment() throws Exception {
    for (int round = 0; round < 300; round++) {
      try (PidFd child = PidFd.open(children.shell("exit 6"))) {
        CompletableFuture<ExitInfo> exited = child.exited();
        CompletableFuture<PidFd> ended = child.ended();
        ended.get();
        ExitInfo info = exited.cancel(false) ? child.waitFor() : exited.get();
        assertThat(info.exitCode()).hasValue(6);
      }
    }
  }

  @Test
  void aStatusThatComesDuringACancelIsForTheNextToAsk() throws Exception {
    CountDownLatch cancelled = new CountDownLatch(1);
    CountDownLatch open = new CountDownLatch(1);
    try (PidFd child = PidFd.open(children.sleeper())) {
      CompletableFuture<ExitInfo> exited = child.exited();
      // Runs before the wait itself is forgotten: what was added last is told first.
      CompletableFuture<String> dependent =
          exited.handle((info, failure) -> {
            cancelled.countDown();
            try {
              open.await();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
            return "told";
          });
      Thread canceller = Thread.ofVirtual().start(() -> exited.cancel(false));
      cancelled.await();
      child.send(Signal.KILL);
      // For the cancelled one.
      ProcessSandbox.await("the end", () -> !Files.exists(Path.of("/proc/" + child.pid())));

      ExitInfo info = child.waitFor();

      assertThat(info.signal()).contains(Signal.KILL);
      assertThat(exited).isCancelled();
      open.countDown();
      assertThat(dependent.get()).isEqualTo("told");
      canceller.join();
    }
  }

  @Test
  void closingTheHandleFailsWhatIsPending() throws Exception {
    PidFd child = PidFd.open(children.sleeper());
    CompletableFuture<ExitInfo> exited = child.exited();
    CompletableFuture<PidFd> ended = child.ended();

    child.close();

    for (CompletableFuture<?> each : List.of(exited, ended)) {
      assertThatThrownBy(each::join)
          .isInstanceOf(CancellationException.class)
          .hasStackTraceContaining("the handle of process " + child.pid() + " was closed");
      assertThat(each.isCancelled()).isTrue();
    }
    assertThat(Watched.registrations()).isZero();
  }

  /** The one who closes may hold a lock that it needs. */
  @Test
  void whatDependsOnAFutureDoesNotRunOnTheThreadThatClosesTheHandle() throws Exception {
    PidFd child = PidFd.open(children.sleeper());
    CompletableFuture<Boolean> exited = child.exited().handle((info, failure) -> isOnVirtual());
    CompletableFuture<Boolean> ended = child.ended().handle((process, failure) -> isOnVirtual());

    child.close();

    assertThat(exited.get()).isTrue();
    assertThat(ended.get()).isTrue();
  }

  private static boolean isOnVirtual() {
    return Thread.currentThread().isVirtual();
  }

  @Test
  void whatDependsOnAFutureMayBlockAndWaitItself() throws Exception {
    CountDownLatch open = new CountDownLatch(1);
    try (PidFd first = PidFd.open(children.sleeper());
        PidFd second = PidFd.open(children.sleeper());
        PidFd third = PidFd.open(children.sleeper())) {
      CompletableFuture<Void> blocked =
          first
              .ended()
              .thenAccept(ended -> {
                try {
                  second.awaitExit();
                  open.await();
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      CompletableFuture<ExitInfo> exited = third.exited();
      first.send(Signal.KILL);
      ProcessSandbox.await("both", () -> Watched.registrations() == 2);
      second.send(Signal.KILL);
      third.send(Signal.KILL);

      assertThat(exited.get().signal()).contains(Signal.KILL);
      assertThat(second.waitFor().signal()).contains(Signal.KILL);
      assertThat(blocked).isNotDone();

      open.countDown();
      blocked.get();
    }
  }

  @Test
  void handlesOfTheSameProcessAreWatchedEachByItself() throws Exception {
    int pid = children.sleeper();
    try (PidFd one = PidFd.open(pid);
        PidFd other = PidFd.open(pid)) {
      CompletableFuture<PidFd> first = one.ended();
      CompletableFuture<PidFd> second = other.ended();
      assertThat(Watched.registrations()).isEqualTo(2);
      close(one);
      assertThatThrownBy(first::join).isInstanceOf(CancellationException.class);

      other.send(Signal.KILL);

      assertThat(second.get()).isSameAs(other);
    }
  }

  @Test
  void fiveHundredChildrenAtOnceAreWatchedByOneThread() throws Exception {
    List<PidFd> handles = new ArrayList<>();
    List<CompletableFuture<ExitInfo>> futures = new ArrayList<>();
    try {
      for (int i = 0; i < 500; i++) {
        PidFd child = PidFd.open(children.sleeper());
        handles.add(child);
        futures.add(child.exited());
      }
      assertThat(Watched.registrations()).isEqualTo(500);
      assertThat(Watched.threads()).hasSize(1);
      assertThat(Watched.threads().getFirst().isDaemon()).isTrue();
      assertThat(Watched.epolls()).hasSize(1);

      for (int i = 0; i < 500; i++) {
        handles.get(i).send(Signal.of(i % 2 == 0 ? 9 : 15));
      }

      for (int i = 0; i < 500; i++) {
        assertThat(futures.get(i).get().signal()).contains(Signal.of(i % 2 == 0 ? 9 : 15));
      }
      assertThat(Watched.registrations()).isZero();
    } finally {
      for (PidFd handle : handles) {
        handle.close();
      }
    }
  }

  @Test
  void theThreadIsGoneWhenNothingIsWaitedForAndComesBack() throws Exception {
    for (int round = 0; round < 3; round++) {
      try (PidFd child = PidFd.open(children.sleeper())) {
        CompletableFuture<PidFd> ended = child.ended();
        assertThat(Watched.threads()).hasSize(1);
        Thread thread = Watched.threads().getFirst();
        // By another thread, by its own, by a close.
        switch (round) {
          case 0 -> ended.cancel(false);
          case 1 -> child.send(Signal.KILL);
          default -> close(child);
        }

        assertThat(thread.join(Duration.ofSeconds(30))).isTrue();

        assertThat(Watched.threads()).isEmpty();
        assertThat(Watched.epolls()).isEmpty();
      }
    }
  }

  @Test
  void aDescriptorThatIsClosedBehindTheWatchersBackLeavesNobodyWaiting() throws Exception {
    try (PidFd first = PidFd.open(children.sleeper());
        PidFd second = PidFd.open(children.sleeper())) {
      CompletableFuture<PidFd> one = first.ended();
      CompletableFuture<PidFd> other = second.ended();
      CompletableFuture<Boolean> onVirtual = other.handle((process, failure) -> isOnVirtual());
      assertThat(dev.daimon.posix.call.Files.close(Watched.epolls().getFirst())).isZero();

      first.send(Signal.KILL);

      assertThat(one.handle((process, failure) -> "told").get()).isEqualTo("told");
      // First this: a thread that waits for a future may run the stages that depend on it.
      assertThat(onVirtual.get()).isTrue();
      assertThatThrownBy(other::get).hasRootCauseInstanceOf(PosixException.class);
      CompletableFuture<PidFd> again = second.ended();
      second.send(Signal.KILL);
      assertThat(again.get()).isSameAs(second);
    }
  }

  /** Before its block ends. */
  private static void close(PidFd handle) throws PosixException {
    handle.close();
  }
}
