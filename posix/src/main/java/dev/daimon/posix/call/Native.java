package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** C strings and arrays of them, to and from Java's bytes. */
final class Native {
  private Native() {}

  /**
   * A C string of these bytes.
   *
   * @throws IllegalArgumentException if one of the bytes is NUL, where C would end the string
   */
  static MemorySegment string(Arena arena, byte[] bytes) {
    for (byte b : bytes) {
      if (b == 0) {
        throw new IllegalArgumentException("a NUL byte in a string for the C library");
      }
    }
    MemorySegment string = arena.allocate(bytes.length + 1L);
    MemorySegment.copy(bytes, 0, string, JAVA_BYTE, 0, bytes.length);
    return string;
  }

  /** A null-terminated array of C strings, such as argv. */
  static MemorySegment strings(Arena arena, List<byte[]> strings) {
    MemorySegment array = arena.allocate(JAVA_LONG, strings.size() + 1L);
    for (int i = 0; i < strings.size(); i++) {
      array.setAtIndex(JAVA_LONG, i, string(arena, strings.get(i)).address());
    }
    return array;
  }

  /** The bytes of the C string at this address; null for a null pointer. */
  static byte @Nullable [] bytes(long address) {
    if (address == 0) {
      return null;
    }
    MemorySegment memory = Libc.memory(address, Long.MAX_VALUE);
    int length = 0;
    while (memory.get(JAVA_BYTE, length) != 0) {
      length++;
    }
    byte[] bytes = new byte[length];
    MemorySegment.copy(memory, JAVA_BYTE, 0, bytes, 0, length);
    return bytes;
  }
}
