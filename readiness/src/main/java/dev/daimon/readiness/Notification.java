package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/** What a program has told the {@link NotifySocket} in one datagram, and who it was. */
public final class Notification implements AutoCloseable {
  Notification() {}

  /** {@return the sender's process id, from the kernel; 0 if it is in another PID namespace} */
  public long senderPid() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return the sender's user id, from the kernel} */
  public long senderUid() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return the sender's pidfd, closed with this object; empty before Linux 6.5} */
  public Optional<Descriptor> senderHandle() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return the value of a variable; the last one if it is assigned several times}
   *
   * @param name see later
   */
  public Optional<String> value(String name) {
    Objects.requireNonNull(name, "name");
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return whether it says {@code READY=1}} */
  public boolean isReady() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return whether it says {@code RELOADING=1}} */
  public boolean isReloading() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return whether it says {@code STOPPING=1}} */
  public boolean isStopping() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return whether it says {@code WATCHDOG=1}} */
  public boolean isPing() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return the text of {@code STATUS}} */
  public Optional<String> status() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return the process id of {@code MAINPID}; empty if there is none, or it is none} */
  public OptionalLong mainPid() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return the time of {@code EXTEND_TIMEOUT_USEC}; empty if there is none, or it is none} */
  public Optional<Duration> extendTimeout() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return the error of {@code ERRNO}; empty if there is none, or it is none} */
  public Optional<Errno> errno() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  @Override
  public void close() throws PosixException {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }
}
