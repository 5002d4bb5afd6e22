package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class NativeTest {
  @Property(tries = 200)
  void aStringComesBackByteForByteAndEndsWithNul(@ForAll byte[] bytes) {
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = bytes[i] == 0 ? 1 : bytes[i];
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment string = Native.string(arena, bytes);
      assertThat(Libc.string(string.address())).isEqualTo(bytes);
      assertThat(string.get(JAVA_BYTE, bytes.length)).isZero();
    }
  }

  @Test
  void aNulWithinIsRefused() {
    try (Arena arena = Arena.ofConfined()) {
      assertThatIllegalArgumentException().isThrownBy(() -> Native.string(arena, new byte[1]));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Native.strings(arena, List.of(new byte[] {'a', 0, 'b'})));
    }
  }

  @Test
  void anArrayOfStringsEndsWithANullPointer() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment array = Native.strings(arena, List.of(new byte[] {'a'}, new byte[0]));

      assertThat(array.byteSize()).isEqualTo(24);
      assertThat(Libc.string(array.getAtIndex(JAVA_LONG, 0))).isEqualTo(new byte[] {'a'});
      assertThat(Libc.string(array.getAtIndex(JAVA_LONG, 1))).isEmpty();
      assertThat(Libc.string(array.getAtIndex(JAVA_LONG, 2))).isNull();
    }
  }
}
