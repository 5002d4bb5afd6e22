package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** The kernel's clocks: {@code time.h}. */
public final class Clocks {
  /** The time since some moment in the past, without the time that the machine was suspended. */
  static final int CLOCK_MONOTONIC = 1;

  /** The time since the machine was started, with the time that it was suspended. */
  static final int CLOCK_BOOTTIME = 7;

  private static final long SECOND = 1_000_000_000;

  // int clock_gettime(clockid_t clockid, struct timespec *tp);
  private static final long GETTIME = Libc.address("clock_gettime");

  private Clocks() {}

  /** Returns the time since some moment in the past, in ns. */
  public static long monotonic() {
    return time(CLOCK_MONOTONIC);
  }

  /**
   * Returns the time since the machine was started, in ns, as start times of processes count it.
   */
  public static long boottime() {
    return time(CLOCK_BOOTTIME);
  }

  private static long time(int clock) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment time = arena.allocate(Layouts.timespec.SIZE, Long.BYTES);
      // Cannot fail: every kernel has these clocks.
      int _ = Libc.call(GETTIME, clock, time.address());
      ByteBuffer view = Native.view(time);
      return view.getLong(Layouts.timespec.tv_sec) * SECOND
          + view.getLong(Layouts.timespec.tv_nsec);
    }
  }
}
