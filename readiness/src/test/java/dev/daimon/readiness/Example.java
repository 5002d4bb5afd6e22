package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.VisibleText;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The examples of the package's documentation; {@link ExampleTest} runs them. */
final class Example {
  private Example() {}

  /** What starts the daemon. */
  interface Starter {
    /** Starts it with these descriptors open under the same numbers; returns its process id. */
    long start(List<Descriptor> descriptors) throws IOException;
  }

  static String launch(Starter daemon) throws IOException {
    // @start region=launcher
    try (LauncherEnd end = LauncherEnd.open(new byte[0])) {
      end.started(daemon.start(end.daemonDescriptors()));
      end.release();
      while (true) {
        Message message = end.receive(Duration.ofSeconds(30)).orElse(new Message.Ended());
        switch (message) {
          case Message.Status(String text) -> System.out.println(text);
          case Message.Ready() -> {
            end.confirm();
            return "started";
          }
          case Message.Failed(int _, String text) -> {
            return text;
          }
          case Message.Ended() -> {
            return "the daemon ended, or was not ready in time";
          }
        }
      }
    }
    // @end region=launcher
  }

  /** A server that has a service manager, or none. */
  static final class Service {
    public static void main(String[] args) throws IOException {
      // @start region=service
      try (ServiceNotifier manager = ServiceNotifier.fromEnvironment()) {
        manager.status("opens the port");
        ServerSocket server = new ServerSocket(0);
        manager.ready();
        try (Watchdog _ = manager.watchdog(() -> !server.isClosed()).orElse(null)) {
          manager.status("serves port " + server.getLocalPort());
          serve(server);
        }
        manager.stopping();
      }
      // @end region=service
    }

    private static void serve(ServerSocket server) throws IOException {
      server.close();
    }
  }

  static String await(List<String> command) throws IOException {
    // @start region=manager
    try (NotifySocket socket = NotifySocket.open()) {
      ProcessBuilder builder = new ProcessBuilder(command);
      builder.environment().put("NOTIFY_SOCKET", socket.address());
      Process program = builder.start();
      while (true) {
        boolean alive = program.isAlive(); // Before the look for what it has said.
        Optional<Notification> next = socket.receive(Duration.ofMillis(500));
        if (next.isEmpty()) {
          if (!alive) {
            return "ended with " + program.exitValue();
          }
          continue;
        }
        try (Notification told = next.get()) {
          if (told.senderPid() != program.pid()) {
            continue; // A stranger.
          }
          if (told.isReady()) {
            return "ready";
          }
          System.out.println(VisibleText.line(told.status().orElse("")));
        }
      }
    }
    // @end region=manager
  }

  /** The daemon; {@code false} as its argument lets it give up. */
  static final class Daemon {
    public static void main(String[] args) throws IOException {
      boolean portIsFree = Boolean.parseBoolean(args[0]);
      // @start region=daemon
      try (DaemonEnd end = DaemonEnd.find()) {
        if (end == null) {
          return; // No launcher has started this process.
        }
        end.status("opening the port");
        if (!portIsFree) {
          end.failed(1, "the port is in use");
          return;
        }
        end.ready();
        if (!end.awaitLauncher()) {
          return; // The launcher is gone, and nobody knows that the daemon runs.
        }
      }
      // @end region=daemon
    }
  }
}
