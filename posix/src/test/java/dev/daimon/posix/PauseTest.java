package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class PauseTest {
  private final AtomicBoolean interrupted = new AtomicBoolean();

  @Test
  void anInterruptedThreadPausesAndStaysInterrupted() throws Exception {
    Thread pausing =
        pausing(() -> {
          Thread.currentThread().interrupt();
          Pause.nanos(Long.MAX_VALUE);
        });

    LockSupport.unpark(pausing);
    pausing.join();

    assertThat(interrupted).isTrue();
  }

  @Test
  void anInterruptEndsThePauseAndIsNotLost() throws Exception {
    Thread pausing = pausing(() -> Pause.nanos(Long.MAX_VALUE));

    pausing.interrupt();
    pausing.join();

    assertThat(interrupted).isTrue();
  }

  @Test
  void aPauseDoesNotInterrupt() throws Exception {
    Thread pausing = pausing(() -> Pause.nanos(Long.MAX_VALUE));

    LockSupport.unpark(pausing);
    pausing.join();

    assertThat(interrupted).isFalse();
  }

  /** Starts a thread, and returns when it pauses. */
  private Thread pausing(Runnable action) {
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              action.run();
              interrupted.set(Thread.currentThread().isInterrupted());
            });
    while (thread.isAlive() && thread.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    assertThat(thread.getState()).isEqualTo(Thread.State.TIMED_WAITING);
    return thread;
  }
}
