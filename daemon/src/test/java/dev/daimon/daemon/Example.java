package dev.daimon.daemon;

import dev.daimon.posix.Signal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/** The example in the documentation of the package. */
final class Example {
  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    // @start region="daemonize"
    DaemonConfig config =
        DaemonConfig.builder()
            .pidFile(directory.resolve("pid"))
            .standardOutput(directory.resolve("log"))
            .build();
    try (Daemon daemon = Daemonizer.daemonize(config)) {
      // From here on this is the daemon; the launcher waits for ready().
      Server server = new Server();
      handleSignals(daemon, server);
      daemon.ready();
      server.serve();
    }
    // @end
  }

  private static void handleSignals(Daemon daemon, Server server) {
    // @start region="signals"
    daemon.onReload(signal -> server.reload());
    daemon.on(Signal.USR1, signal -> daemon.reopenLogs());
    daemon.onStop(Duration.ofSeconds(20), signal -> server.stop());
    // @end
  }

  /** A server that only prints. */
  private static final class Server {
    private final CountDownLatch stopped = new CountDownLatch(1);

    void serve() throws InterruptedException {
      System.out.println("serving");
      stopped.await();
    }

    void reload() {
      System.out.println("reloaded");
    }

    void stop() {
      System.out.println("stopping");
      stopped.countDown();
    }
  }
}
