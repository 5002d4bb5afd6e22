package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** The kernel's clocks: {@code time.h}. */
public final class Clocks {
  /** Since some moment in the past, without the time for which the machine was suspended. */
  static final int CLOCK_MONOTONIC = 1;

  /** Since the machine was started, the time it was suspended included. */
  static final int CLOCK_BOOTTIME = 7;

  private static final long SECOND = 1_000_000_000;

  // int clock_gettime(clockid_t clockid, struct timespec *tp);
  private static final long GETTIME = Libc.address("clock_gettime");

  private Clocks() {}

  /** The time since the machine was started, in ns; what processes' start times count by. */
  public static long boottime() {
    try (Arena arena = CallMemory.open()) {
      MemorySegment time = arena.allocate(Layouts.timespec.SIZE, Long.BYTES);
      // It cannot fail for a clock that every kernel has.
      int _ = Libc.call(GETTIME, CLOCK_BOOTTIME, time.address());
      ByteBuffer view = Native.view(time);
      return view.getLong(Layouts.timespec.tv_sec) * SECOND
          + view.getLong(Layouts.timespec.tv_nsec);
    }
  }
}
