package dev.daimon.readiness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Polling;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sender and receiver in this very process: they do not care where they are. */
class ServiceNotifierTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private NotifySocket socket;
  private ServiceNotifier notifier;

  @BeforeEach
  void open() throws PosixException {
    socket = NotifySocket.open();
    notifier = to(socket.address());
  }

  @AfterEach
  void close() throws IOException {
    notifier.close();
    socket.close();
  }

  private static ServiceNotifier to(String address) {
    return ServiceNotifier.of(Map.of("NOTIFY_SOCKET", address));
  }

  private Notification received() throws PosixException {
    Notification told = socket.receive().orElseThrow();
    told.close();
    return told;
  }

  @Test
  void readyIsOneAssignment() throws IOException {
    assertThat(notifier.isPresent()).isTrue();
    assertThat(notifier.ready()).isTrue();

    Notification told = received();
    assertThat(told.isReady()).isTrue();
    assertThat(told).hasToString("process " + ProcessHandle.current().pid() + ": READY=1");
    assertThat(socket.receive()).isEmpty();
  }

  @Test
  void readyAndTheMainProcessAreOneMessage() throws IOException {
    assertThat(notifier.readyAs(4711)).isTrue();

    Notification told = received();
    assertThat(told.isReady()).isTrue();
    assertThat(told.mainPid()).hasValue(4711);
  }

  @Test
  void theMainProcessIsToldAlone() throws IOException {
    assertThat(notifier.mainPid(1)).isTrue();

    Notification told = received();
    assertThat(told.isReady()).isFalse();
    assertThat(told.mainPid()).hasValue(1);
  }

  @Test
  void theHighestProcessIdIsOne() throws IOException {
    assertThat(notifier.mainPid(Integer.MAX_VALUE)).isTrue();
    assertThat(received().mainPid()).hasValue(Integer.MAX_VALUE);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, 1L << 31, Long.MIN_VALUE})
  void whatIsNoProcessIdIsRefused(long pid) throws IOException {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> notifier.mainPid(pid))
        .withMessage("not a process id: " + pid);
    assertThatIllegalArgumentException().isThrownBy(() -> notifier.readyAs(pid));
    assertThat(socket.receive()).isEmpty();
  }

  @Test
  void aReloadCarriesTheTimeOfTheMonotonicClock() throws IOException {
    long before = System.nanoTime() / 1000;
    assertThat(notifier.reloading()).isTrue();

    Notification told = received();
    assertThat(told.isReloading()).isTrue();
    assertThat(Long.parseLong(told.value("MONOTONIC_USEC").orElseThrow()))
        .isBetween(before, System.nanoTime() / 1000);
  }

  @Test
  void aStopIsTold() throws IOException {
    assertThat(notifier.stopping()).isTrue();
    assertThat(received().isStopping()).isTrue();
  }

  @Test
  void anErrorIsToldByItsNumber() throws IOException {
    assertThat(notifier.errno(Errno.ENOENT)).isTrue();
    assertThat(received().errno()).hasValue(Errno.ENOENT);
  }

  @ParameterizedTest
  @CsvSource({
    "PT0.000001S, 1",
    "PT0.0000019S, 1",
    "PT30S, 30000000",
    "PT9223372036854.775807S, 9223372036854775807",
    "PT9223372036855S, 9223372036854775807",
    "PT2562047788015215H, 9223372036854775807"
  })
  void moreTimeIsAskedForInMicroseconds(Duration time, String micros) throws IOException {
    assertThat(notifier.extendTimeout(time)).isTrue();
    assertThat(received().value("EXTEND_TIMEOUT_USEC")).hasValue(micros);
  }

  @ParameterizedTest
  @ValueSource(strings = {"PT0S", "PT0.000000999S", "PT-1S", "PT-2562047788015215H"})
  void lessThanAMicrosecondIsNotMoreTime(Duration time) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> notifier.extendTimeout(time))
        .withMessageStartingWith("shorter than a microsecond: ");
  }

  @Test
  void aStatusIsALine() throws IOException {
    assertThat(notifier.status("räumt auf\nREADY=1\r\0MAINPID=1\tx\u0085")).isTrue();

    Notification told = received();
    assertThat(told.status()).hasValue("räumt auf READY=1  MAINPID=1 x ");
    assertThat(told.isReady()).isFalse();
    assertThat(told.mainPid()).isEmpty();
  }

  @Test
  void aLongStatusIsCutWithinFourKibibytesAndNotInACharacter() throws IOException {
    assertThat(notifier.status("€".repeat(100_000))).isTrue();
    assertThat(received().status()).hasValue("€".repeat((4096 - "STATUS=".length()) / 3));
    assertThat(notifier.status("x".repeat(4096))).isTrue();
    assertThat(received().status()).hasValue("x".repeat(4096 - "STATUS=".length()));
    assertThat(socket.dropped()).isZero();
  }

  @Test
  void withoutAManagerNothingIsDone() throws IOException {
    var before = Proc.descriptors("self");
    for (Map<String, String> environment :
        List.of(Map.<String, String>of(), Map.of("NOTIFY_SOCKET", ""))) {
      try (ServiceNotifier none = ServiceNotifier.of(environment)) {
        assertThat(none.isPresent()).isFalse();
        assertThat(none.ready()).isFalse();
        assertThat(none.readyAs(1)).isFalse();
        assertThat(none.status("x")).isFalse();
        assertThat(none.reloading()).isFalse();
        assertThat(none.stopping()).isFalse();
        assertThat(none.mainPid(1)).isFalse();
        assertThat(none.extendTimeout(MINUTE)).isFalse();
        assertThat(none.errno(Errno.EPERM)).isFalse();
        assertThat(none.storeDescriptors("x", List.of(socket.descriptor()))).isFalse();
        assertThat(none.barrier(MINUTE)).isFalse();
        assertThat(none.watchdog(() -> true)).isEmpty();
      }
    }
    assertThat(before).containsAllEntriesOf(Proc.descriptors("self"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          vsock:2:1234         | a vsock address, which Daimon does not support
          vsock-stream:2:1234  | a vsock address, which Daimon does not support
          relative             | neither an absolute path nor an abstract name (@NAME)
          ./relative           | neither an absolute path nor an abstract name (@NAME)
          /                    | not the path of a socket
          @                    | an empty name
          """)
  void anUnusableAddressFailsEachMessageWithOneLine(String address, String why) throws IOException {
    try (ServiceNotifier unusable = to(address)) {
      assertThat(unusable.isPresent()).isTrue();
      String message = "NOTIFY_SOCKET=" + address + ": " + why;
      assertThatThrownBy(unusable::ready)
          .isExactlyInstanceOf(IOException.class)
          .hasMessage(message);
      assertThatThrownBy(() -> unusable.status("x")).hasMessage(message);
      assertThatThrownBy(() -> unusable.barrier(MINUTE)).hasMessage(message);
      var wanted = ServiceNotifier.of(Map.of("NOTIFY_SOCKET", address, "WATCHDOG_USEC", "1000000"));
      assertThatThrownBy(() -> wanted.watchdog(() -> true)).hasMessage(message);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "@"})
  void anAddressThatIsTooLongIsRefusedAndTheLongestIsNot(String start) throws IOException {
    String longest = start + "x".repeat(106);
    try (ServiceNotifier fits = to(longest);
        ServiceNotifier tooLong = to(longest + "x")) {
      assertThatThrownBy(fits::ready).isInstanceOf(PosixException.class);
      assertThatThrownBy(tooLong::ready)
          .hasMessage(
              "NOTIFY_SOCKET="
                  + longest
                  + "x: longer than the 107 bytes that an address has room for");
    }
  }

  @Test
  void anAddressIsShownWithoutHiddenCharacters() throws IOException {
    try (ServiceNotifier unusable = to("x\u001b[2J\n")) {
      assertThatThrownBy(unusable::ready).hasMessageStartingWith("NOTIFY_SOCKET=x?[2J?: ");
    }
  }

  @Test
  void aSocketThatIsNotThereIsNamed(@TempDir Path directory) throws IOException {
    String path = directory.resolve("none").toString();
    try (ServiceNotifier lost = to(path)) {
      assertThatThrownBy(lost::ready)
          .isInstanceOf(PosixException.class)
          .hasMessage("connect NOTIFY_SOCKET " + path + ": No such file or directory (ENOENT, 2)");
    }
  }

  @Test
  void aSocketThatNobodyReadsIsNamed() throws IOException {
    assertThat(notifier.ready()).isTrue();
    socket.close();

    String name = "NOTIFY_SOCKET " + socket.address();
    String refused = ": Connection refused (ECONNREFUSED, 111); nobody reads it";
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(notifier::ready).hasMessage("connect " + name + refused);
    }
    try (ServiceNotifier late = to(socket.address())) {
      assertThatThrownBy(late::ready).hasMessage("connect " + name + refused);
    }
  }

  @Test
  void descriptorsAreClosedAfterEachFailure() throws IOException {
    try (ServiceNotifier lost = to("@daimon-nobody")) {
      var before = Proc.descriptors("self");
      assertThatThrownBy(lost::ready).isInstanceOf(PosixException.class);
      assertThatThrownBy(() -> lost.barrier(MINUTE)).isInstanceOf(PosixException.class);
      assertThat(before).containsAllEntriesOf(Proc.descriptors("self"));
    }
  }

  @Test
  void aClosedNotifierOpensItsSocketAgain() throws IOException {
    assertThat(notifier.ready()).isTrue();
    notifier.close();
    notifier.close();
    assertThat(notifier.stopping()).isTrue();

    assertThat(received().isReady()).isTrue();
    assertThat(received().isStopping()).isTrue();
  }

  /** Fills the receiver's queue; returns how many messages fit. */
  private int fill() throws IOException {
    int count = 0;
    while (notifier.status("x")) {
      count++;
    }
    return count;
  }

  @Test
  void aFullQueueDropsAStatusAndEndsTheWaitOfAnyOtherMessage() throws IOException {
    int count = fill();
    assertThat(count).isPositive();

    assertThat(notifier.status("dropped")).isFalse();
    assertThatThrownBy(notifier::ready)
        .isInstanceOf(PosixException.class)
        .hasMessage(
            "sendmsg NOTIFY_SOCKET "
                + socket.address()
                + ": Resource temporarily unavailable (EAGAIN, 11)"
                + "; its reader does not read, and its queue is full");
    assertThatThrownBy(() -> notifier.barrier(Duration.ofMillis(1)))
        .hasMessageEndingWith("(EAGAIN, 11); its reader does not read, and its queue is full");

    for (int i = 0; i < count; i++) {
      assertThat(received().status()).hasValue("x");
    }
    assertThat(socket.receive()).isEmpty();
  }

  @Test
  void aMessageIsSentAsSoonAsThereIsRoom() throws Exception {
    fill();
    var sent = new CompletableFuture<Boolean>();
    Thread thread =
        Thread.ofVirtual()
            .start(() -> {
              try {
                sent.complete(notifier.ready());
              } catch (IOException failure) {
                sent.completeExceptionally(failure);
              }
            });
    while (!sent.isDone()) {
      Optional<Notification> told = socket.receive();
      if (told.isPresent()) {
        told.get().close();
      }
    }
    thread.join();
    assertThat(sent.get()).isTrue();
  }

  @Test
  void aBarrierWaitsUntilTheReceiverHasReadAll() throws Exception {
    var passed = new CompletableFuture<Boolean>();
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              try {
                boolean _ = notifier.ready();
                passed.complete(notifier.barrier(MINUTE));
              } catch (IOException failure) {
                passed.completeExceptionally(failure);
              }
            });
    await();
    assertThat(received().isReady()).isTrue();
    await();
    assertThat(passed).isNotDone();
    assertThat(received().value("BARRIER")).hasValue("1");
    assertThat(passed.get(1, TimeUnit.MINUTES)).isTrue();
    thread.join();
  }

  private void await() throws PosixException {
    int number = socket.descriptor().number();
    assertThat(Polling.poll(number, Polling.POLLIN, 60_000)).isEqualTo(1);
  }

  @Test
  void aBarrierThatNobodyAnswersEnds() throws IOException {
    var before = Proc.descriptors("self");
    assertThatThrownBy(() -> notifier.barrier(Duration.ZERO))
        .isInstanceOf(PosixException.class)
        .hasMessageContaining("barrier NOTIFY_SOCKET @daimon-notify-")
        .hasMessageEndingWith("(ETIMEDOUT, 110); its reader has not read all messages");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> notifier.barrier(Duration.ofNanos(-1)))
        .withMessage("a negative timeout: PT-0.000000001S");
    notifier.close();
    assertThat(before).containsAllEntriesOf(Proc.descriptors("self"));
  }

  @Test
  void aBarrierMayWaitForEver() throws Exception {
    Thread reader =
        Thread.ofPlatform()
            .start(() -> {
              try {
                await();
                assertThat(received().value("BARRIER")).isPresent();
              } catch (PosixException failure) {
                throw new AssertionError(failure);
              }
            });
    assertThat(notifier.barrier(Duration.ofSeconds(Long.MAX_VALUE))).isTrue();
    reader.join();
  }

  @Test
  void aNameOfDescriptorsIsCheckedBeforeAnythingIsSent() throws IOException {
    List<Descriptor> one = List.of(socket.descriptor());
    for (String name : List.of("a:b", "a\nb", "\u007f", "ä", "x".repeat(256))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> notifier.storeDescriptors(name, one))
          .withMessageStartingWith("not a name of descriptors");
    }
    for (int count : new int[] {0, 254}) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> notifier.storeDescriptors("x", Collections.nCopies(count, socket.descriptor())))
          .withMessage("not a number of descriptors for one message, from 1 to 253: " + count);
    }
    assertThat(socket.receive()).isEmpty();
    assertThat(notifier.storeDescriptors("", one)).isTrue();
    assertThat(received().value("FDNAME")).hasValue("");
    assertThat(notifier.storeDescriptors("x".repeat(255), Collections.nCopies(253, one.getFirst())))
        .isTrue();
    Notification told = received();
    assertThat(told.value("FDSTORE")).hasValue("1");
    assertThat(told.value("FDNAME")).hasValue("x".repeat(255));
  }

  /** Ten lines of another language, which have nothing of this code in them. */
  @Test
  @Tag("python3")
  void aForeignReceiverByPathGetsTextAndDescriptors(@TempDir Path directory) throws Exception {
    Path path = directory.resolve("söcket ?");
    String script =
        """
        import os, socket, sys
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind(sys.argv[1].encode()); print("bound", flush=True)
        while True:
            text, fds, flags, _ = socket.recv_fds(s, 4096, 3)
            for fd in fds:
                os.write(fd, b"from the manager"); os.close(fd)
            print(repr(text), len(fds), flush=True)
        """;
    Process python =
        new ProcessBuilder("python3", "-c", script, path.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    int[] pipe = new int[2];
    assertThat(Files.pipe(Files.O_CLOEXEC, pipe)).isZero();
    try (var lines = python.inputReader(UTF_8);
        ServiceNotifier other = to(path.toString());
        Descriptor read = Descriptor.adopt(pipe[0]);
        Descriptor write = Descriptor.adopt(pipe[1])) {
      assertThat(lines.readLine()).isEqualTo("bound");
      assertThat(other.status("grüßt")).isTrue();
      assertThat(lines.readLine()).isEqualTo("b'STATUS=gr\\xc3\\xbc\\xc3\\x9ft' 0");
      assertThat(other.storeDescriptors("pipe", List.of(write))).isTrue();
      assertThat(lines.readLine()).isEqualTo("b'FDSTORE=1\\nFDNAME=pipe' 1");
      byte[] bytes = new byte[100];
      assertThat(Files.read(read.number(), bytes)).isEqualTo(16);
      assertThat(other.barrier(MINUTE)).isTrue();
      assertThat(lines.readLine()).isEqualTo("b'BARRIER=1' 1");
      assertThat(other.readyAs(7)).isTrue();
      assertThat(lines.readLine()).isEqualTo("b'MAINPID=7\\nREADY=1' 0");

      // The open socket outlives its path, and a new socket there is found.
      java.nio.file.Files.delete(path);
      assertThat(other.stopping()).isTrue();
      assertThat(lines.readLine()).isEqualTo("b'STOPPING=1' 0");
    } finally {
      python.destroyForcibly().waitFor();
    }
  }

  @Test
  @Tag("python3")
  void aManagerThatStartsAnewIsFoundAgain(@TempDir Path directory) throws Exception {
    String path = directory.resolve("socket").toString();
    try (ServiceNotifier other = to(path)) {
      for (int i = 0; i < 2; i++) {
        Process python =
            new ProcessBuilder(
                    "python3",
                    "-c",
                    """
                    import socket, sys
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    s.bind(sys.argv[1]); print("bound", flush=True)
                    print(s.recv(4096), flush=True)
                    """,
                    path)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var lines = python.inputReader(UTF_8)) {
          assertThat(lines.readLine()).isEqualTo("bound");
          assertThat(other.ready()).isTrue();
          assertThat(lines.readLine()).isEqualTo("b'READY=1'");
        } finally {
          python.destroyForcibly().waitFor();
        }
        java.nio.file.Files.delete(Path.of(path));
      }
      assertThatThrownBy(other::ready).hasMessageEndingWith("(ENOENT, 2)");
    }
  }

  @Test
  void messagesOfManyThreadsAreWholeAndNoneIsLost() throws Exception {
    int threads = 20;
    int each = 50;
    List<Thread> senders = new ArrayList<>();
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < threads; i++) {
      int sender = i;
      Thread.Builder builder = i % 2 == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
      senders.add(
          builder.start(() -> {
            try {
              for (int j = 0; j < each; j++) {
                boolean _ = notifier.readyAs(1 + sender * each + j);
              }
            } catch (IOException | RuntimeException failure) {
              failures.add(failure);
            }
          }));
    }
    List<Long> pids = new ArrayList<>();
    while (pids.size() < threads * each && failures.isEmpty()) {
      await();
      pids.add(received().mainPid().orElseThrow());
    }
    for (Thread sender : senders) {
      sender.join();
    }
    assertThat(failures).isEmpty();
    assertThat(pids).doesNotHaveDuplicates().hasSize(threads * each);
  }
}
