package dev.daimon.cli;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.signals.Dispositions;
import java.util.concurrent.CountDownLatch;

/** From some moment on, this JVM goes on to its end, whoever interrupts it. */
final class Persistence {
  private Persistence() {}

  /**
   * Ignores signals. One that came just before may have begun a shutdown, where the JVM was not
   * started with {@code -Xrs}; that then waits until this JVM is halted.
   *
   * @throws Failure if the shutdown was there first
   */
  static void begin() throws Failure, PosixException {
    Dispositions.ignore(Signal.HUP, Signal.INT, Signal.TERM);
    try {
      Runtime.getRuntime().addShutdownHook(new Thread(Persistence::stay));
    } catch (IllegalStateException shutdown) {
      throw new Failure(Failure.SYSTEM, "interrupted; nothing was started");
    }
  }

  private static void stay() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException nobodyDoes) {
      Thread.currentThread().interrupt();
    }
  }
}
