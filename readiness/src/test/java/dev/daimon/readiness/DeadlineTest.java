package dev.daimon.readiness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Polling;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DeadlineTest {
  private Descriptor readEnd;
  private Descriptor writeEnd;

  @BeforeEach
  void open() {
    int[] pipe = new int[2];
    assertThat(Files.pipe(Files.O_CLOEXEC, pipe)).isZero();
    readEnd = Descriptor.adopt(pipe[0]);
    writeEnd = Descriptor.adopt(pipe[1]);
  }

  @AfterEach
  void close() throws PosixException {
    readEnd.close();
    writeEnd.close();
  }

  @Test
  void itIsOverAfterTheWaitAndNotBefore() throws PosixException {
    Deadline soon = Deadline.after(Duration.ofMillis(50));

    assertThat(soon.awaitReadable(readEnd)).isFalse();
    assertThat(soon.isOver()).isTrue();
    assertThat(soon.await(readEnd.number(), Polling.POLLIN)).isFalse();
  }

  @Test
  void whatHasNoTimeIsOverAtOnceEvenIfThereIsAnEvent() throws PosixException {
    assertThat(Files.write(writeEnd.number(), new byte[] {1})).isEqualTo(1);
    Deadline now = Deadline.after(Duration.ZERO);

    assertThat(now.isOver()).isTrue();
    assertThat(now.awaitReadable(readEnd)).isFalse();
    assertThat(now.await(readEnd.number(), Polling.POLLIN)).isTrue();
  }

  @Test
  void theLongestTimeIsNotOverSoon() throws PosixException {
    Deadline late = Deadline.after(Duration.ofSeconds(Long.MAX_VALUE));
    Deadline days = Deadline.after(Duration.ofDays(20));
    assertThat(Polling.poll(readEnd.number(), Polling.POLLIN, 20)).isZero();

    assertThat(late.isOver()).isFalse();
    assertThat(days.isOver()).isFalse();
    assertThat(Files.write(writeEnd.number(), new byte[] {1})).isEqualTo(1);
    assertThat(late.awaitReadable(readEnd)).isTrue();
  }
}
