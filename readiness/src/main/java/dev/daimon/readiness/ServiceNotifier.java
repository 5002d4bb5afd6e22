package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Tells the service manager that has started this process how it is getting on: the sender of
 * {@code sd_notify}.
 */
public final class ServiceNotifier implements AutoCloseable {
  private ServiceNotifier() {}

  /** {@return the notifier to the socket that the variable {@code NOTIFY_SOCKET} names} */
  public static ServiceNotifier fromEnvironment() {
    return new ServiceNotifier();
  }

  /** {@return whether {@code NOTIFY_SOCKET} is set} */
  public boolean isPresent() {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return whether it was sent}
   *
   * @throws IOException if it fails
   */
  public boolean ready() throws IOException {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return whether it was sent}
   *
   * @param mainPid see later
   * @throws IOException if it fails
   */
  public boolean readyAs(long mainPid) throws IOException {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return whether it was sent}
   *
   * @param text see later
   * @throws IOException if it fails
   */
  public boolean status(String text) throws IOException {
    Objects.requireNonNull(text, "text");
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return whether it was sent}
   *
   * @throws IOException if it fails
   */
  public boolean reloading() throws IOException {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return whether it was sent}
   *
   * @throws IOException if it fails
   */
  public boolean stopping() throws IOException {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return whether it was sent}
   *
   * @param pid see later
   * @throws IOException if it fails
   */
  public boolean mainPid(long pid) throws IOException {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return whether it was sent}
   *
   * @param time see later
   * @throws IOException if it fails
   */
  public boolean extendTimeout(Duration time) throws IOException {
    Objects.requireNonNull(time, "time");
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return whether it was sent}
   *
   * @param errno see later
   * @throws IOException if it fails
   */
  public boolean errno(Errno errno) throws IOException {
    Objects.requireNonNull(errno, "errno");
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return whether it was sent}
   *
   * @param name see later
   * @param descriptors see later
   * @throws IOException if it fails
   */
  public boolean storeDescriptors(String name, List<Descriptor> descriptors) throws IOException {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(descriptors, "descriptors");
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return whether the manager has dealt with what was sent; false if there is none}
   *
   * @param timeout see later
   * @throws IOException if it fails
   */
  public boolean barrier(Duration timeout) throws IOException {
    Objects.requireNonNull(timeout, "timeout");
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  /**
   * {@return the watchdog; empty if the manager does not want one from this process}
   *
   * @param healthCheck see later
   * @throws IOException if it fails
   */
  public Optional<Watchdog> watchdog(BooleanSupplier healthCheck) throws IOException {
    Objects.requireNonNull(healthCheck, "healthCheck");
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }

  @Override
  public void close() throws IOException {
    String reason = "not made yet";
    throw new UnsupportedOperationException(reason);
  }
}
