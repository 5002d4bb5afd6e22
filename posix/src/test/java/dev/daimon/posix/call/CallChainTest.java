package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.FullHeap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** What chains do is tested by those who build them. */
class CallChainTest {
  /** Runs a chain of one call, where there is memory for it and where there is ever less. */
  static final class WithoutMemory {
    private static final int ENOUGH = 1 << 16;

    public static void main(String[] args) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment id = arena.allocate(Integer.BYTES, Integer.BYTES);
        CallChain chain = new CallChain(arena);
        chain.prepend(Libc.address("_exit"), 0, 0, 0, 0, 0, 0);
        long mask = mask();
        // Once with memory.
        run(chain, id, ENOUGH);
        int failed = 0;
        for (int memory = 0; memory <= 1024; memory += 32) {
          failed += run(chain, id, memory) ? 0 : 1;
          if (mask() != mask) {
            throw new AssertionError("the signals stay blocked that had " + memory + " bytes");
          }
        }
        System.out.println(failed > 0);
      }
    }

    private static boolean run(CallChain chain, MemorySegment id, int memory) {
      boolean ran = true;
      FullHeap.fillBut(memory);
      try {
        ran = chain.run(0, id.address()) > 0;
      } catch (OutOfMemoryError scarce) {
        ran = false;
      }
      FullHeap.free();
      if (ran) {
        int _ = Processes.waitpid(Native.view(id).getInt(0), new int[1], Processes.__WALL);
      }
      return ran;
    }

    private static long mask() {
      long[] mask = new long[1];
      int _ = Signals.sigmask(Signals.SIG_BLOCK, 0, mask);
      return mask[0];
    }
  }

  @Test
  void aThreadThatHadNoMemoryBlocksNoSignalForGood() throws Exception {
    assertThat(FullHeap.child(WithoutMemory.class).run().output()).isEqualTo("true");
  }
}
