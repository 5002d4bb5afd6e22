package dev.daimon.daemon.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.daemon.streams.Streams;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.FullHeap;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GracefulStopTest {
  /** Is to stop when there is no memory left, by a drain that never ends. */
  static final class LacksMemory {
    public static void main(String[] args) throws Exception {
      Resources.Open none =
          new Resources.Open(null, null, List.of(), Map.of(), Streams.untouched());
      GracefulStop stop =
          new GracefulStop(
              Duration.ofMillis(1), signal -> waitForEver(), new LockCleanUp(none, false, null));
      // The first call needs memory; in a daemon it was made long before.
      long _ = System.nanoTime();
      FullHeap.fill();
      stop.handle(Signal.TERM);
      // Without memory a JVM ends with main, whatever other threads there are.
      waitForEver();
    }

    private static synchronized void waitForEver() throws InterruptedException {
      while (true) {
        LacksMemory.class.wait();
      }
    }
  }

  @Test
  void theDeadlineNeedsNoMemory() throws Exception {
    ChildJvm.Result result =
        ChildJvm.of(LacksMemory.class).option("-Xmx16m").option("-XX:-UseTLAB").run();

    assertThat(result.exit()).as(result.toString()).isEqualTo(128 + 15);
  }
}
