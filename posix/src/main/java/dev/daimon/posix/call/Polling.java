package dev.daimon.posix.call;

import dev.daimon.posix.Errno;
import java.nio.ByteBuffer;

/** A call that waits for a descriptor: {@code poll.h}. */
public final class Polling {
  /** The descriptor is readable, or the other end is closed. */
  public static final int POLLIN = 1;

  /** The descriptor takes more to write, or nobody reads it. */
  public static final int POLLOUT = 4;

  /** The other end is closed; reported without being asked for. */
  public static final int POLLHUP = 16;

  private static final long MILLI = 1_000_000;

  // int poll(struct pollfd *fds, nfds_t nfds, int timeout);
  private static final long POLL = Libc.address("poll");

  private Polling() {}

  /**
   * Waits for an event of a descriptor; returns 0 at the timeout, in ms. -1 waits for ever. A
   * signal does not make the wait longer.
   */
  public static int poll(int fd, int events, int timeout) {
    try (CallMemory memory = CallMemory.open()) {
      int place = memory.place(Layouts.pollfd.SIZE);
      ByteBuffer view = memory.view();
      view.putInt(place + Layouts.pollfd.fd, fd);
      view.putShort(place + Layouts.pollfd.events, (short) events);
      long start = timeout > 0 ? System.nanoTime() : 0;
      int left = timeout;
      int result;
      long address = memory.address(place);
      while ((result = Libc.callOnce(POLL, address, 1, left)) == -Errno.EINTR.number()) {
        left = left(timeout, start);
      }
      return result;
    }
  }

  /** What is left of a timeout, in ms, for a wait that a signal has ended. */
  static int left(int timeout, long start) {
    return timeout > 0 ? (int) Math.max(0, timeout - (System.nanoTime() - start) / MILLI) : timeout;
  }
}
