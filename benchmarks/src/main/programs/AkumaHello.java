import com.sun.akuma.Daemon;
import java.io.FileOutputStream;

/** {@code Hello} with akuma: {@code AkumaHello PIDFILE FIFO}. Its launcher does not wait: the fifo tells. */
class AkumaHello {
  private AkumaHello() {}

  public static void main(String[] arguments) throws Exception {
    Daemon daemon = new Daemon();
    if (!daemon.isDaemonized()) {
      daemon.daemonize();
      System.exit(0);
    }
    daemon.init(arguments[0]);
    try (FileOutputStream ready = new FileOutputStream(arguments[1])) {
      ready.write('R');
    }
    Thread.currentThread().join();
  }
}
