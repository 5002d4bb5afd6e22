package dev.daimon.examples.web;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.daimon.command.DaemonCommand;
import dev.daimon.daemon.Daemon;
import dev.daimon.daemon.DaemonConfig;
import dev.daimon.daemon.Daemonizer;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A web server that opens its port as root and serves as another user.
 *
 * <p>Start it with {@code java -jar examples/web/target/web.jar start 80 www-data web.properties};
 * the file has a line such as {@code greeting=Hello}. In the same directory {@code status}, {@code
 * stop} and {@code reload} are the other words, and {@code restart 80 www-data web.properties}. On
 * {@code reload} it reads the file again. On {@code stop} it finishes the open requests and ends.
 * On {@code daimon signal -p $PWD/web.pid USR1} it reopens the log after a rotation.
 */
final class Web {
  /** How long open requests may take after SIGTERM: java -Ddrain=10 … */
  private static final int DRAIN_SECONDS = Integer.getInteger("drain", 10);

  /** For s6, the number in its file notification-fd: java -Dready=3 … */
  private static final Integer READY = Integer.getInteger("ready");

  private final Path file;
  private volatile String greeting;

  /** How many requests are being answered. */
  private final AtomicInteger open = new AtomicInteger();

  private Web(Path file) throws IOException {
    this.file = file;
    greeting = read(file);
  }

  public static void main(String[] arguments) throws Exception {
    List<String> words = new ArrayList<>(List.of(arguments));
    if (!words.isEmpty() && words.getFirst().matches("\\d.*")) {
      // A port comes first: java -jar web.jar 80 www-data web.properties
      words.addFirst("start");
    }
    DaemonCommand.main(words.toArray(new String[0]), config(words), Web::run);
  }

  private static DaemonConfig config(List<String> words) {
    Path here = Daemonizer.launchDirectory();
    DaemonConfig.Builder config =
        DaemonConfig.builder()
            .pidFile(here.resolve("web.pid"))
            .standardOutput(here.resolve("web.log"))
            // For systemd, containers and debuggers: java -Dforeground=true -jar …
            .foreground(Boolean.getBoolean("foreground"));
    if (words.size() == 4) {
      config.user(words.get(2));
    }
    if (READY != null) {
      config.readinessDescriptor(READY);
    }
    return config.build();
  }

  private static void run(Daemon daemon, List<String> arguments) throws Exception {
    if (arguments.size() != 3) {
      throw daemon.fail(64, "it takes a port, a user and a file");
    }
    int port = Integer.parseInt(arguments.get(0));
    HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
    daemon.chownFiles();
    daemon.dropPrivileges();

    // Read as the user, so that a missing permission is found now and not at the first SIGHUP.
    Web web = new Web(Daemonizer.launchDirectory().resolve(arguments.get(2)));
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", web::serve);
    daemon.onReload(signal -> web.reload());
    daemon.on(Signal.USR1, signal -> daemon.reopenLogs());
    // Accepts no new request, and waits for the open ones; the daemon enforces the deadline.
    daemon.onStop(Duration.ofSeconds(DRAIN_SECONDS), signal -> web.drain(server));
    // Asked only by a service manager that wants it: systemd's WatchdogSec.
    daemon.watchdog(() -> answers(port));
    server.start();
    System.out.println("Serving port " + port);
    daemon.ready();
    daemon.status("serving port " + port);
    new CountDownLatch(1).await();
  }

  /**
   * Stops the server when it has answered. HttpServer.stop alone may wait for ever: for a client
   * that closes its connection at this very moment, and whose end it then does not notice.
   */
  private void drain(HttpServer server) throws InterruptedException {
    Thread stop = Thread.startVirtualThread(() -> server.stop(Integer.MAX_VALUE));
    boolean stopped;
    do {
      stopped = stop.join(Duration.ofSeconds(1));
    } while (!stopped && open.get() > 0);
  }

  private void serve(HttpExchange exchange) throws IOException {
    open.incrementAndGet();
    try {
      answer(exchange);
    } finally {
      open.decrementAndGet();
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    // Read the whole request first: one that is still being sent is open, too.
    byte[] _ = exchange.getRequestBody().readAllBytes();
    System.out.println(exchange.getRequestMethod() + " " + exchange.getRequestURI());
    byte[] text = (greeting + "\n").getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, text.length);
    exchange.getResponseBody().write(text);
    exchange.close();
  }

  /** Whether the server answers itself within a second. */
  private static boolean answers(int port) {
    try {
      URL url = URI.create("http://127.0.0.1:" + port + "/health").toURL();
      URLConnection connection = url.openConnection();
      connection.setConnectTimeout(1000);
      connection.setReadTimeout(1000);
      try (InputStream answer = connection.getInputStream()) {
        return answer.readAllBytes().length > 0;
      }
    } catch (IOException failure) {
      return false;
    }
  }

  /** Reads the greeting again, and keeps the old one if that fails. */
  private void reload() throws IOException {
    greeting = read(file);
    System.out.println("Read " + file);
  }

  private static String read(Path file) throws IOException {
    Properties properties = new Properties();
    try (InputStream in = Files.newInputStream(file)) {
      properties.load(in);
    }
    return properties.getProperty("greeting", "Hello");
  }
}
