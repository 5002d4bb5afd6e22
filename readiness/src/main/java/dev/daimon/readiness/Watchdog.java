package dev.daimon.readiness;

import java.time.Duration;

/** Pings the service manager as long as a health check passes. */
public final class Watchdog implements AutoCloseable {
  private final Duration timeout;

  Watchdog(Duration timeout) {
    this.timeout = timeout;
  }

  /** {@return how long the manager waits for a ping: {@code WATCHDOG_USEC}} */
  public Duration timeout() {
    return timeout;
  }

  /** Ends the pings. */
  @Override
  public void close() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }
}
