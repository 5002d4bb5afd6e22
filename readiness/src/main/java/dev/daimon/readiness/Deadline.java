package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Polling;
import java.time.Duration;
import java.util.Objects;

/** A moment until which to wait. */
final class Deadline {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1_000_000_000;

  private final long nanos;

  private Deadline(long nanos) {
    this.nanos = nanos;
  }

  /** Returns the moment after a time, which is cut to 24 days. */
  static Deadline after(Duration timeout) {
    Objects.requireNonNull(timeout, "timeout");
    if (timeout.isNegative()) {
      throw new IllegalArgumentException("a negative timeout: " + timeout);
    }
    long most = Integer.MAX_VALUE * MILLI;
    long wait = timeout.toSeconds() >= most / SECOND ? most : timeout.toNanos();
    return new Deadline(System.nanoTime() + wait);
  }

  boolean isOver() {
    return nanos - System.nanoTime() <= 0;
  }

  /** Waits for an event of a descriptor; returns whether there was one by then. */
  boolean await(int number, int events) throws PosixException {
    long left = Math.max(0, nanos - System.nanoTime());
    int millis = (int) ((left + MILLI - 1) / MILLI);
    return PosixException.check(Polling.poll(number, events, millis), "poll", number) != 0;
  }

  /** As {@link #await}; false at the end of the time, even if there is an event. */
  boolean awaitReadable(Descriptor descriptor) throws PosixException {
    return !isOver() && await(descriptor.number(), Polling.POLLIN);
  }
}
