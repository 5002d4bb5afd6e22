package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Memory for the arguments and results of one call. Each thread has a piece of its own that it
 * reuses for every call; it is freed some time after the thread has ended. To open an arena for
 * each call would take a tenth of the time of a quick call.
 *
 * <p>After {@link #close} the memory is reused, and nothing detects a late access. So a segment
 * must never leave the method that opened it.
 */
final class CallMemory implements Arena {
  /** Enough for a long path and a structure; larger memory is allocated. */
  private static final long BYTES = 4096;

  /** The largest alignment of a C type. */
  private static final long ALIGNMENT = 16;

  private static final ThreadLocal<CallMemory> OWN =
      new ThreadLocal<>() {
        @Override
        protected CallMemory initialValue() {
          return new CallMemory();
        }
      };

  private final MemorySegment memory = Arena.ofAuto().allocate(BYTES, ALIGNMENT);
  private boolean open;
  private long used;

  /** Memory for what does not fit. */
  private @Nullable Arena more;

  private CallMemory() {}

  /**
   * Opens the calling thread's memory. Returns a new arena for a virtual thread, or if the thread's
   * memory is in use.
   */
  static Arena open() {
    if (Thread.currentThread().isVirtual()) {
      return Arena.ofConfined();
    }
    CallMemory own = OWN.get();
    if (own.open) {
      return Arena.ofConfined();
    }
    own.open = true;
    return own;
  }

  @Override
  public MemorySegment allocate(long size, long alignment) {
    long start = (used + alignment - 1) & -alignment;
    if (start + size > BYTES || alignment > ALIGNMENT) {
      if (more == null) {
        more = Arena.ofConfined();
      }
      return more.allocate(size, alignment);
    }
    used = start + size;
    return memory.asSlice(start, size).fill((byte) 0);
  }

  @Override
  public MemorySegment.Scope scope() {
    return memory.scope();
  }

  @Override
  public void close() {
    Arena last = more;
    more = null;
    used = 0;
    open = false;
    if (last != null) {
      last.close();
    }
  }
}
