package dev.daimon.examples.hello;

import dev.daimon.daemon.Daemon;
import dev.daimon.daemon.DaemonConfig;
import dev.daimon.daemon.Daemonizer;
import java.nio.file.Path;

/**
 * A daemon that prints a line every second to {@code hello.log} in the current directory.
 *
 * <p>Start it with {@code java -jar examples/hello/target/hello.jar}, read {@code tail -f
 * hello.log}, and stop it with {@code daimon stop -p $PWD/hello.pid}.
 */
final class Hello {
  public static void main(String[] arguments) throws InterruptedException {
    Path here = Daemonizer.launchDirectory();
    DaemonConfig config =
        DaemonConfig.builder()
            .pidFile(here.resolve("hello.pid"))
            .standardOutput(here.resolve("hello.log"))
            .build();
    try (Daemon daemon = Daemonizer.daemonize(config)) {
      daemon.ready();
      for (int i = 1; true; i++) {
        System.out.println("Hello " + i);
        Thread.sleep(1000);
      }
    }
  }
}
