import dev.daimon.daemon.Daemon;
import dev.daimon.daemon.DaemonConfig;
import dev.daimon.daemon.Daemonizer;
import java.nio.file.Path;

/** The smallest daemon there is: {@code Hello PIDFILE}. It is ready at once, and waits for its end. */
class Hello {
  private Hello() {}

  public static void main(String[] arguments) throws InterruptedException {
    DaemonConfig config =
        DaemonConfig.builder()
            .pidFile(Path.of(arguments[0]))
            .jvmArguments(
                "-Xmixed",
                "-Ddev.daimon.posix.entryPoint=false",
                "-Djdk.reflect.useNativeAccessorOnly=false")
            .build();
    try (Daemon daemon = Daemonizer.daemonize(config)) {
      daemon.ready();
      Thread.currentThread().join();
    }
  }
}
