package dev.daimon.examples.web;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.daimon.daemon.Daemon;
import dev.daimon.daemon.DaemonConfig;
import dev.daimon.daemon.Daemonizer;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;

/**
 * A web server that opens its port as root and serves as somebody else: {@code java -jar
 * examples/web/target/web.jar 80 www-data web.properties}, where the file says {@code
 * greeting=Hello}. {@code kill -HUP $(cat web.pid)} reads the file again, {@code kill -USR1} opens
 * the log again when it was renamed, and {@code kill} lets the requests in flight finish.
 */
final class Web {
  /** How long the requests in flight may take when the server is to stop: java -Ddrain=10 … */
  private static final int DRAIN_SECONDS = Integer.getInteger("drain", 10);

  private final Path file;
  private volatile String greeting;

  private Web(Path file) throws IOException {
    this.file = file;
    greeting = read(file);
  }

  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    Path here = Daemonizer.launchDirectory();
    DaemonConfig config =
        DaemonConfig.builder()
            .pidFile(here.resolve("web.pid"))
            .standardOutput(here.resolve("web.log"))
            .user(arguments[1])
            // For systemd, containers and debuggers: java -Dforeground=true -jar …
            .foreground(Boolean.getBoolean("foreground"))
            .build();
    try (Daemon daemon = Daemonizer.daemonize(config)) {
      HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
      daemon.chownFiles();
      daemon.dropPrivileges();

      // What the user may not read is found out now, and not at the first SIGHUP.
      Web web = new Web(here.resolve(arguments[2]));
      server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
      server.createContext("/", web::serve);
      daemon.on(Signal.HUP, signal -> web.reload());
      daemon.on(Signal.USR1, signal -> daemon.reopenLogs());
      // Accepts nothing any more, and waits for those in flight; how long at most, the daemon says.
      daemon.onStop(Duration.ofSeconds(DRAIN_SECONDS), signal -> server.stop(Integer.MAX_VALUE));
      server.start();
      System.out.println("Serving port " + port);
      daemon.ready();
      new CountDownLatch(1).await();
    }
  }

  private void serve(HttpExchange exchange) throws IOException {
    // The whole request first: what a client still sends is in flight, too.
    byte[] _ = exchange.getRequestBody().readAllBytes();
    System.out.println(exchange.getRequestMethod() + " " + exchange.getRequestURI());
    byte[] text = (greeting + "\n").getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, text.length);
    exchange.getResponseBody().write(text);
    exchange.close();
  }

  /** What is wrong now does not harm what is served. */
  private void reload() {
    try {
      greeting = read(file);
      System.out.println("Read " + file);
    } catch (IOException failure) {
      System.err.println("Not read: " + failure);
    }
  }

  private static String read(Path file) throws IOException {
    Properties properties = new Properties();
    try (InputStream in = Files.newInputStream(file)) {
      properties.load(in);
    }
    return properties.getProperty("greeting", "Hello");
  }
}
