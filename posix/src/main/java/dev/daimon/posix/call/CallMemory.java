package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Memory for the arguments and results of one call. Each thread has a piece of its own that it
 * reuses for every call; it is freed some time after the thread has ended. To open an arena for
 * each call would take a tenth of the time of a quick call.
 *
 * <p>Calls that are made very often take their memory as a place in the {@link #view}: that makes
 * no objects. In an interpreter, as that of the command's JVM, the objects of a segment take longer
 * than the system call. Other calls take segments.
 *
 * <p>After {@link #close} the memory is reused, and nothing detects a late access. So a segment
 * must never leave the method that opened it.
 */
final class CallMemory implements Arena {
  /** Enough for a path and a structure; larger memory is allocated. */
  static final int BYTES = 4096;

  /** The largest alignment of a C type. */
  private static final int ALIGNMENT = 16;

  private static final ThreadLocal<CallMemory> OWN =
      new ThreadLocal<>() {
        @Override
        protected CallMemory initialValue() {
          return new CallMemory();
        }
      };

  private final MemorySegment memory;
  private final long address;
  private final ByteBuffer view;
  private boolean open;
  private long used;

  /** Memory for what does not fit; and all of it if this is no thread's own. */
  private @Nullable Arena more;

  private CallMemory() {
    this(Arena.ofAuto());
  }

  private CallMemory(Arena arena) {
    memory = arena.allocate(BYTES, ALIGNMENT);
    address = memory.address();
    view = Native.view(memory);
  }

  /**
   * Opens the calling thread's memory. Returns other memory for a virtual thread, or if the
   * thread's memory is in use.
   */
  static CallMemory open() {
    CallMemory own = Thread.currentThread().isVirtual() ? null : OWN.get();
    if (own == null || own.open) {
      Arena arena = Arena.ofConfined();
      own = new CallMemory(arena);
      own.more = arena;
    }
    own.open = true;
    return own;
  }

  /**
   * Returns where in the {@link #view} a place for a structure or a buffer begins, which may hold
   * what an earlier call has left there.
   *
   * @throws IllegalArgumentException if there is no room for it
   */
  int place(int size) {
    int start = (int) used + ALIGNMENT - 1 & -ALIGNMENT;
    if (size > BYTES - start) {
      throw new IllegalArgumentException("no room for " + size + " bytes");
    }
    used = start + (long) size;
    return start;
  }

  /** The address of a place. */
  long address(int place) {
    return address + place;
  }

  /** The memory of all places, in the machine's byte order; its position stays 0. */
  ByteBuffer view() {
    return view;
  }

  /** The address of a C string of these bytes; for the rest see {@link Native#string}. */
  long string(byte[] bytes) {
    if (bytes.length > BYTES / 2) {
      return Native.string(this, bytes).address();
    }
    Native.requireNoNul(bytes);
    int place = place(bytes.length + 1);
    view.put(place, bytes);
    view.put(place + bytes.length, (byte) 0);
    return address + place;
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
