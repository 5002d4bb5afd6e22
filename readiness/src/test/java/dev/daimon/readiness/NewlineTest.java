package dev.daimon.readiness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Polling;
import dev.daimon.readiness.NewlinePipe.State;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The newline of s6, both ends. */
class NewlineTest {
  private NewlinePipe pipe;

  @BeforeEach
  void open() throws PosixException {
    pipe = NewlinePipe.open();
  }

  @AfterEach
  void close() throws PosixException {
    pipe.close();
  }

  private void write(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    assertThat(Files.write(pipe.programDescriptor().number(), bytes)).isEqualTo(bytes.length);
  }

  private int poll() {
    return Polling.poll(pipe.descriptor().number(), Polling.POLLIN, 0);
  }

  /** The number that a program would have inherited: the notifier owns it. */
  private int inherited() {
    int number = Files.fcntl(pipe.programDescriptor().number(), Files.F_DUPFD_CLOEXEC, 3);
    assertThat(number).isPositive();
    return number;
  }

  @Test
  void aPipeWaitsUntilSomethingIsSaid() throws PosixException {
    assertThat(pipe.receive()).isEqualTo(State.WAITING);
    assertThat(poll()).isZero();
    for (int number : new int[] {pipe.descriptor().number(), pipe.programDescriptor().number()}) {
      assertThat(Files.fcntl(number, Files.F_GETFD, 0)).isEqualTo(Files.FD_CLOEXEC);
    }
    // The program's end blocks, as programs expect it.
    int flags = Files.fcntl(pipe.programDescriptor().number(), Files.F_GETFL, 0);
    assertThat(flags & Files.O_NONBLOCK).isZero();
  }

  @Test
  void aNewlineIsReadyWhateverIsBeforeIt() throws PosixException {
    write("starting");
    assertThat(poll()).isEqualTo(1);
    assertThat(pipe.receive()).isEqualTo(State.WAITING);

    write("x\ny");
    assertThat(pipe.receive()).isEqualTo(State.READY);
    pipe.release();
    assertThat(pipe.receive()).isEqualTo(State.READY);
  }

  @Test
  void anEndWithoutANewlineIsClosed() throws PosixException {
    write("almost");
    pipe.release();
    pipe.release();
    assertThat(poll()).isEqualTo(1);
    assertThat(pipe.receive()).isEqualTo(State.CLOSED);
    assertThat(pipe.receive()).isEqualTo(State.CLOSED);
  }

  @Test
  void anEndAfterTheNewlineIsReady() throws PosixException {
    write("\n");
    pipe.release();
    assertThat(pipe.receive()).isEqualTo(State.READY);
  }

  @Test
  void aFloodKeepsTheReaderForAWhileOnly() throws PosixException {
    write("x".repeat(65_536));
    assertThat(pipe.receive()).isEqualTo(State.WAITING);
    assertThat(poll()).isZero();
    write("\n");
    assertThat(pipe.receive()).isEqualTo(State.READY);
  }

  @Test
  void aWaitEndsWithTheNewlineOrTheEndOrTheTime() throws Exception {
    assertThat(pipe.receive(Duration.ZERO)).isEqualTo(State.WAITING);
    write("x");
    assertThat(pipe.receive(Duration.ofNanos(1))).isEqualTo(State.WAITING);
    Thread thread = Thread.ofPlatform().start(() -> write("y\n"));
    assertThat(pipe.receive(Duration.ofDays(1))).isEqualTo(State.READY);
    thread.join();
    try (NewlinePipe other = NewlinePipe.open()) {
      other.release();
      assertThat(other.receive(Duration.ofDays(1))).isEqualTo(State.CLOSED);
    }
  }

  @Test
  void aClosedPipeLeavesNothingOpen() throws IOException {
    var before = Proc.descriptors("self");
    NewlinePipe other = NewlinePipe.open();
    other.close();
    other.close();
    assertThatIllegalStateException().isThrownBy(other::receive);
    assertThat(before).containsAllEntriesOf(Proc.descriptors("self"));
  }

  @Test
  void theNotifierWritesANewlineOnceAndClosesItsDescriptor() throws IOException {
    int number = inherited();
    NewlineNotifier notifier = NewlineNotifier.to(number);
    assertThat(notifier.isPresent()).isTrue();

    assertThat(notifier.ready()).isTrue();
    assertThat(notifier.ready()).isFalse();

    assertThat(Proc.descriptors("self")).doesNotContainKey(number);
    byte[] bytes = new byte[2];
    assertThat(Files.read(pipe.descriptor().number(), bytes)).isEqualTo(1);
    assertThat(bytes[0]).isEqualTo((byte) '\n');
  }

