package dev.daimon.control;

import dev.daimon.control.ReadyCondition.Alive;
import java.util.concurrent.TimeUnit;

/** Whether the program has lived for some time. */
final class AliveCheck extends ReadyCheck {
  private final long nanos;
  private long start;

  AliveCheck(Alive condition) {
    nanos = TimeUnit.NANOSECONDS.convert(condition.time());
  }

  @Override
  void started(long pid) {
    start = System.nanoTime();
  }

  @Override
  long pause() {
    return Math.max(0, nanos - (System.nanoTime() - start));
  }

  @Override
  boolean isReady(long main) {
    return System.nanoTime() - start >= nanos;
  }

  @Override
  long extension() {
    // The time is the wait itself.
    return pause() + TimeUnit.SECONDS.toNanos(1);
  }

  @Override
  String missing(long main) {
    return "its time is not over";
  }
}
