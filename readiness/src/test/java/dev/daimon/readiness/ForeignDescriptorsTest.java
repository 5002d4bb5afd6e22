package dev.daimon.readiness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.call.Files;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.ProcessSandbox;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class ForeignDescriptorsTest {
  /** What waits to be closed cannot be, and a descriptor waits behind it. */
  static final class CannotClose {
    public static void main(String[] args) throws Exception {
      ForeignDescriptors foreign = new ForeignDescriptors();
      Field field = ForeignDescriptors.class.getDeclaredField("waiting");
      field.setAccessible(true);
      fill(Queue.class.cast(field.get(foreign)));
      int device = Files.open("/dev/null".getBytes(StandardCharsets.US_ASCII), Files.O_RDWR, 0);
      foreign.close(new int[] {device});
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        if (thread.getName().equals("daimon-close")) {
          thread.join();
        }
      }
      foreign.close(new int[0]);
      ProcessSandbox.await("the close", () -> Files.fcntl(device, Files.F_GETFD, 0) < 0);
      System.out.println("closed");
    }

    @SuppressWarnings("unchecked")
    private static void fill(Queue<?> waiting) {
      boolean _ = ((Queue<Object>) waiting).add("no descriptor");
    }
  }

  @Test
  void afterAThreadThatHasFailedTheNextCallClosesWhatWaits() throws Exception {
    assertThat(ChildJvm.of(CannotClose.class).run().out()).isEqualTo("closed\n");
  }
}
