package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class VirtualThreadTest {
  private static final int CHILDREN = 1000;

  @Test
  void aThousandWaitForAThousandChildrenOnTwoCarriers() throws Exception {
    List<String> lines =
        ChildJvm.of(Waits.class)
            .option("-Djdk.virtualThreadScheduler.parallelism=2")
            .option("-Djdk.virtualThreadScheduler.maxPoolSize=2")
            .run()
            .lines();

    assertThat(lines).hasSize(2).last().isEqualTo("1000 told");
    assertThat(Integer.parseInt(lines.getFirst())).as("threads that were added").isLessThan(10);
  }

  static final class Waits {
    public static void main(String[] arguments) throws Exception {
      List<PidFd> handles = new ArrayList<>();
      List<Future<ExitInfo>> waits = new ArrayList<>();
      try (Children children = new Children();
          ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        int before = threads();
        for (int i = 0; i < CHILDREN; i++) {
          PidFd child = PidFd.open(children.sleeper());
          handles.add(child);
          waits.add(threads.submit(() -> child.waitFor()));
        }
        ProcessSandbox.await("all to wait", () -> Watched.registrations() == CHILDREN);
        System.out.println(threads() - before);

        for (PidFd handle : handles) {
          handle.send(Signal.KILL);
        }
        int told = 0;
        for (Future<ExitInfo> wait : waits) {
          told += wait.get().signal().orElseThrow().equals(Signal.KILL) ? 1 : 0;
        }
        System.out.println(told + " told");
      }
    }

    private static int threads() throws Exception {
      return Integer.parseInt(Proc.status("self", "Threads"));
    }
  }
}
