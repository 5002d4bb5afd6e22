package dev.daimon.pidfd;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Epoll;
import java.time.Duration;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;

/**
 * A wait for several things at once: the ends of processes, and descriptors that become readable.
 * The calling thread waits; no other thread is started.
 *
 * <p>What has happened is reported by each {@link #await} until it is over: until a descriptor was
 * read, for instance. The end of a process stays.
 *
 * <p>For use by one thread at a time.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/epoll.7.html">epoll(7)</a>
 */
public final class EventWait implements AutoCloseable {
  private final Descriptor epoll;

  /** The numbers of what was added. */
  private final Set<Integer> added = new HashSet<>();

  private final Set<Integer> happened = new HashSet<>();

  private EventWait(Descriptor epoll) {
    this.epoll = epoll;
  }

  /**
   * Makes a wait for nothing yet.
   *
   * @return the wait, to be closed by the caller
   * @throws PosixException if this JVM has no descriptor left ({@code EMFILE})
   */
  public static EventWait open() throws PosixException {
    int number = PosixException.check(Epoll.create(Epoll.EPOLL_CLOEXEC), "epoll_create1", "");
    return new EventWait(Descriptor.adopt(number));
  }

  /**
   * Adds the end of a process, which need not be a child. The handle must stay open until it was
   * {@linkplain #remove(PidFd) removed} or this wait was closed.
   *
   * @param process a handle of the process
   * @throws PosixException if the kernel refuses
   */
  public void add(PidFd process) throws PosixException {
    Objects.requireNonNull(process, "process");
    add(process.number(), process.toString());
  }

  /**
   * Adds a descriptor: a pipe, a socket, an {@code eventfd}. It must stay open until this wait was
   * closed, or until it was {@linkplain #remove(Descriptor) removed}.
   *
   * @param descriptor the descriptor; readable also if the other end was closed
   * @throws PosixException {@code EPERM} for a regular file or a directory, which never has events
   */
  public void add(Descriptor descriptor) throws PosixException {
    Objects.requireNonNull(descriptor, "descriptor");
    add(descriptor.number(), descriptor.toString());
  }

  private void add(int number, String subject) throws PosixException {
    int result = Epoll.add(epoll.number(), number, Epoll.EPOLLIN);
    PosixException.check(result, "epoll_ctl", subject);
    added.add(number);
  }

  /**
   * Removes a process.
   *
   * @param process a handle that was added
   * @throws PosixException if it was not added
   */
  public void remove(PidFd process) throws PosixException {
    Objects.requireNonNull(process, "process");
    remove(process.number(), process.toString());
  }

  /**
   * Removes a descriptor, which is to be done before it is closed.
   *
   * @param descriptor a descriptor that was added
   * @throws PosixException if it was not added
   */
  public void remove(Descriptor descriptor) throws PosixException {
    Objects.requireNonNull(descriptor, "descriptor");
    remove(descriptor.number(), descriptor.toString());
  }

  private void remove(int number, String subject) throws PosixException {
    happened.remove(number);
    PosixException.check(Epoll.remove(epoll.number(), number), "epoll_ctl", subject);
    added.remove(number);
  }

  /**
   * Waits until something happens, at most for a limited time. An interrupt does not end the wait.
   * A virtual thread that waits keeps its carrier.
   *
   * @param timeout how long, rounded up to milliseconds; not at all if it is not positive
   * @return whether something has happened
   * @throws PosixException if the kernel refuses
   */
  public boolean await(Duration timeout) throws PosixException {
    Objects.requireNonNull(timeout, "timeout");
    // At least one: the kernel refuses to report none.
    int[] ready = new int[Math.max(1, added.size())];
    int count =
        PosixException.check(
            Epoll.await(epoll.number(), ready, millis(timeout)), "epoll_wait", epoll.number());
    happened.clear();
    for (int i = 0; i < count; i++) {
      happened.add(ready[i]);
    }
    return count > 0;
  }

  private static int millis(Duration timeout) {
    if (timeout.isNegative() || timeout.isZero()) {
      return 0;
    }
    if (timeout.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) >= 0) {
      return Integer.MAX_VALUE;
    }
    return (int) timeout.plusNanos(999_999).toMillis();
  }

  /**
   * Tells whether the last {@link #await} has found a descriptor readable.
   *
   * @param descriptor a descriptor that was added
   * @return whether it was readable
   */
  public boolean isReadable(Descriptor descriptor) {
    Objects.requireNonNull(descriptor, "descriptor");
    return happened.contains(descriptor.number());
  }

  /**
   * Ends this wait. What was added stays open.
   *
   * @throws PosixException if other code has closed the descriptor
   */
  @Override
  public void close() throws PosixException {
    epoll.close();
  }
}
