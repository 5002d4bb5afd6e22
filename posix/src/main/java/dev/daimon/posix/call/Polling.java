package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** A call that waits for a descriptor: {@code poll.h}. */
public final class Polling {
  /** The descriptor is readable, or the other end is closed. */
  public static final int POLLIN = 1;

  /** The descriptor takes more to write, or nobody reads it. */
  public static final int POLLOUT = 4;

  /** The other end is closed; reported without being asked for. */
  public static final int POLLHUP = 16;

  // int poll(struct pollfd *fds, nfds_t nfds, int timeout);
  private static final long POLL = Libc.address("poll");

  private Polling() {}

  /**
   * Waits for an event of a descriptor; returns 0 at the timeout, in ms. -1 waits for ever. After a
   * signal it waits once more as long.
   */
  public static int poll(int fd, int events, int timeout) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(Layouts.pollfd.SIZE, Integer.BYTES);
      ByteBuffer view = Native.view(memory);
      view.putInt(Layouts.pollfd.fd, fd);
      view.putShort(Layouts.pollfd.events, (short) events);
      return Libc.call(POLL, memory.address(), 1, timeout);
    }
  }
}
