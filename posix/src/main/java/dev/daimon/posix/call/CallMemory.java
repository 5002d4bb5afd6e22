package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Memory for the arguments and results of one call: each thread has a piece of its own, which it
 * takes again for every call, and which is freed some time after the thread has ended. An arena for
 * each call would be a tenth of the time of a quick one.
 *
 * <p>What was allocated is anybody's after {@link #close}, and nothing would notice its use then:
 * so it never leaves the method that opened it.
 */
final class CallMemory implements Arena {
  /** A long path, and a structure beside it. What is larger is allocated. */
  private static final long BYTES = 4096;

  /** At least that of every type of C's. */
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

  /** For what does not fit. */
  private @Nullable Arena more;

  private CallMemory() {}

  /**
   * The calling thread's, until it is closed; one of its own for a virtual thread, or if it is in
   * use.
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
