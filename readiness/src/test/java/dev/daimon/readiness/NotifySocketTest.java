package dev.daimon.readiness;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Resource;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.Polling;
import dev.daimon.posix.call.SocketMessages;
import dev.daimon.posix.call.Sockets;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NotifySocketTest {
  /** With 1,000 rounds a million. */
  private static final int HOSTILE = Integer.getInteger("daimon.attack.rounds", 20) * 1000;

  private static final long SELF = ProcessHandle.current().pid();

  private NotifySocket socket;
  private int sender;

  @BeforeEach
  void open() throws PosixException {
    socket = NotifySocket.open();
    sender = Sockets.socket(Sockets.AF_UNIX, Sockets.SOCK_DGRAM | Sockets.SOCK_CLOEXEC, 0);
    byte[] name = socket.address().getBytes(UTF_8);
    name[0] = 0;
    assertThat(Sockets.connect(sender, Sockets.unixAddress(name))).isZero();
  }

  @AfterEach
  void close() throws IOException {
    assertThat(Files.close(sender)).isZero();
    socket.close();
  }

  private void send(byte[] bytes, int... descriptors) {
    int flags = SocketMessages.MSG_NOSIGNAL | SocketMessages.MSG_DONTWAIT;
    assertThat(SocketMessages.send(sender, bytes, descriptors, flags)).isEqualTo(bytes.length);
  }

  private Notification told(String text) throws PosixException {
    send(text.getBytes(UTF_8));
    return socket.receive().orElseThrow();
  }

  private void await() {
    int number = socket.descriptor().number();
    assertThat(Polling.poll(number, Polling.POLLIN, 60_000)).isEqualTo(1);
  }

  @Test
  void eachDigitOfANameIsRandom() throws PosixException {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      try (NotifySocket other = NotifySocket.open()) {
        names.add(other.address().substring("@daimon-notify-".length()));
      }
    }
    for (int i = 0; i < 32; i++) {
      int digit = i;
      assertThat(names.stream().map(name -> name.charAt(digit)).distinct().count())
          .isGreaterThan(2);
    }
  }

  @Test
  void nothingIsReceivedFromNobody() throws PosixException {
    assertThat(socket.receive()).isEmpty();
    assertThat(socket.dropped()).isZero();
    assertThat(socket.address()).matches("@daimon-notify-[0-9a-f]{32}");
    int number = socket.descriptor().number();
    assertThat(Files.fcntl(number, Files.F_GETFD, 0)).isEqualTo(Files.FD_CLOEXEC);
    assertThat(Polling.poll(number, Polling.POLLIN, 0)).isZero();
  }

  @Test
  void anotherSocketHasAnotherName() throws PosixException {
    try (NotifySocket other = NotifySocket.open()) {
      assertThat(other.address()).isNotEqualTo(socket.address());
    }
  }

  @Test
  void theSenderIsWhoTheKernelSays() throws IOException {
    Notification told = told("READY=1\nMAINPID=1");

    assertThat(told.senderPid()).isEqualTo(SELF);
    assertThat(Proc.status("self", "Uid")).startsWith(told.senderUid() + "\t");
    Optional<Descriptor> handle = told.senderHandle();
    assertThat(told).hasToString("process " + SELF + ": READY=1, MAINPID=1");
    // From Linux 6.5 on.
    int own = socket.descriptor().number();
    boolean known = Sockets.setsockopt(own, Sockets.SOL_SOCKET, Sockets.SO_PASSPIDFD, 1) == 0;
    assertThat(handle.isPresent()).isEqualTo(known);
    if (handle.isPresent()) {
      int number = handle.get().number();
      assertThat(java.nio.file.Files.readString(Path.of("/proc/self/fdinfo/" + number)))
          .contains("Pid:\t" + SELF + "\n");
      told.close();
      assertThat(Proc.descriptors("self")).doesNotContainKey(number);
    }
    told.close();
  }

  @Test
  void withoutHandlesOfTheKernelThereIsNone() throws IOException {
    try (NotifySocket old = NotifySocket.open(/* handles= */ false);
        ServiceNotifier notifier = ServiceNotifier.of(Map.of("NOTIFY_SOCKET", old.address()))) {
      assertThat(notifier.ready()).isTrue();
      try (Notification told = old.receive().orElseThrow()) {
        assertThat(told.senderPid()).isEqualTo(SELF);
        assertThat(told.senderHandle()).isEmpty();
      }
    }
  }

  @Test
  void allThatIsSaidIsThere() throws PosixException {
    try (Notification told =
        told(
            """
            READY=1
            RELOADING=1
            STOPPING=1
            WATCHDOG=1
            STATUS=läuft=gut
            MAINPID=42
            ERRNO=2
            EXTEND_TIMEOUT_USEC=1500000
            X_OWN=a=b
            """)) {
      assertThat(told.isReady()).isTrue();
      assertThat(told.isReloading()).isTrue();
      assertThat(told.isStopping()).isTrue();
      assertThat(told.isPing()).isTrue();
      assertThat(told.status()).hasValue("läuft=gut");
      assertThat(told.mainPid()).hasValue(42);
      assertThat(told.errno()).hasValue(Errno.ENOENT);
      assertThat(told.extendTimeout()).hasValue(Duration.ofMillis(1500));
      assertThat(told.value("X_OWN")).hasValue("a=b");
      assertThat(told.value("X_OW")).isEmpty();
      assertThat(told.value("OWN")).isEmpty();
      assertThat(told.value("X_OWN=a")).isEmpty();
      assertThat(told.value("")).isEmpty();
    }
  }

  @Test
  void whatIsNotSaidIsNotThere() throws PosixException {
    try (Notification told = told("READY=0")) {
      assertThat(told.isReady()).isFalse();
      assertThat(told.isReloading()).isFalse();
      assertThat(told.isStopping()).isFalse();
      assertThat(told.isPing()).isFalse();
      assertThat(told.status()).isEmpty();
      assertThat(told.mainPid()).isEmpty();
      assertThat(told.errno()).isEmpty();
      assertThat(told.extendTimeout()).isEmpty();
    }
  }

  @Test
  void ofSeveralValuesTheFirstCounts() throws PosixException {
    try (Notification told = told("MAINPID=1\nMAINPID=2\nREADY=0\nREADY=1")) {
      assertThat(told.mainPid()).hasValue(1);
      assertThat(told.isReady()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-1",
        "+1",
        "0",
        " 1",
        "1 ",
        "1x",
        "0x1",
        "2147483648",
        "9223372036854775808",
        "１",
        "99999999999999999999999999999"
      })
  void whatIsNoProcessIdIsNone(String text) throws PosixException {
    try (Notification told = told("MAINPID=" + text)) {
      assertThat(told.mainPid()).isEmpty();
      assertThat(told.value("MAINPID")).hasValue(text);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, PT0S",
    "1, PT0.000001S",
    "9223372036854775807, PT9223372036854.775807S",
    "9223372036854775808,",
    "-1,",
    "x,",
    "99999999999999999999999999999999999,"
  })
  void aNumberOfMicrosecondsIsATime(String text, Duration time) throws PosixException {
    try (Notification told = told("EXTEND_TIMEOUT_USEC=" + text)) {
      assertThat(told.extendTimeout()).isEqualTo(Optional.ofNullable(time));
    }
  }

  @ParameterizedTest
  @CsvSource({"0,", "1, 1", "4095, 4095", "4096,", "-2,", "4294967298,"})
  void aNumberOfAnErrorIsAnError(String text, Integer number) throws PosixException {
    try (Notification told = told("ERRNO=" + text)) {
      assertThat(told.errno().map(Errno::number)).isEqualTo(Optional.ofNullable(number));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"READY=1\0", "\n\nREADY=1\n\n", "garbage\nREADY=1\n=x", "READY=1\r\nREADY=1"})
  void linesThatAreNoneAreIgnored(String text) throws PosixException {
    try (Notification told = told(text)) {
      assertThat(told.isReady()).isTrue();
    }
    assertThat(socket.dropped()).isZero();
  }

  /** Each is characters of one byte. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\0",
        "\n",
        "READY",
        "=1",
        "READY\n=1",
        "READY=1\0\0",
        "\0READY=1",
        "READY=1\0STATUS=x",
        "READY=1\nSTATUS=\u00e4",
        "READY=1\nSTATUS=\u00c0\u0080",
        "READY=1\nSTATUS=\u00ed\u00a0\u0080"
      })
  void aGarbledDatagramIsDropped(String text) throws IOException {
    SortedMap<Integer, String> before = Proc.descriptors("self");
    send(text.getBytes(ISO_8859_1), sender, sender);

    assertThat(socket.receive()).isEmpty();
    assertThat(socket.dropped()).isEqualTo(1);
    awaitDescriptors(before);
    try (Notification told = told("READY=1")) {
      assertThat(told.isReady()).isTrue();
    }
  }

  @Test
  void aLongDatagramIsDroppedAndTheLongestIsNot() throws PosixException {
    String longest = "READY=1\nSTATUS=" + "x".repeat(4096 - 15);
    try (Notification told = told(longest)) {
      assertThat(told.status().orElseThrow()).hasSize(4096 - 15);
    }
    send((longest + "x").getBytes(UTF_8), sender);
    assertThat(socket.receive()).isEmpty();
    send(new byte[100_000]);
    assertThat(socket.receive()).isEmpty();
    assertThat(socket.dropped()).isEqualTo(2);
  }

  @Test
  void aDatagramThatComesLateIsReportedByPoll() throws Exception {
    assertThat(socket.receive()).isEmpty();
    send("READY=1".getBytes(UTF_8));
    await();
    socket.receive().orElseThrow().close();
  }

  @Test
  void aWaitEndsWithTheFirstGoodDatagramOrTheTime() throws Exception {
    assertThat(socket.receive(Duration.ZERO)).isEmpty();
    assertThat(socket.receive(Duration.ofNanos(1))).isEmpty();
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              send("garbled".getBytes(UTF_8));
              send("READY=1".getBytes(UTF_8));
            });
    try (Notification told = socket.receive(Duration.ofSeconds(Long.MAX_VALUE)).orElseThrow()) {
      assertThat(told.isReady()).isTrue();
    }
    thread.join();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> socket.receive(Duration.ofNanos(-1)))
        .withMessage("a negative timeout: PT-0.000000001S");
  }

  /** Has no descriptor left when it receives a message with descriptors. */
  static final class Exhausted {
    public static void main(String[] args) throws IOException {
      try (NotifySocket socket = NotifySocket.open();
          ServiceNotifier notifier =
              ServiceNotifier.of(Map.of("NOTIFY_SOCKET", socket.address()))) {
        List<Descriptor> one = List.of(socket.descriptor());
        // Loads the classes.
        boolean _ = notifier.storeDescriptors("x", one);
        socket.receive().orElseThrow().close();
        boolean _ = notifier.storeDescriptors("x", one);
        boolean _ = notifier.ready();
        List<Descriptor> taken = new ArrayList<>();
        int number;
        while ((number = Files.fcntl(0, Files.F_DUPFD_CLOEXEC, 3)) >= 0) {
          taken.add(Descriptor.adopt(number));
        }
        Notification first = socket.receive().orElseThrow();
        Notification second = socket.receive().orElseThrow();
        for (Descriptor descriptor : taken) {
          descriptor.close();
        }
        System.out.println(taken.isEmpty() + " " + first + " " + second);
        System.out.println(first.senderHandle().isEmpty() && second.senderHandle().isEmpty());
      }
    }
  }

  @Test
  void withoutADescriptorLeftTheSenderIsKnownByItsId() throws Exception {
    ChildJvm jvm =
        ChildJvm.of(Exhausted.class).startedBy("sh", "-c", "ulimit -n 100; exec \"$@\"", "sh");
    ChildJvm.Result result = jvm.run();
    String sender = "process " + result.pid() + ": ";
    assertThat(result.lines())
        .containsExactly("false " + sender + "FDSTORE=1, FDNAME=x " + sender + "READY=1", "true");
  }

  @Test
  void aClosedSocketReceivesNothing() throws PosixException {
    socket.close();
    socket.close();
    assertThatIllegalStateException().isThrownBy(socket::receive);
    assertThat(SocketMessages.send(sender, new byte[1], new int[0], SocketMessages.MSG_NOSIGNAL))
        .isEqualTo(-Errno.ECONNREFUSED.number());
  }

  /** Another thread closes what may take long; the garbage collector closes what tests forgot. */
  private static void awaitDescriptors(SortedMap<Integer, String> expected) throws IOException {
    while (closer().isPresent()) {
      Thread.onSpinWait();
    }
    assertThat(expected).containsAllEntriesOf(Proc.descriptors("self"));
  }

  private static Optional<Thread> closer() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("daimon-close"))
        .findAny();
  }

  @Test
  @Tag("attack")
  void hostileDatagramsWithDescriptorsLeaveNothingOpenAndDoNotHideAGoodOne() throws IOException {
    Random random = new Random(20261129);
    int[] pipe = new int[2];
    assertThat(Files.pipe(Files.O_CLOEXEC, pipe)).isZero();
    String[] pieces = {
      "READY=1",
      "\n",
      "\0",
      "=",
      "MAINPID=",
      "-1",
      "STATUS=",
      "\u00ff",
      "99999999999999999999",
      "\u001b[2J",
      "FDSTORE=1",
      "BARRIER=1",
      "x".repeat(500),
      "EXTEND_TIMEOUT_USEC="
    };
    SortedMap<Integer, String> before = Proc.descriptors("self");
    long good = 0;
    for (int i = 0; i < HOSTILE; i++) {
      StringBuilder text = new StringBuilder();
      for (int j = random.nextInt(12); j > 0; j--) {
        text.append(pieces[random.nextInt(pieces.length)]);
      }
      int[] descriptors = new int[random.nextInt(8) == 0 ? random.nextInt(253) : random.nextInt(3)];
      for (int j = 0; j < descriptors.length; j++) {
        descriptors[j] = random.nextInt(100) == 0 ? sender : pipe[random.nextInt(2)];
      }
      send(text.toString().getBytes(ISO_8859_1), descriptors);
      Optional<Notification> told = socket.receive();
      if (told.isPresent()) {
        good++;
        told.get().close();
      }
    }
    assertThat(good).isPositive();
    assertThat(socket.dropped()).isEqualTo(HOSTILE - good);
    awaitDescriptors(before);
    try (Notification told = told("READY=1")) {
      assertThat(told.isReady()).isTrue();
    }
    assertThat(Files.close(pipe[0])).isZero();
    assertThat(Files.close(pipe[1])).isZero();
  }

  /** Sends a socket whose close waits: nobody reads it, and its sender wants it to linger. */
  private Process hostile() throws IOException {
    String script =
        """
        import os, socket, struct, sys
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.connect("\\0" + os.environ["NOTIFY_SOCKET"][1:])
        server = socket.create_server(("127.0.0.1", 0))
        peers = []
        for line in sys.stdin:
            client = socket.create_connection(server.getsockname())
            peers.append(server.accept()[0])
            client.setblocking(False)
            try:
                while True: client.send(b"x" * 65536)
            except BlockingIOError:
                pass
            client.setblocking(True)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
            socket.send_fds(s, [b"STATUS=hostile"], [client.fileno()])
            client.close()
            print("sent", flush=True)
        """;
    ProcessBuilder builder =
        new ProcessBuilder("python3", "-c", script).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("NOTIFY_SOCKET", socket.address());
    return builder.start();
  }

  @Test
  @Tag("python3")
  @Tag("attack")
  void aDescriptorWhoseCloseHangsHoldsNobodyUp() throws Exception {
    SortedMap<Integer, String> before = Proc.descriptors("self");
    Process hostile = hostile();
    try {
      sendHanging(hostile);
      socket.receive().orElseThrow().close();
      try (Notification told = told("READY=1")) {
        assertThat(told.isReady()).isTrue();
      }
      assertThat(closer()).isPresent();
      // Many that wait behind it: there is an end to how many are taken.
      int[] many = new int[253];
      Arrays.fill(many, sender);
      for (int i = 0; i < 5; i++) {
        send("STATUS=x".getBytes(UTF_8), many);
        socket.receive().orElseThrow().close();
      }
      int open = Proc.descriptors("self").size();
      send("READY=1".getBytes(UTF_8), many);
      while (socket.dropped() == 0) {
        assertThat(socket.receive()).isEmpty();
      }
      assertThat(socket.dropped()).isEqualTo(1);
      assertThat(Proc.descriptors("self").size()).isLessThanOrEqualTo(open);
      // Now the call that drops hangs itself.
      sendHanging(hostile);
      assertThat(socket.receive()).isEmpty();
      assertThat(socket.receive()).isEmpty();
      sendHanging(hostile);
      socket.close();
    } finally {
      hostile.destroyForcibly().waitFor();
      hostile.inputReader(UTF_8).close();
      hostile.outputWriter(UTF_8).close();
    }
    awaitDescriptors(before);
  }

  /** Gets more than it takes at a time, when no thread can be started. */
  static final class WithoutThread {
    public static void main(String[] args) throws Exception {
      try (NotifySocket socket = NotifySocket.open()) {
        byte[] name = socket.address().getBytes(UTF_8);
        name[0] = 0;
        int sender = Sockets.socket(Sockets.AF_UNIX, Sockets.SOCK_DGRAM | Sockets.SOCK_CLOEXEC, 0);
        PosixException.check(
            Sockets.connect(sender, Sockets.unixAddress(name)), "connect", socket.address());
        // Also loads what it needs.
        receive(socket, sender);
        int[] many = new int[20];
        Arrays.fill(many, sender);
        // One process of this user, with all its threads, runs already.
        long[] before = new long[2];
        Limits.getrlimit(0, Resource.NPROC.number(), before);
        Limits.setrlimit(Resource.NPROC.number(), 1, before[1]);
        send(sender, many);
        System.out.println(socket.receive().isPresent());
        Limits.setrlimit(Resource.NPROC.number(), before[0], before[1]);
        receive(socket, sender);
        System.out.println("receives");
        Files.close(sender);
      }
    }

    /** Some may be dropped before. */
    private static void receive(NotifySocket socket, int sender) throws Exception {
      ProcessSandbox.await(
          "what is sent again and again",
          () -> {
            send(sender);
            return socket.receive().isPresent();
          });
    }

    private static void send(int sender, int... descriptors) {
      int flags = SocketMessages.MSG_NOSIGNAL | SocketMessages.MSG_DONTWAIT;
      int _ = SocketMessages.send(sender, "READY=1".getBytes(UTF_8), descriptors, flags);
    }
  }

  @Test
  @Tag("root")
  void afterAThreadWasLackingItReceivesAgain(@TempDir Path classes) throws Exception {
    assertThat(
            ChildJvm.of(WithoutThread.class)
                .startedBy(ChildJvm.AS_NOBODY)
                // Not more than a fourth of these may wait.
                .startedBy("prlimit", "--nofile=64:64")
                .copied(classes)
                .option("-Xlog:disable")
                .run()
                .lines())
        .containsExactly("true", "receives");
  }

  /** From then on this process alone has the socket. */
  private static void sendHanging(Process hostile) throws IOException {
    hostile.outputWriter(UTF_8).write("\n");
    hostile.outputWriter(UTF_8).flush();
    assertThat(hostile.inputReader(UTF_8).readLine()).isEqualTo("sent");
  }

  @Test
  @Tag("python3")
  @Tag("attack")
  void aCloseDoesNotHangWhereADescriptorThatNobodyReceivedDoes() throws Exception {
    SortedMap<Integer, String> before = Proc.descriptors("self");
    Process hostile = hostile();
    try {
      // Also not behind another one.
      send("READY=1".getBytes(UTF_8));
      sendHanging(hostile);
      socket.close();
      assertThat(closer()).isPresent();
    } finally {
      hostile.destroyForcibly().waitFor();
      hostile.inputReader(UTF_8).close();
      hostile.outputWriter(UTF_8).close();
    }
    awaitDescriptors(before);
  }

  /** What a sender of another language says; its process has ended when it is read. */
  private Notification fromProgram(String... command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().put("NOTIFY_SOCKET", socket.address());
    Process program = builder.start();
    await();
    Notification told = socket.receive().orElseThrow();
    assertThat(program.waitFor()).isZero();
    assertThat(told.senderPid()).isEqualTo(program.pid());
    return told;
  }

  @Test
  @Tag("python3")
  void aSenderInPythonIsUnderstood() throws Exception {
    String script =
        """
        import os, socket
        address = os.environ["NOTIFY_SOCKET"]
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.sendto(b"READY=1\\nSTATUS=Python", "\\0" + address[1:])
        """;
    try (Notification told = fromProgram("python3", "-c", script)) {
      assertThat(told.isReady()).isTrue();
      assertThat(told.status()).hasValue("Python");
    }
  }

  @Test
  @Tag("cc")
  void aSenderInCIsUnderstood(@TempDir Path directory) throws Exception {
    Path source =
        java.nio.file.Files.writeString(
            directory.resolve("sender.c"),
            """
            #include <stddef.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/socket.h>
            #include <sys/un.h>
            int main(void) {
              struct sockaddr_un to = {.sun_family = AF_UNIX};
              const char *name = getenv("NOTIFY_SOCKET"), *text = "READY=1\\nSTATUS=C";
              memcpy(to.sun_path + 1, name + 1, strlen(name) - 1);
              socklen_t size = offsetof(struct sockaddr_un, sun_path) + strlen(name);
              int s = socket(AF_UNIX, SOCK_DGRAM, 0);
              return sendto(s, text, strlen(text) + 1, 0, (struct sockaddr *)&to, size) < 0;
            }
            """);
    String program = directory.resolve("sender").toString();
    String _ = Command.run("cc", "-o", program, source.toString());

    try (Notification told = fromProgram(program)) {
      assertThat(told.isReady()).isTrue();
      assertThat(told.status()).hasValue("C");
    }
  }

  /** It waits until what it has sent was read: by a barrier. */
  @Test
  @Tag("systemd-notify")
  void systemdNotifyIsUnderstood() throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder("systemd-notify", "--ready", "--status=läuft", "--pid=1").inheritIO();
    builder.environment().put("NOTIFY_SOCKET", socket.address());
    builder.environment().put("LC_ALL", "C.UTF-8");
    Process program = builder.start();
    await();
    try (Notification told = socket.receive().orElseThrow()) {
      assertThat(told.isReady()).isTrue();
      assertThat(told.status()).hasValue("läuft");
      assertThat(told.mainPid()).hasValue(1);
    }
    await();
    try (Notification told = socket.receive().orElseThrow()) {
      assertThat(told.value("BARRIER")).hasValue("1");
    }
    assertThat(program.waitFor()).isZero();
  }

  /** A sender whose user has no way to this process's files. */
  static final class Sends {
    public static void main(String[] args) throws IOException {
      try (ServiceNotifier notifier = ServiceNotifier.fromEnvironment()) {
        System.out.println(
            notifier.readyAs(ProcessHandle.current().pid())
                && notifier.barrier(Duration.ofMinutes(1)));
      }
    }
  }

  @Test
  @Tag("root")
  void aSenderOfAnotherUserIsHeardAndNamed(@TempDir Path directory) throws Exception {
    Process program =
        ChildJvm.of(Sends.class)
            .copied(directory)
            .startedBy("env", "NOTIFY_SOCKET=" + socket.address())
            .startedBy(ChildJvm.AS_NOBODY)
            .start();
    await();
    try (Notification told = socket.receive().orElseThrow()) {
      assertThat(told.isReady()).isTrue();
      assertThat(told.senderUid()).isEqualTo(65534);
      assertThat(told.senderPid()).isEqualTo(program.pid());
      assertThat(told.mainPid()).hasValue(program.pid());
    }
    await();
    socket.receive().orElseThrow().close();
    assertThat(new String(program.getInputStream().readAllBytes(), UTF_8)).isEqualTo("true\n");
    assertThat(program.waitFor()).isZero();
  }
}
