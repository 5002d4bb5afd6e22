package dev.daimon.readiness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Polling;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WatchdogTest {
  private static final String SELF = Long.toString(ProcessHandle.current().pid());

  private NotifySocket socket;

  @BeforeEach
  void open() throws PosixException {
    socket = NotifySocket.open();
  }

  @AfterEach
  void close() throws Exception {
    // It ends after its close: the next test would take it for its own.
    ProcessSandbox.await("the end of the watchdog", () -> thread().isEmpty());
    socket.close();
  }

  private ServiceNotifier notifier(String micros, String pid) {
    return ServiceNotifier.of(
        Map.of("NOTIFY_SOCKET", socket.address(), "WATCHDOG_USEC", micros, "WATCHDOG_PID", pid));
  }

  private Notification next() throws PosixException {
    int number = socket.descriptor().number();
    while (true) {
      assertThat(Polling.poll(number, Polling.POLLIN, 60_000)).isEqualTo(1);
      Optional<Notification> told = socket.receive();
      if (told.isPresent()) {
        told.get().close();
        return told.get();
      }
    }
  }

  @Test
  void aHealthyServiceIsPingedForAgainAndAgain() throws IOException {
    try (ServiceNotifier notifier = notifier("2000", SELF);
        Watchdog watchdog = notifier.watchdog(() -> true).orElseThrow()) {
      assertThat(watchdog.timeout()).isEqualTo(Duration.ofMillis(2));
      for (int i = 0; i < 10; i++) {
        assertThat(next()).hasToString("process " + SELF + ": WATCHDOG=1");
      }
    }
  }

  @Test
  void theFirstPingComesAtOnce() throws IOException {
    try (ServiceNotifier notifier = notifier(Long.toString(Long.MAX_VALUE), "");
        Watchdog watchdog = notifier.watchdog(() -> true).orElseThrow()) {
      assertThat(watchdog.timeout()).isEqualTo(Duration.parse("PT9223372036854.775807S"));
      assertThat(next().isPing()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1000000",
    "2000, 1000000",
    "2001, 1000500",
    "30000000, 15000000000",
    "9223372036854775807, 4611686018427387500"
  })
  void aPingIsSentTwiceInTheTime(long micros, long nanos) {
    assertThat(Watchdog.interval(micros)).isEqualTo(nanos);
  }

  @Test
  void withoutAManagerTheVariablesDoNotMatter() throws IOException {
    Map<String, String> variables = Map.of("WATCHDOG_USEC", "x", "WATCHDOG_PID", "0");
    try (ServiceNotifier notifier = ServiceNotifier.of(variables)) {
      assertThat(notifier.watchdog(() -> true)).isEmpty();
    }
  }

  @Test
  void betweenTwoPingsItWaits() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    BooleanSupplier check = () -> calls.incrementAndGet() > 0;
    try (ServiceNotifier notifier = notifier("7200000000", SELF);
        Watchdog _ = notifier.watchdog(check).orElseThrow()) {
      assertThat(next().isPing()).isTrue();
      Thread thread = thread().orElseThrow();
      ProcessSandbox.await("the wait", () -> thread.getState() == Thread.State.TIMED_WAITING);
      assertThat(calls).hasValue(1);
    }
  }

  @ParameterizedTest
  @CsvSource({"'', ''", "'', 1", "1000, 1", "1000, 4194305"})
  void aProcessThatNobodyWatchesHasNoThread(String micros, String pid) throws IOException {
    try (ServiceNotifier notifier = notifier(micros, pid)) {
      assertThat(notifier.watchdog(() -> true)).isEmpty();
    }
    assertThat(thread()).isEmpty();
  }

  private static Optional<Thread> thread() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("daimon-watchdog"))
        .findAny();
  }

  @ParameterizedTest
  @CsvSource({
    "x, '', WATCHDOG_USEC=x: not a number of microseconds",
    "0, '', WATCHDOG_USEC=0: not a number of microseconds",
    "-1, '', WATCHDOG_USEC=-1: not a number of microseconds",
    "9223372036854775808, '', WATCHDOG_USEC=9223372036854775808: not a number of microseconds",
    "1000, x, WATCHDOG_PID=x: not a process id",
    "1000, 0, WATCHDOG_PID=0: not a process id"
  })
  void aVariableThatIsNoNumberIsOneLine(String micros, String pid, String line) throws IOException {
    try (ServiceNotifier notifier = notifier(micros, pid)) {
      assertThatThrownBy(() -> notifier.watchdog(() -> true))
          .isExactlyInstanceOf(IOException.class)
          .hasMessage(line);
    }
  }

  @Test
  void aServiceThatIsNotHealthySaysSoOnceAndIsNotPingedFor() throws IOException {
    AtomicInteger calls = new AtomicInteger();
    BooleanSupplier check =
        () ->
            switch (calls.getAndIncrement()) {
              case 1, 2, 3 -> false;
              case 5, 6 -> throw new IllegalStateException("no connection\nto the\u001b database");
              case 8 -> throw new OutOfMemoryError();
              default -> true;
            };
    try (ServiceNotifier notifier = notifier("1000", SELF)) {
      assertThat(notifier.status("serves")).isTrue();
      assertThat(next().status()).hasValue("serves");
      try (Watchdog _ = notifier.watchdog(check).orElseThrow()) {
        assertThat(next().isPing()).isTrue();
        assertThat(next().status()).hasValue("watchdog: no ping, the health check fails");
        assertThat(next().isPing()).isTrue();
        assertThat(next().status()).hasValue("serves");
        assertThat(next().status())
            .hasValue(
                "watchdog: no ping, the health check threw java.lang.IllegalStateException: no"
                    + " connection to the  database");
        assertThat(next().isPing()).isTrue();
        assertThat(next().status()).hasValue("serves");
        assertThat(next().status())
            .hasValue("watchdog: no ping, the health check threw java.lang.OutOfMemoryError");
        assertThat(next().isPing()).isTrue();
        assertThat(next().status()).hasValue("serves");
        assertThat(next().isPing()).isTrue();
      }
    }
  }

  @Test
  void theStatusThatAnotherProcessHasSentIsRestored() throws IOException {
    AtomicInteger calls = new AtomicInteger();
    try (ServiceNotifier notifier = notifier("1000", SELF)) {
      notifier.assumeStatus("loading");
      assertThat(socket.receive()).isEmpty();
      try (Watchdog _ = notifier.watchdog(() -> calls.getAndIncrement() != 0).orElseThrow()) {
        assertThat(next().status()).hasValue("watchdog: no ping, the health check fails");
        assertThat(next().isPing()).isTrue();
        assertThat(next().status()).hasValue("loading");
      }
    }
  }

  @Test
  void aCheckThatHangsIsNoPingAndIsInterruptedByTheEnd() throws Exception {
    CountDownLatch hangs = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    AtomicInteger calls = new AtomicInteger();
    BooleanSupplier check =
        () -> {
          if (calls.getAndIncrement() == 0) {
            return true;
          }
          hangs.countDown();
          try {
            Thread.currentThread().join();
          } catch (InterruptedException ended) {
            interrupted.countDown();
          }
          return true;
        };
    try (ServiceNotifier notifier = notifier("1000", SELF)) {
      Watchdog watchdog = notifier.watchdog(check).orElseThrow();
      assertThat(next().isPing()).isTrue();
      assertThat(hangs.await(1, TimeUnit.MINUTES)).isTrue();
      Thread thread = thread().orElseThrow();
      assertThat(thread.isDaemon()).isTrue();

      watchdog.close();
      watchdog.close();

      assertThat(interrupted.await(1, TimeUnit.MINUTES)).isTrue();
      thread.join();
      assertThat(socket.receive()).isEmpty();
    }
  }

  @Test
  void aWatchdogThatWaitsEndsAtOnce() throws Exception {
    try (ServiceNotifier notifier = notifier("3600000000", SELF)) {
      Watchdog watchdog = notifier.watchdog(() -> true).orElseThrow();
      Thread thread = thread().orElseThrow();
      assertThat(next().isPing()).isTrue();
      watchdog.close();
      thread.join();
    }
  }

  @Test
  void aPingThatIsLostDoesNotEndTheNextOnes() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    CountDownLatch later = new CountDownLatch(5);
    socket.close();
    try (ServiceNotifier notifier = notifier("1000", SELF);
        Watchdog _ =
            notifier
                .watchdog(() -> {
                  later.countDown();
                  return calls.getAndIncrement() >= 0;
                })
                .orElseThrow()) {
      assertThat(later.await(1, TimeUnit.MINUTES)).isTrue();
    }
  }

  @Test
  void aCheckThatInterruptsItsThreadDoesNotMakeItSpin() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    try (ServiceNotifier notifier = notifier("3600000000", SELF);
        Watchdog _ =
            notifier
                .watchdog(() -> {
                  Thread.currentThread().interrupt();
                  calls.incrementAndGet();
                  return true;
                })
                .orElseThrow()) {
      assertThat(next().isPing()).isTrue();
      Thread thread = thread().orElseThrow();
      while (thread.getState() != Thread.State.TIMED_WAITING) {
        Thread.onSpinWait();
      }
      assertThat(calls).hasValue(1);
    }
  }
}
