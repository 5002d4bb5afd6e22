package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

class CallMemoryTest {
  private static final int LARGE = 100_000;

  @Test
  void aThreadsNextCallTakesTheSameMemoryZeroed() throws Exception {
    long address;
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(100);
      address = memory.address();
      memory.fill((byte) 1);
    }
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(100);
      assertThat(memory.address()).isEqualTo(address);
      assertZero(memory);
      assertThat(inA(Thread.ofPlatform(), () -> addressOfOne())).isNotEqualTo(address);
    }
  }

  @Test
  void piecesAreAlignedAndApart() {
    try (Arena arena = CallMemory.open()) {
      MemorySegment first = arena.allocate(3);
      MemorySegment second = arena.allocate(8, 8);
      MemorySegment third = arena.allocate(16, 16);
      MemorySegment page = arena.allocate(10, 4096);
      assertThat(second.address() % 8).isZero();
      assertThat(third.address() % 16).isZero();
      assertThat(page.address() % 4096).isZero();
      assertThat(second.address()).isGreaterThanOrEqualTo(first.address() + 3);
      assertThat(third.address()).isGreaterThanOrEqualTo(second.address() + 8);
    }
  }

  @Test
  void whatDoesNotFitIsAllocatedAndFreed() {
    MemorySegment large;
    try (Arena arena = CallMemory.open()) {
      assertThat(arena.allocate(10).byteSize()).isEqualTo(10);
      large = arena.allocate(LARGE);
      assertZero(large);
    }
    assertThat(large.scope().isAlive()).isFalse();
  }

  /** A call within a call, and virtual threads, of which there may be millions. */
  @Test
  void whoeverFindsItInUseOrIsVirtualGetsMemoryOfItsOwn() throws Exception {
    try (Arena outer = CallMemory.open()) {
      MemorySegment used = outer.allocate(8);
      try (Arena inner = CallMemory.open()) {
        MemorySegment other = inner.allocate(8);
        assertThat(other.address()).isNotEqualTo(used.address());
        used.fill((byte) 1);
        assertZero(other);
      }
      assertThat(outer.allocate(8).address()).isGreaterThan(used.address());
    }
    assertThat(inA(Thread.ofVirtual(), CallMemoryTest::isTheSameTwice)).isFalse();
    assertThat(inA(Thread.ofPlatform(), CallMemoryTest::isTheSameTwice)).isTrue();
  }

  @Test
  void aPlaceIsInTheViewAndApartFromOthers() {
    byte[] name = "name".getBytes(StandardCharsets.US_ASCII);
    try (CallMemory memory = CallMemory.open()) {
      long address = memory.string(name);
      int place = memory.place(16);
      memory.view().putLong(place, -1).putLong(place + 8, -1);
      assertThat(place % 16).isZero();
      assertThat(Libc.string(address)).isEqualTo(name);
      assertThat(Libc.memory(memory.address(place), 16).toArray(JAVA_BYTE)).containsOnly(-1);
      assertZero(memory.allocate(16));
      assertThatIllegalArgumentException().isThrownBy(() -> memory.place(CallMemory.BYTES));
    }
  }

  @Test
  void aStringOfAnyLengthIsCopiedWhole() {
    for (int length : new int[] {0, 1, CallMemory.BYTES / 2, CallMemory.BYTES, LARGE}) {
      byte[] bytes = new byte[length];
      Arrays.fill(bytes, (byte) 'x');
      try (CallMemory memory = CallMemory.open()) {
        assertThat(Libc.string(memory.string(bytes))).isEqualTo(bytes);
      }
    }
    try (CallMemory memory = CallMemory.open()) {
      assertThatIllegalArgumentException().isThrownBy(() -> memory.string(new byte[1]));
    }
  }

  private static boolean isTheSameTwice() {
    CallMemory first = CallMemory.open();
    first.close();
    CallMemory second = CallMemory.open();
    second.close();
    return first == second;
  }

  private static long addressOfOne() {
    try (Arena arena = CallMemory.open()) {
      return arena.allocate(1).address();
    }
  }

  private static void assertZero(MemorySegment memory) {
    assertThat(memory.mismatch(MemorySegment.ofArray(new byte[(int) memory.byteSize()])))
        .isEqualTo(-1);
  }

  private static <T> T inA(Thread.Builder builder, Callable<T> task) throws Exception {
    FutureTask<T> result = new FutureTask<>(task);
    builder.start(result);
    return result.get();
  }
}
