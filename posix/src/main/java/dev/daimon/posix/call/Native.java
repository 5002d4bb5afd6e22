package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Native memory for calls: C strings, arrays of them, and buffers. */
final class Native {
  private Native() {}

  /**
   * Returns the memory as a buffer in the machine's byte order. The segment's own accessors are not
   * used: the first use of each makes a method handle, which costs milliseconds at start-up.
   */
  static ByteBuffer view(MemorySegment memory) {
    return memory.asByteBuffer().order(ByteOrder.nativeOrder());
  }

  /**
   * Makes a C string of these bytes.
   *
   * @throws IllegalArgumentException if one of the bytes is NUL, where C would end the string
   */
  static MemorySegment string(Arena arena, byte[] bytes) {
    return string(arena, bytes, 0);
  }

  /** As {@link #string(Arena, byte[])}, in memory of at least this size that is otherwise zero. */
  static MemorySegment string(Arena arena, byte[] bytes, long size) {
    requireNoNul(bytes);
    MemorySegment string = arena.allocate(Math.max(size, bytes.length + 1L));
    view(string).put(bytes);
    return string;
  }

  static void requireNoNul(byte[] bytes) {
    for (byte b : bytes) {
      if (b == 0) {
        throw new IllegalArgumentException("a NUL byte in a string for the C library");
      }
    }
  }

  /** Makes a null-terminated array of C strings, such as argv. */
  static MemorySegment strings(Arena arena, List<byte[]> strings) {
    MemorySegment array = arena.allocate(JAVA_LONG, strings.size() + 1L);
    ByteBuffer pointers = view(array);
    for (byte[] string : strings) {
      pointers.putLong(string(arena, string).address());
    }
    return array;
  }
}
