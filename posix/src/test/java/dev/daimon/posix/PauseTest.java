package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PauseTest {
  private final CountDownLatch last = new CountDownLatch(1);
  private final AtomicBoolean interrupted = new AtomicBoolean();

  @Test
  void anInterruptedThreadPausesAgainAndAgain() throws Exception {
    Thread pausing =
        pausing(() -> {
          Thread.currentThread().interrupt();
          Pause.nanos(1);
        });

    pausing.interrupt();
    pausing.join();
  }

  @Test
  void anInterruptedThreadStaysInterrupted() {
    Thread.currentThread().interrupt();
    Pause.nanos(1);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void anInterruptEndsThePauseAndIsNotLost() throws Exception {
    Thread pausing = pausing(() -> {});

    pausing.interrupt();
    pausing.join();

    assertThat(interrupted).isTrue();
  }

  @Test
  void aPauseDoesNotInterrupt() {
    Pause.nanos(0);
    Pause.nanos(1);
    assertThat(Thread.interrupted()).isFalse();
  }

  /** Starts a thread that does something and then pauses, and returns when it pauses. */
  private Thread pausing(Runnable before) throws InterruptedException {
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              before.run();
              last.countDown();
              Pause.nanos(TimeUnit.DAYS.toNanos(1));
              interrupted.set(Thread.currentThread().isInterrupted());
            });
    last.await();
    while (thread.isAlive() && thread.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    assertThat(thread.getState()).isEqualTo(Thread.State.TIMED_WAITING);
    return thread;
  }
}
