package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The kernel's source of random bytes: {@code sys/random.h}. */
public final class RandomBytes {
  // ssize_t getrandom(void *buffer, size_t length, unsigned int flags);
  private static final long GETRANDOM = Libc.address("getrandom");

  private RandomBytes() {}

  /** Fills an array of at most 256 bytes: as many are given at once. */
  public static int get(byte[] bytes) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(bytes.length);
      int count = Libc.call(GETRANDOM, memory.address(), bytes.length, 0);
      Native.view(memory).get(bytes);
      return count;
    }
  }
}