  @Test
  void theNumberIsTheValueOfAVariable() throws IOException {
    int number = inherited();
    assertThat(NewlineNotifier.of("READY_FD", Integer.toString(number)).ready()).isTrue();
    assertThat(pipe.receive()).isEqualTo(State.READY);
  }

  @Test
  void withoutTheVariableNothingIsDone() throws IOException {
    for (NewlineNotifier none :
        List.of(
            NewlineNotifier.of("READY_FD", null),
            NewlineNotifier.of("READY_FD", ""),
            NewlineNotifier.fromEnvironment("DAIMON_NO_SUCH_VARIABLE"))) {
      assertThat(none.isPresent()).isFalse();
      assertThat(none.ready()).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource({"x", "-1", "' 3'", "3x", "1234567890", "99999999999999999999"})
  void aValueThatIsNoNumberIsOneLine(String value) {
    NewlineNotifier notifier = NewlineNotifier.of("READY_FD", value);
    assertThat(notifier.isPresent()).isTrue();
    assertThatThrownBy(notifier::ready)
        .isExactlyInstanceOf(IOException.class)
        .hasMessage("READY_FD=" + value + ": not the number of a descriptor");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NewlineNotifier.to(-1))
        .withMessage("not a descriptor: -1");
  }

  @Test
  void theLargestNumberIsOneOfADescriptor() {
    assertThatThrownBy(NewlineNotifier.of("READY_FD", "999999999")::ready)
        .isInstanceOf(PosixException.class)
        .hasMessage("fstat 999999999: Bad file descriptor (EBADF, 9)");
    assertThat(NewlineNotifier.to(0).isPresent()).isTrue();
  }

  @Test
  void whatIsNoPipeToWriteToIsLeftAlone(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("file");
    java.nio.file.Files.createFile(file);
    int regular = Files.open(file.toString().getBytes(StandardCharsets.UTF_8), Files.O_RDWR, 0);
    int reader = Files.fcntl(pipe.descriptor().number(), Files.F_DUPFD_CLOEXEC, 3);
    for (int number : new int[] {regular, reader}) {
      assertThatThrownBy(() -> NewlineNotifier.to(number).ready())
          .isInstanceOf(PosixException.class)
          .hasMessage(
              "write " + number + ": Bad file descriptor (EBADF, 9); it is not a pipe to write to");
      assertThat(Files.close(number)).isZero();
    }
    assertThat(file).isEmptyFile();
    assertThatThrownBy(() -> NewlineNotifier.to(999_999).ready())
        .isInstanceOf(PosixException.class)
        .hasMessage("fstat 999999: Bad file descriptor (EBADF, 9)");
  }

  @Test
  void aPipeThatNobodyReadsIsAnErrorAndIsClosed() throws IOException {
    int number = inherited();
    pipe.descriptor().close();
    NewlineNotifier notifier = NewlineNotifier.to(number);
    assertThatThrownBy(notifier::ready)
        .isInstanceOfSatisfying(
            PosixException.class, failure -> assertThat(failure.errno()).isEqualTo(Errno.EPIPE));
    assertThat(Proc.descriptors("self")).doesNotContainKey(number);
    assertThat(notifier.ready()).isFalse();
  }

  /** Tells by the descriptor of this number. */
  static final class Tells {
    public static void main(String[] args) throws IOException {
      boolean told = NewlineNotifier.fromEnvironment("READY_FD").ready();
      System.err.println(told + " " + Proc.descriptors("self").get(Integer.valueOf(args[0])));
    }
  }

  /** Of the standard streams, the number stays in use, and leads to the null device. */
  @Test
  void standardOutputLeadsToTheNullDeviceAfterwards(@TempDir Path directory) throws Exception {
    Path out = directory.resolve("out");
    ChildJvm.Result result =
        ChildJvm.of(Tells.class)
            .startedBy("env", "READY_FD=1")
            .startedBy("sh", "-c", "{ \"$@\"; } | cat > " + out, "sh")
            .run(1);
    assertThat(result.exit()).isZero();
    assertThat(result.err()).isEqualTo("true /dev/null\n");
    assertThat(out).hasContent("\n");
  }
}
