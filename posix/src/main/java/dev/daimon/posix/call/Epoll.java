package dev.daimon.posix.call;

import dev.daimon.posix.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Calls that wait for many descriptors at once: {@code sys/epoll.h}, {@code sys/eventfd.h}. Events
 * identify a descriptor by its number.
 */
public final class Epoll {
  /** Close on exec. */
  public static final int EPOLL_CLOEXEC = 02000000;

  /** The descriptor is readable; for a pidfd: the process has ended. */
  public static final int EPOLLIN = 1;

  /** Report each change once. */
  public static final int EPOLLET = 1 << 31;

  /** Close on exec. */
  public static final int EFD_CLOEXEC = 02000000;

  static final int EPOLL_CTL_ADD = 1;
  static final int EPOLL_CTL_DEL = 2;

  // int epoll_create1(int flags);
  private static final long CREATE = Libc.address("epoll_create1");
  // int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
  private static final long CTL = Libc.address("epoll_ctl");
  // int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout);
  private static final long WAIT = Libc.address("epoll_wait");
  // int eventfd(unsigned int initval, int flags);
  private static final long EVENTFD = Libc.address("eventfd");

  private Epoll() {}

  /** Makes an epoll instance. */
  public static int create(int flags) {
    return Libc.call(CREATE, flags);
  }

  /** Registers a descriptor. */
  public static int add(int epoll, int fd, int events) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment event = arena.allocate(Layouts.epoll_event.SIZE, Long.BYTES);
      ByteBuffer view = Native.view(event);
      view.putInt(Layouts.epoll_event.events, events);
      view.putLong(Layouts.epoll_event.data, fd);
      return Libc.call(CTL, epoll, EPOLL_CTL_ADD, fd, event.address(), 0, 0);
    }
  }

  /** Removes a descriptor. */
  public static int remove(int epoll, int fd) {
    return Libc.call(CTL, epoll, EPOLL_CTL_DEL, fd, 0, 0, 0);
  }

  /**
   * Waits for events, and returns the number of descriptors that have one. Their numbers are stored
   * in {@code ready}. Returns 0 at the timeout, in ms; -1 waits for ever. A signal does not make
   * the wait longer.
   */
  public static int await(int epoll, int[] ready, int timeout) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment events =
          arena.allocate((long) Layouts.epoll_event.SIZE * ready.length, Long.BYTES);
      long address = events.address();
      long start = System.nanoTime();
      int left = timeout;
      int count;
      while ((count = Libc.callOnce(WAIT, epoll, address, ready.length, left))
          == -Errno.EINTR.number()) {
        left = Polling.left(timeout, start);
      }
      ByteBuffer view = Native.view(events);
      for (int i = 0; i < count; i++) {
        ByteBuffer event = view.slice(i * Layouts.epoll_event.SIZE, Layouts.epoll_event.SIZE);
        ready[i] = (int) event.order(view.order()).getLong(Layouts.epoll_event.data);
      }
      return count;
    }
  }

  /** Makes a counter. A write of 8 bytes adds to it, and makes the descriptor readable. */
  public static int eventfd(int flags) {
    return Libc.call(EVENTFD, 0, flags);
  }
}
