package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import java.util.Optional;

/** The socket on which a launcher receives what programs tell their service manager. */
public final class NotifySocket implements AutoCloseable {
  private NotifySocket() {}

  /**
   * {@return a socket with a new name}
   *
   * @throws PosixException if it fails
   */
  public static NotifySocket open() throws PosixException {
    return new NotifySocket();
  }

  /** {@return the value of {@code NOTIFY_SOCKET} for the program} */
  public String address() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return the socket, to poll: it is readable if there is something to receive} */
  public Descriptor descriptor() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return the next notification; empty if there is none now, or the next datagram was dropped}
   *
   * @throws PosixException if it fails
   */
  public Optional<Notification> receive() throws PosixException {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /** {@return how many datagrams were dropped} */
  public long dropped() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  @Override
  public void close() throws PosixException {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }
}
