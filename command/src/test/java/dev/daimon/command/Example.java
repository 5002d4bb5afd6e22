package dev.daimon.command;

import dev.daimon.daemon.Daemon;
import dev.daimon.daemon.DaemonConfig;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** The example of the package's documentation and of docs/facade.md. */
final class Example {
  private Example() {}

  // @start region="main"
  public static void main(String[] arguments) throws Exception {
    DaemonConfig config = DaemonConfig.builder().name("web").build();
    DaemonCommand.main(arguments, config, (daemon, words) -> serve(daemon, words));
  }

  // @end

  private static void serve(Daemon daemon, List<String> words) throws InterruptedException {
    daemon.ready();
    System.out.println("serving " + words);
    new CountDownLatch(1).await();
  }
}
