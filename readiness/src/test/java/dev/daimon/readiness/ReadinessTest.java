package dev.daimon.readiness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Resource;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Limits;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both ends in this very process: they do not care where they are. */
class ReadinessTest {
  private static final Duration LONG = Duration.ofMinutes(1);
  private static final long SELF = ProcessHandle.current().pid();

  /** Beyond the largest process id that there can be. */
  private static final long OTHER = 4_194_305;

  private LauncherEnd launcher;

  @BeforeEach
  void open() throws PosixException {
    launcher = BothEnds.open("hello".getBytes(UTF_8));
  }

  /** The daemon's end is not closed: what it would close is the launcher's here. */
  @AfterEach
  void close() throws PosixException {
    launcher.close();
  }

  @Test
  void aTimeoutIsNotNegativeAndMayBeAnyOther() throws Exception {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> launcher.receive(Duration.ofMillis(-1)))
        .withMessageContaining("negative");
    find().ready();
    assertThat(launcher.receive(Duration.ofSeconds(Long.MAX_VALUE))).isPresent();
  }

  /** The end of a daemon that is this process. */
  private DaemonEnd find() throws IOException {
    launcher.started(SELF);
    return found();
  }

  private static DaemonEnd found() throws IOException {
    DaemonEnd end = DaemonEnd.find();
    assertThat(end).isNotNull();
    return end;
  }

  private Descriptor daemonsMessages() {
    return launcher.daemonDescriptors().getLast();
  }

  @Test
  void theDaemonFindsItsEndAndWhatTheLauncherWantsItToKnowOnce() throws IOException {
    assertThat(find().greeting()).isEqualTo("hello".getBytes(UTF_8));
    assertThat(DaemonEnd.find()).isNull();
  }

  @Test
  void aGreetingMayBeLong() throws IOException {
    byte[] greeting = new byte[1_000_000];
    Arrays.fill(greeting, (byte) 7);
    try (LauncherEnd other = BothEnds.open(greeting)) {
      other.started(SELF);
      launcher.started(OTHER);

      assertThat(found().greeting()).isEqualTo(greeting);
    }
  }

  @Test
  void anotherProcessThatHasItsDescriptorsDoesNotFindIt() throws IOException {
    launcher.started(OTHER);

    assertThat(DaemonEnd.find()).isNull();

    launcher.started(SELF);
    assertThat(found().greeting()).isEqualTo("hello".getBytes(UTF_8));
  }

  @Test
  void aDaemonThatIsFasterThanItsLauncherWaitsForItsName() throws Exception {
    CompletableFuture<@Nullable DaemonEnd> end = finding();

    launcher.started(SELF);

    DaemonEnd daemon = end.get(1, TimeUnit.MINUTES);
    assertThat(daemon).isNotNull();
    launcher.confirm();
    assertThat(daemon.awaitLauncher()).isTrue();
  }

  @Test
  void anotherProcessThatIsFasterThanTheLauncherDoesNotTakeItselfForTheDaemon() throws Exception {
    CompletableFuture<@Nullable DaemonEnd> end = finding();

    launcher.started(OTHER);

    assertThat(end.get(1, TimeUnit.MINUTES)).isNull();
  }

  /** In another thread, which has read that there is no name yet. */
  private static CompletableFuture<@Nullable DaemonEnd> finding() throws InterruptedException {
    CompletableFuture<@Nullable DaemonEnd> end = new CompletableFuture<>();
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                end.complete(DaemonEnd.find());
              } catch (IOException failure) {
                end.completeExceptionally(failure);
              }
            });
    while (!isReading(thread)) {
      Thread.onSpinWait();
    }
    return end;
  }

  private static boolean isReading(Thread thread) {
    StackTraceElement[] stack = thread.getStackTrace();
    return stack.length > 0
        && stack[0].getMethodName().equals("read0")
        && Arrays.stream(stack).anyMatch(frame -> frame.getMethodName().equals("of"));
  }

  @Test
  void nobodyWhoInheritsItFromTheDaemonCanMakeAnotherOneOfIt() throws Exception {
    Descriptor greeting = launcher.daemonDescriptors().getFirst();

    assertThat(Files.pwrite(greeting.number(), new byte[4], 0)).isEqualTo(-Errno.EBADF.number());
    Path file = Path.of("/proc/self/fd/" + greeting.number());
    assertThat(PosixFilePermissions.toString(java.nio.file.Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-r--r--");
  }

  @Test
  void aProcessThatHasNotInheritedTheConnectionIsNoDaemonAndItIsSaidWhy() throws Exception {
    Process child = new ProcessBuilder("cat").start();
    try {
      assertThatIllegalStateException()
          .isThrownBy(() -> launcher.started(child.pid()))
          .withMessageContaining("process " + child.pid())
          .withMessageContaining("ProcessBuilder closes")
          .withMessageContaining("Program.keep of daimon-forking");
    } finally {
      child.destroy();
      int _ = child.waitFor();
    }
    launcher.started(child.pid());
  }

  /** Passes a connection on by ProcessBuilder, which closes it. */
  static final class Unseen {
    public static void main(String[] args) throws Exception {
      Process child = new ProcessBuilder("cat").start();
      try (LauncherEnd launcher = LauncherEnd.open(new byte[0])) {
        launcher.started(child.pid());
        System.out.println("named");
      } finally {
        child.destroy();
      }
    }
  }

  @Test
  @Tag("root")
  void inTheProcOfAnotherNamespaceNothingShowsThatItWasNotInherited() throws Exception {
    ChildJvm jvm = ChildJvm.of(Unseen.class).startedBy(ChildJvm.WITH_FOREIGN_PROC);

    assertThat(jvm.run().lines()).containsExactly("named");
  }

  @Test
  void messagesArriveInOrder() throws IOException {
    DaemonEnd daemon = find();
    daemon.status("warming caches: ä");
    daemon.failed(78, "no\nluck");
    daemon.ready();

    assertThat(launcher.receive(LONG)).contains(new Message.Status("warming caches: ä"));
    assertThat(launcher.receive(LONG)).contains(new Message.Failed(78, "no\nluck"));
    assertThat(launcher.receive(LONG)).contains(new Message.Ready());
    assertThat(launcher.receive(Duration.ZERO)).isEmpty();
  }

  @Test
  void aDaemonThatEndsWithoutAWordHasEnded() throws PosixException {
    launcher.release();

    assertThat(launcher.receive(LONG)).contains(new Message.Ended());
    assertThat(launcher.receive(LONG)).contains(new Message.Ended());
    assertThatThrownBy(launcher::confirm)
        .isInstanceOfSatisfying(
            PosixException.class, e -> assertThat(e.errno().name()).isEqualTo("EPIPE"));
  }

  @Test
  void whatADaemonHasSaidBeforeItsEndArrives() throws PosixException {
    send(MessageCodec.encode('S', 0, "still here"));
    launcher.release();

    assertThat(launcher.receive(LONG)).contains(new Message.Status("still here"));
    assertThat(launcher.receive(LONG)).contains(new Message.Ended());
  }

  private void send(byte[] bytes) throws PosixException {
    PosixException.check(Files.write(daemonsMessages().number(), bytes), "write", "");
  }

  @Test
  void aMessageMayArriveInParts() throws PosixException {
    byte[] bytes = MessageCodec.encode('S', 0, "in parts");
    for (byte part : bytes) {
      assertThat(launcher.receive(Duration.ZERO)).isEmpty();
      send(new byte[] {part});
    }

    assertThat(launcher.receive(LONG)).contains(new Message.Status("in parts"));
  }

  @Test
  void aMessageThatADaemonDidNotEndIsNone() throws PosixException {
    byte[] bytes = MessageCodec.encode('F', 1, "why");
    send(Arrays.copyOf(bytes, bytes.length - 1));
    launcher.release();

    assertThat(launcher.receive(LONG)).isEmpty();
    assertThat(launcher.receive(LONG)).contains(new Message.Ended());
  }

  @Test
  void afterWhatIsNoMessageNothingCountsButTheEnd() throws PosixException {
    send(new byte[] {'?', 0, 0, 0});
    send(MessageCodec.encode('R', 0, ""));

    assertThatThrownBy(() -> launcher.receive(LONG)).isInstanceOf(PosixException.class);

    assertThat(launcher.receive(Duration.ZERO)).isEmpty();
    launcher.release();
    assertThat(launcher.receive(LONG)).contains(new Message.Ended());
  }

  @Test
  void aMessageThatIsTooLongIsNone() throws PosixException {
    int length = MessageCodec.MAX_TEXT + 1;
    send(new byte[] {'S', 0, (byte) (length >> 8), (byte) length});

    assertThatThrownBy(() -> launcher.receive(LONG)).isInstanceOf(PosixException.class);
  }

  @Test
  void theDaemonCountsAsStartedWhenTheLauncherHasConfirmed() throws IOException {
    DaemonEnd daemon = find();
    launcher.confirm();

    assertThat(daemon.awaitLauncher()).isTrue();
  }

  @Test
  void theDaemonNoticesThatTheLauncherIsGone() throws IOException {
    DaemonEnd daemon = find();
    launcher.close();

    assertThat(daemon.awaitLauncher()).isFalse();
    assertThatThrownBy(daemon::ready).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> daemon.failed(1, "")).isInstanceOf(IOException.class);
    daemon.status("to nobody");
  }

  @Test
  void longTextsAreCutOffBetweenTwoCharacters() throws IOException {
    DaemonEnd daemon = find();
    daemon.status("x" + "ä".repeat(MessageCodec.MAX_TEXT));

    Message message = null;
    while (message == null) {
      message = launcher.receive(LONG).orElse(null);
    }
    assertThat(message)
        .isEqualTo(new Message.Status("x" + "ä".repeat((MessageCodec.MAX_TEXT - 1) / 2)));
  }

  @Test
  void aLauncherThatDoesNotReadMissesTheStatusAndHoldsNobodyUp() throws Exception {
    DaemonEnd daemon = find();
    for (int i = 0; i < 10_000; i++) {
      daemon.status(i + "x".repeat(1000));
    }
    Thread ready =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                daemon.ready();
              } catch (IOException failure) {
                throw new IllegalStateException(failure);
              }
            });

    List<Integer> told = new ArrayList<>();
    while (true) {
      Message message = launcher.receive(LONG).orElse(null);
      if (message instanceof Message.Ready) {
        break;
      }
      if (message instanceof Message.Status(String text)) {
        told.add(Integer.valueOf(text.substring(0, text.indexOf('x'))));
      }
    }
    assertThat(told).isSorted().hasSizeLessThan(1000).endsWith(9999);
    assertThat(ready.join(LONG)).isTrue();
  }

  static final class WithoutThread {
    public static void main(String[] args) throws Exception {
      LauncherEnd launcher = BothEnds.open(new byte[0]);
      launcher.started(ProcessHandle.current().pid());
      DaemonEnd daemon = Objects.requireNonNull(DaemonEnd.find());
      // One process of this user, with all its threads, runs already.
      long[] before = new long[2];
      Limits.getrlimit(0, Resource.NPROC.number(), before);
      Limits.setrlimit(Resource.NPROC.number(), 1, before[1]);
      daemon.status("lost");
      Limits.setrlimit(Resource.NPROC.number(), before[0], before[1]);
      daemon.status("told");
      System.out.println(launcher.receive(LONG));
    }
  }

  @Test
  @Tag("root")
  void afterAThreadWasLackingAStatusIsToldAgain(@TempDir Path classes) throws Exception {
    assertThat(
            ChildJvm.of(WithoutThread.class)
                .startedBy(ChildJvm.AS_NOBODY)
                .copied(classes)
                .option("-Xlog:disable")
                .run()
                .lines())
        .containsExactly("Optional[Status[text=told]]");
  }

  @Test
  void onlyAFailureHasAFailuresExitCode() throws IOException {
    DaemonEnd daemon = find();

    assertThatIllegalArgumentException().isThrownBy(() -> daemon.failed(0, "fine"));
    assertThatIllegalArgumentException().isThrownBy(() -> daemon.failed(256, "fine"));
  }

  @Test
  void whatWasInheritedIsClosedAndTheConnectionGoesOn() throws Exception {
    assertThat(ChildJvm.of(Releases.class).run().lines())
        .containsExactly("[]", "true", "Optional[Status[text=still here]]", "[]");
  }

  /** A process of its own, since each of its descriptors has two owners. */
  static final class Releases {
    public static void main(String[] args) throws Exception {
      LauncherEnd launcher = BothEnds.open(new byte[0]);
      int[] inherited =
          launcher.daemonDescriptors().stream().mapToInt(Descriptor::number).toArray();
      launcher.started(ProcessHandle.current().pid());
      try (DaemonEnd daemon = DaemonEnd.find()) {
        daemon.release();
        System.out.println(Arrays.toString(open(inherited)));
        int[] own =
            Proc.descriptors("self").tailMap(3).entrySet().stream()
                .filter(entry -> entry.getValue().startsWith("pipe:"))
                .mapToInt(entry -> entry.getKey())
                .toArray();
        System.out.println(IntStream.of(own).allMatch(n -> Files.fcntl(n, Files.F_GETFD, 0) == 1));
        daemon.status("still here");
        System.out.println(launcher.receive(LONG));
        daemon.release();
      }
      System.out.println(Arrays.toString(open(inherited)));
    }

    private static int[] open(int[] numbers) {
      return IntStream.of(numbers).filter(n -> Files.fcntl(n, Files.F_GETFD, 0) >= 0).toArray();
    }
  }
}
