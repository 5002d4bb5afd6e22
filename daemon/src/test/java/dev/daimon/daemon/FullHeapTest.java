package dev.daimon.daemon;

import dev.daimon.testing.FullHeap;
import dev.daimon.testing.ProcessSandbox;
import java.io.FileOutputStream;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Daemons without memory before they are ready. */
class FullHeapTest {
  @RegisterExtension final Facade facade = new Facade();

  /** Has no memory from its start on, which it says in the file "full". */
  static final class Starts {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      DaemonConfig config = DaemonConfig.builder().pidFile(directory.resolve("pid")).build();
      try (Daemon _ = Daemonizer.daemonize(config);
          FileOutputStream full = new FileOutputStream(directory.resolve("full").toFile())) {
        CountDownLatch never = new CountDownLatch(1);
        FullHeap.fill();
        full.write('.');
        never.await();
      }
    }
  }

  @Test
  void oneWhoseLauncherIsKilledEnds() throws Exception {
    Process launcher = facade.start(facade.java(FullHeap.OPTIONS, Starts.class));
    String _ = facade.awaitText("full");
    ProcessHandle daemon = ProcessHandle.of(Facade.pid(facade.pidFile())).orElseThrow();

    launcher.destroyForcibly();

    ProcessSandbox.await("the end of the daemon", () -> !daemon.isAlive());
  }
}
