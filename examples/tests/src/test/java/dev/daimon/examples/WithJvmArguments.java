package dev.daimon.examples;

import dev.daimon.daemon.Daemon;
import dev.daimon.daemon.DaemonConfig;
import dev.daimon.daemon.Daemonizer;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** A daemon whose JVM gets this program's arguments as options. */
final class WithJvmArguments {
  public static void main(String[] arguments) throws InterruptedException {
    Path here = Daemonizer.launchDirectory();
    DaemonConfig config =
        DaemonConfig.builder()
            .pidFile(here.resolve("with.pid"))
            .standardOutput(here.resolve("with.log"))
            .jvmArguments(arguments)
            .build();
    try (Daemon daemon = Daemonizer.daemonize(config)) {
      System.out.println("ready");
      daemon.ready();
      new CountDownLatch(1).await();
    }
  }
}
